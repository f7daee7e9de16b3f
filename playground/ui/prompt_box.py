"""Where the prompt is written: grows from one to eight lines, holds the built-in prompts and the one filled button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPlainTextEdit, QPushButton

from playground.compare.prompts import Prompt
from playground.ui import theme
from playground.ui.icons import icon

_MOST_LINES = 8
_PADDING = 14


class PromptBox(QFrame):
    """Emits ``run_wanted`` with the text; keeps the text until ``clear`` is called."""

    run_wanted = Signal(str)

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        super().__init__()
        self.setObjectName("prompt")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        self.editor = QPlainTextEdit()
        self.editor.setAccessibleName("Prompt")
        self.editor.setPlaceholderText("Ask both models…   (Ctrl+Enter sends, Enter makes a new line)")
        self.editor.setTabChangesFocus(True)
        self.editor.textChanged.connect(self._grow)
        self.prompts = QPushButton("Prompts")
        self.prompts.setAccessibleName("Prompts")
        self.prompts.setToolTip("Choose a built-in coding prompt")
        self.prompts.setIconSize(QSize(16, 16))
        menu = QMenu(self.prompts)
        for prompt in prompts:
            action = menu.addAction(f"{prompt.title}\ttier {prompt.tier}")
            action.triggered.connect(lambda _checked=False, p=prompt: self.set_text(p.text))
        self.prompts.clicked.connect(
            lambda: menu.popup(self.prompts.mapToGlobal(self.prompts.rect().topLeft()) - _below(menu))
        )
        self.run = QPushButton("Run both")
        self.run.setObjectName("primary")
        self.run.setAccessibleName("Run both")
        self.run.setToolTip("Send to both models  (Ctrl+Enter)")
        self.run.setIconSize(QSize(16, 16))
        self.run.clicked.connect(self.submit)
        row.addWidget(self.editor, 1)
        row.addWidget(self.prompts, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.run, 0, Qt.AlignmentFlag.AlignBottom)
        self.set_icons()
        self._grow()

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

    def _grow(self) -> None:
        lines = min(max(int(self.editor.document().size().height()), 1), _MOST_LINES)
        height = lines * self.editor.fontMetrics().lineSpacing() + _PADDING
        if height != self.editor.height():
            self.editor.setFixedHeight(height)


def _below(menu: QMenu) -> QPoint:
    return QPoint(0, menu.sizeHint().height())
