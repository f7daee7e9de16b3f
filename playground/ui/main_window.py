"""The window: rail, page, status bar. Knows pages by name, not what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedLayout, QVBoxLayout, QWidget

from playground.ui import theme
from playground.ui.compare_page import ComparePage
from playground.ui.compare_words import NOTHING_LOADED
from playground.ui.meters import MemoryBar, label
from playground.ui.rail import THEMES, Rail

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QPaintEvent

    from playground.ui.compare_state import CompareState


class MainWindow(QMainWindow):
    """Emits ``closing`` instead of closing: the app ends in order and then closes it.

    ``painted`` is emitted once, when the window and all in it have been painted for the first time.
    ``close_wanted`` stays set when the user has asked to close, for a start that nobody listens to yet.
    """

    painted = Signal()
    closing = Signal()
    theme_wanted = Signal(str)
    page_wanted = Signal(str)

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
        self._page_name, self._compared = "compare", ""
        self._words: dict[str, str] = {}
        root = QWidget()
        root.setObjectName("root")
        row = QHBoxLayout(root)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._rail = Rail(theme_name)
        self._rail.page_wanted.connect(self.page_wanted)
        self._rail.theme_wanted.connect(self._next_theme)
        row.addWidget(self._rail)
        self._pages = QStackedLayout()
        row.addLayout(self._pages, 1)
        self._pages.addWidget(page)  # it shows what it is given, so it must be in the window by then
        self.setCentralWidget(root)
        self._make_status_bar()
        theme.notifier().changed.connect(self._rail.recolour)

    def show_page(self, name: str, page: QWidget) -> None:
        """Show a page; it is kept from the first time on."""
        if self._pages.indexOf(page) < 0:
            self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        self._rail.show_page(name)
        self._page_name = name
        self._render_title()

    def say(self, name: str, text: str) -> None:
        """Show in the status bar what a page has under way; empty: nothing."""
        self._words = {key: value for key, value in {**self._words, name: text}.items() if value}
        self._activity.setText("  ·  ".join(self._words.values()))

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
        self._activity = label("", "muted")
        self._activity.setContentsMargins(12, 0, 0, 0)
        bar.addWidget(self._activity)
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
        self._compared = state.title
        self._render_title()

    def _render_title(self) -> None:
        compared = self._compared if self._page_name == "compare" else ""
        self.setWindowTitle(f"{compared or self._page_name.capitalize()} — Playground")

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
        self._rail.show_theme(self.theme_name)
