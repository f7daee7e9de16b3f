"""The window: rail, page, status bar. Knows pages by name, not what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from playground.ui import theme
from playground.ui.by_name import set_by_name
from playground.ui.compare_page import ComparePage
from playground.ui.compare_words import NOTHING_LOADED
from playground.ui.icons import icon
from playground.ui.meters import MemoryBar, label

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QPaintEvent

    from playground.ui.compare_state import CompareState

THEMES = ("system", "light", "dark")
_THEME_ICONS = {"system": "system", "light": "sun", "dark": "moon"}


class MainWindow(QMainWindow):
    """Emits ``closing`` instead of closing: the app ends in order and then closes it.

    ``painted`` is emitted once, when the window and all in it have been painted for the first time.
    ``close_wanted`` stays set when the user has asked to close, for a start that nobody listens to yet.
    """

    painted = Signal()
    closing = Signal()
    theme_wanted = Signal(str)

    def __init__(self, page: ComparePage, theme_name: str) -> None:
        super().__init__()
        self.setWindowTitle("Compare — Playground")
        self.setMinimumSize(1024, 640)
        self.resize(1280, 800)
        self.page = page
        self.theme_name = theme_name
        self.is_painted = False
        self.close_wanted = False
        self._may_close = False
        root = QWidget()
        root.setObjectName("root")
        row = QHBoxLayout(root)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._rail())
        row.addWidget(page, 1)
        self.setCentralWidget(root)
        self._make_status_bar()
        self._recolour()
        theme.notifier().changed.connect(self._recolour)

    def _rail(self) -> QFrame:
        rail = QFrame()
        rail.setObjectName("rail")
        rail.setFixedWidth(78)
        column = QVBoxLayout(rail)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(4)
        self._compare = _rail_button("Compare")
        self._compare.setCheckable(True)
        self._compare.setChecked(True)
        self._compare.clicked.connect(lambda: self._compare.setChecked(True))
        self._theme_button = _rail_button("System")
        self._theme_button.setAccessibleName("Theme")
        self._theme_button.setToolTip("Colours: system, light, dark")
        self._theme_button.clicked.connect(self._next_theme)
        column.addWidget(self._compare)
        column.addStretch()
        column.addWidget(self._theme_button)
        return rail

    def _make_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self._engines, self._memory, self._memory_bar = (
            label(NOTHING_LOADED, "muted"),
            label("", "muted"),
            MemoryBar(),
        )
        self._engines.setContentsMargins(8, 0, 0, 0)
        bar.addWidget(self._engines)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 10, 0)
        row.addWidget(self._memory)
        row.addWidget(self._memory_bar)
        bar.addPermanentWidget(holder)

    def render_state(self, state: CompareState) -> None:
        """Show what the status bar and the title say."""
        self._engines.setText(state.engines)
        self._memory.setText(state.memory)
        self._memory_bar.show_shares(*state.memory_shares)
        self.setWindowTitle(f"{state.title} — Playground" if state.title else "Compare — Playground")

    def show_bug(self, details: str) -> None:
        """Show an unexpected error with details that can be copied."""
        from PySide6.QtCore import Qt
        from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton

        dialog = QDialog(self)
        dialog.setWindowTitle("Unexpected error")
        column = QVBoxLayout(dialog)
        column.addWidget(
            label("Something went wrong that should not. The app goes on; the log holds the details.")
        )
        text = QPlainTextEdit(details)
        text.setReadOnly(True)
        text.setAccessibleName("Details")
        text.setFont(theme.font(9.25, mono=True))
        column.addWidget(text)
        close = QPushButton("Close")
        close.clicked.connect(dialog.reject)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def close_now(self) -> None:
        """Close for good, when everything behind the window has ended."""
        self._may_close = True
        self.close()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Notice the first paint."""
        super().paintEvent(event)
        if not self.is_painted:
            self.is_painted = True
            QTimer.singleShot(0, self.painted.emit)  # what is in the window comes after it

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """Ask for an orderly end first."""
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.close_wanted = True
            self.closing.emit()

    def _next_theme(self) -> None:
        self.theme_name = THEMES[(THEMES.index(self.theme_name) + 1) % len(THEMES)]
        self.theme_wanted.emit(self.theme_name)
        self._recolour()  # the button says more than the colours: system may look like light

    def _recolour(self) -> None:
        self._compare.setIcon(icon("compare", theme.current().accent, 22))
        self._theme_button.setIcon(icon(_THEME_ICONS[self.theme_name], size=22))
        self._theme_button.setText(self.theme_name.capitalize())
        self._theme_button.setAccessibleDescription(self.theme_name)


def _rail_button(text: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setAccessibleName(text)
    made.setIconSize(QSize(22, 22))
    set_by_name(made, toolButtonStyle="ToolButtonTextUnderIcon")
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made
