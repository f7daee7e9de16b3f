"""Where the prompt is written: grows from one to eight lines, holds the built-in prompts and the one filled button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPlainTextEdit, QPushButton, QVBoxLayout

from playground.ui import theme
from playground.ui.icons import icon

if TYPE_CHECKING:
    from playground.compare.prompts import Prompt

_MOST_LINES = 8
_PADDING = 14
_SETTLES_MS = 300
_LANGUAGES = {"python": "Python", "javascript": "JavaScript", "sql": "SQL", "bash": "Bash"}


class PromptBox(QFrame):
    """Emits ``run_wanted`` with the text; keeps the text until ``clear`` is called.

    ``settled`` carries the text some time after typing has stopped, and at once when it has become empty.
    """

    run_wanted = Signal(str)
    settled = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("prompt")
        self._offered: Sequence[Prompt] = ()
        self._tasks: Sequence[Prompt] = ()
        self._menu: QMenu | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        self.editor = QPlainTextEdit()
        self.editor.setAccessibleName("Prompt")
        self.editor.setPlaceholderText("Ask both models…   (Ctrl+Enter sends, Enter makes a new line)")
        self.editor.setTabChangesFocus(True)
        self.editor.textChanged.connect(self._grow)
        self._settling = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        self._settling.timeout.connect(lambda: self.settled.emit(self.editor.toPlainText()))
        self.editor.textChanged.connect(self._settle)
        self.prompts = QPushButton("Prompts")
        self.prompts.setAccessibleName("Prompts")
        self.prompts.setToolTip("Choose a built-in coding prompt")
        self.prompts.setIconSize(QSize(16, 16))
        self.prompts.clicked.connect(self._open_menu)
        self.run = QPushButton("Run both")
        self.run.setObjectName("primary")
        self.run.setAccessibleName("Run both")
        self.run.setToolTip("Send to both models  (Ctrl+Enter)")
        self.run.setIconSize(QSize(16, 16))
        self.run.clicked.connect(self.submit)
        row.addWidget(self.editor, 1)
        row.addLayout(_at_the_bottom(self.prompts))
        row.addLayout(_at_the_bottom(self.run))
        self.render_state(can_run=False, why_not="Choose a model first.")
        self.set_icons()
        self._grow()

    def offer(self, prompts: Sequence[Prompt]) -> None:
        """Set the prompts of the menu."""
        self._offered, self._menu = prompts, None

    def offer_tasks(self, tasks: Sequence[Prompt]) -> None:
        """Set the tasks of the menu's part below: prompts that have tests."""
        self._tasks, self._menu = tasks, None

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self.prompts.setIcon(icon("prompts", size=16))
        colours = theme.current()
        self.run.setIcon(icon("send", colours.onaccent if self.run.isEnabled() else colours.faint, 16))

    def set_text(self, text: str) -> None:
        """Put a text in place of what is there."""
        self.editor.setPlainText(text)
        self.editor.setFocus()

    def clear(self) -> None:
        """Empty the box."""
        self.editor.clear()

    def submit(self) -> None:
        """Ask for a run with the text, when there is one and the button is enabled."""
        text = self.editor.toPlainText()
        if text.strip() and self.run.isEnabled():
            self.run_wanted.emit(text)

    def render_state(self, can_run: bool, why_not: str) -> None:
        """Enable the button, or say why not."""
        self.run.setToolTip("Send to both models  (Ctrl+Enter)" if can_run else why_not)
        if can_run != self.run.isEnabled():
            self.run.setEnabled(can_run)
            self.set_icons()

    def _settle(self) -> None:
        if self.editor.document().isEmpty():
            self._settling.stop()
            self.settled.emit("")
        else:
            self._settling.start()

    def _open_menu(self) -> None:
        menu = self._menu
        if menu is None:
            menu = self._menu = QMenu(self.prompts)
            self._fill(menu, self._offered)
            if self._tasks:
                menu.addSeparator()
                self._fill_tasks(menu.addMenu("Tasks with tests"))
        menu.popup(self.prompts.mapToGlobal(self.prompts.rect().topLeft()) - _below(menu))

    def _fill_tasks(self, menu: QMenu) -> None:
        for language in dict.fromkeys(task.language for task in self._tasks):
            tasks = [task for task in self._tasks if task.language == language]
            self._fill(menu.addMenu(_LANGUAGES.get(language, language)), tasks)

    def _fill(self, menu: QMenu, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            action = menu.addAction(f"{prompt.title}\ttier {prompt.tier}")
            action.triggered.connect(lambda _checked=False, p=prompt: self.set_text(p.text))

    def _grow(self) -> None:
        lines = min(max(int(self.editor.document().size().height()), 1), _MOST_LINES)
        height = lines * self.editor.fontMetrics().lineSpacing() + _PADDING
        if height != self.editor.height():
            self.editor.setFixedHeight(height)


def _at_the_bottom(button: QPushButton) -> QVBoxLayout:
    column = QVBoxLayout()
    column.addStretch()
    column.addWidget(button)
    return column


def _below(menu: QMenu) -> QPoint:
    return QPoint(0, menu.sizeHint().height())
