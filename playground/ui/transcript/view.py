"""The transcript of one lane: a read-only view of one document, followed or scrolled by the reader.

What writes the document is made with the first text: an empty transcript is part of the first paint and costs
little of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6 import QtCore
from PySide6.QtGui import QGuiApplication, QPainter, QTextOption
from PySide6.QtWidgets import QFrame, QLabel, QTextEdit, QWidget

from playground.ui import theme
from playground.ui.by_name import set_by_name

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from playground.ui.transcript.cards import CopyButtons
    from playground.ui.transcript.document import ConversationDocument, NoticeKind

_MARGIN = 16
_HINT_MARGIN = 48


class TranscriptView(QTextEdit):
    """A read-only, streaming Markdown view. Links and images are shown, never followed or fetched."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint = _hint_label(self)
        self._written: ConversationDocument | None = None
        self._buttons: CopyButtons | None = None
        self._follow = True
        self._moving = False
        self._set_up()
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._scrolled)
        bar.rangeChanged.connect(self._grown)

    @property
    def following(self) -> bool:
        """Return whether new text scrolls the view: only while the reader is at the end."""
        return self._follow

    def set_hint(self, text: str) -> None:
        """Show a text while the conversation is empty."""
        if text != self._hint.text():
            self._hint.setText(text)
            self.setAccessibleDescription(text)

    def add_user(self, text: str) -> None:
        """Add a turn of the user's."""
        self._conversation().add_user(text)
        self._place_buttons()
        self._scroll_to_end()

    def add_notice(self, text: str, *, kind: NoticeKind = "info") -> None:
        """Add a line of the app's own, such as why an answer failed."""
        self._conversation().add_notice(text, kind)
        self._place_buttons()

    def begin_answer(self) -> None:
        """Begin a new answer."""
        self._conversation().begin_answer()

    def feed(self, text: str) -> None:
        """Add text to the answer."""
        if text:
            self._conversation().feed(text)
            self._place_buttons()

    def feed_reasoning(self, text: str) -> None:
        """Add to what the model thinks before it answers: a bar that can be opened."""
        if text:
            self._conversation().feed_reasoning(text)

    def finish(self) -> None:
        """Close the answer or the reasoning that is open."""
        if self._written is not None:
            self._written.finish()
            self._place_buttons()

    def clear_all(self) -> None:
        """Forget the conversation."""
        if self._written is not None:
            self._written.clear()
            self._hint.show()
            self._place_buttons()

    def remove_last_answer(self) -> None:
        """Go back to just behind the last turn of the user's."""
        if self._written is not None:
            self._written.forget_last_answer()
            self._write_anew()

    def set_theme(self) -> None:
        """Write the document anew with the colours in force."""
        self._write_anew()

    def last_code(self) -> str | None:
        """Return the last block of code, None without one."""
        codes = self._written.codes if self._written is not None else {}
        return "\n".join(codes[max(codes)]) if codes else None

    def plain_text_of_last_answer(self) -> str:
        """Return the Markdown source of the last answer, empty without one."""
        return self._written.source_of_last_answer() if self._written is not None else ""

    def toggle_reasoning(self, number: int | None = None) -> None:
        """Open or close a reasoning section, the last one by default."""
        if self._written is not None and self._written.toggle_reasoning(number):
            self._write_anew()

    def _set_up(self) -> None:
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(_MARGIN)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        set_by_name(
            self,
            lineWrapMode="WidgetWidth",
            horizontalScrollBarPolicy="ScrollBarAlwaysOff",
            textInteractionFlags="TextSelectableByMouse|TextSelectableByKeyboard",
        )
        self.setFont(theme.font(10))

    def _conversation(self) -> ConversationDocument:
        if self._written is None:
            from playground.ui.transcript.cards import CopyButtons
            from playground.ui.transcript.document import ConversationDocument

            self._written = ConversationDocument(self.document())
            self._buttons = CopyButtons(self, self._copy_card)
        self._hint.hide()
        self._written.table_width = max(200.0, self.viewport().width() - 2.0 * _MARGIN - 8)
        return self._written

    def _write_anew(self) -> None:
        if self._written is None:
            return
        follow, position = self._follow, self.verticalScrollBar().value()
        self.setUpdatesEnabled(False)
        self._conversation().write_anew()
        self._hint.setVisible(self._written.is_empty)
        self.setUpdatesEnabled(True)
        self._place_buttons()
        self._follow = follow
        self._set_scroll(self.verticalScrollBar().maximum() if follow else position)

    # ---- looking

    def _copy_card(self, number: int) -> None:
        codes = self._written.codes if self._written is not None else {}
        QGuiApplication.clipboard().setText("\n".join(codes.get(number, [])))

    def _place_buttons(self) -> None:
        if self._buttons is not None:
            from playground.ui.transcript import cards

            self._buttons.place(cards.visible_cards(self), _MARGIN)

    def _scrolled(self, value: int) -> None:
        if not self._moving:
            self._follow = value >= self.verticalScrollBar().maximum() - 4
        self._place_buttons()

    def _grown(self, _low: int, high: int) -> None:
        if self._follow:
            self._set_scroll(high)

    def _set_scroll(self, value: int) -> None:
        self._moving = True
        self.verticalScrollBar().setValue(value)
        self._moving = False

    def _scroll_to_end(self) -> None:
        self._follow = True
        self._set_scroll(self.verticalScrollBar().maximum())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the cards, then the text over them."""
        if self._written is not None:
            from playground.ui.transcript import cards

            painter = QPainter(self.viewport())
            shown = cards.visible_cards(self)
            cards.paint(painter, shown, self.viewport().width(), _MARGIN, self._written.notices)
            painter.end()
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keep the buttons on their cards, and the hint in the middle."""
        super().resizeEvent(event)
        self._hint.setGeometry(_HINT_MARGIN, 0, self.width() - 2 * _HINT_MARGIN, self.height())
        self._place_buttons()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Open or close a reasoning section on a click on its bar."""
        super().mouseReleaseEvent(event)
        is_click = event.button() == QtCore.Qt.MouseButton.LeftButton and not self.textCursor().hasSelection()
        if is_click and self._written is not None:
            section = self._written.reasoning_at(self.cursorForPosition(event.position().toPoint()))
            if section is not None:
                self.toggle_reasoning(section)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Open or close the last reasoning section with Enter."""
        if event.key() in (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter) and not event.modifiers():
            self.toggle_reasoning()
            return
        super().keyPressEvent(event)


def _hint_label(view: QTextEdit) -> QLabel:
    """Return a label over the view: painting the text here would need the Python enums of Qt before the first paint."""
    made = QLabel(view)
    made.setProperty("role", "muted")
    made.setWordWrap(True)
    set_by_name(made, textFormat="PlainText", alignment="AlignCenter")
    return made
