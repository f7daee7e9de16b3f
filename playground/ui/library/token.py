"""Asks for a Hub token. Shows no more of it than dots, and keeps nothing: saving it is the caller's."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from playground.ui.library.kit import STRETCH, button, column, on_click, row, set_text
from playground.ui.meters import label

TOKENS_PAGE = "https://huggingface.co/settings/tokens"


class TokenDialog(QDialog):
    """Emits ``entered``; stays open until it is told that the token was taken, or why it was not."""

    entered = Signal(str)
    link_wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Hugging Face token")
        self.setMinimumWidth(440)
        words = label(
            "A token with the right to read is enough. It is kept where the Hub’s own tools keep it, and is never"
            " shown or logged.",
            "muted",
        )
        words.setWordWrap(True)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText("hf_…")
        self.field.setAccessibleName("Token")
        self.field.textChanged.connect(self._typed)
        self._problem = label("", "why")
        self._problem.setWordWrap(True)
        self.save = on_click(button("Save", kind="primary"), self._enter)
        self.save.setDefault(True)
        cancel = on_click(button("Cancel"), self.reject)
        page = on_click(
            button("Make one on huggingface.co", "open", kind="flat"),
            lambda: self.link_wanted.emit(TOKENS_PAGE),
        )
        for made in (cancel, page):
            made.setAutoDefault(False)
        foot = row(page, STRETCH, cancel, self.save)
        self.setLayout(column(words, self.field, self._problem, foot, gap=10, margins=(16, 14, 16, 14)))
        self.save.setEnabled(False)

    def refuse(self, why: str) -> None:
        """Say why the token was not taken; it can be corrected."""
        set_text(self._problem, why)
        self.field.setEnabled(True)
        self.save.setEnabled(True)
        self.field.setFocus()

    @property
    def problem(self) -> str:
        """Return why it was not taken."""
        return self._problem.text()

    def _typed(self, text: str) -> None:
        self.save.setEnabled(bool(text.strip()))
        set_text(self._problem, "")

    def _enter(self) -> None:
        self.field.setEnabled(False)
        self.save.setEnabled(False)
        self.entered.emit(self.field.text().strip())
