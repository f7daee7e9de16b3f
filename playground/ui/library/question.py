"""A question before something is deleted: what exactly, and that it cannot be undone. Opened, never waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from playground.ui.library.kit import STRETCH, button, column, on_click, row
from playground.ui.meters import label

_ROWS_HEIGHT = 150


def ask(
    parent: QWidget, title: str, text: str, yes: str, then: Callable[[], object], items: Sequence[str] = ()
) -> QDialog:
    """Open the question; ``then`` is called when it is answered with yes. Cancel is what Enter does."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setMinimumWidth(420)
    heading, words = label(title, "h2"), label(text, "muted")
    for shown in (heading, words):
        shown.setWordWrap(True)
    listed = QPlainTextEdit("\n".join(items))
    listed.setReadOnly(True)
    listed.setAccessibleName("What will be deleted")
    listed.setMaximumHeight(_ROWS_HEIGHT)
    listed.setTabChangesFocus(True)
    listed.setVisible(bool(items))
    cancel, sure = on_click(button("Cancel"), dialog.reject), on_click(button(yes, "bin"), dialog.accept)
    cancel.setDefault(True)
    sure.setAutoDefault(False)
    dialog.setLayout(
        column(heading, listed, words, 2, row(STRETCH, cancel, sure), gap=10, margins=(16, 14, 16, 14))
    )
    dialog.accepted.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    cancel.setFocus()
    dialog.open()
    return dialog
