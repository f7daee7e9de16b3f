"""The transcript of one lane: one document for the whole conversation, whose closed blocks are never touched again.

Each feed removes the tentative tail (the open block, or in code its last line) and writes what is decided now and
the new tail. What was fed is kept as source, so the document can be written anew when colours change.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from playground.ui import theme
from playground.ui.transcript import cards, highlight
from playground.ui.transcript.blocks import BlockWriter, prewarm
from playground.ui.transcript.formats import (
    CARD,
    CODE,
    NOTICE,
    REASONING,
    REASONING_HEAD,
    ROLE,
    USER,
    Formats,
    block,
)
from playground.ui.transcript.splitter import Closed, Line, Op, Opened, Splitter

__all__ = ["TranscriptView", "prewarm"]

NoticeKind = Literal["info", "warn", "bad"]
_MARGIN = 16
_TABLE_PATIENCE = 4.0  # an open table is drawn again no sooner than four times what drawing it took


@dataclass(slots=True)
class _Entry:
    """A piece of the conversation as it was given: user, answer, reasoning or notice."""

    kind: Literal["user", "answer", "reasoning", "notice"]
    parts: list[str] = field(default_factory=list)
    label: str = ""  # of a notice: its kind
    expanded: bool = False
    done: bool = False
    words: int = 0

    @property
    def text(self) -> str:
        return "".join(self.parts)


class TranscriptView(QTextEdit):
    """A read-only, streaming Markdown view. Links and images are shown, never followed or fetched."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[_Entry] = []
        self._follow = True
        self._moving = False
        self._set_up()
        self._buttons = cards.CopyButtons(self, self._copy_card)
        self._start_document()
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._scrolled)
        bar.rangeChanged.connect(self._grown)

    @property
    def following(self) -> bool:
        """Return whether new text scrolls the view: only while the reader is at the end."""
        return self._follow

    def add_user(self, text: str) -> None:
        """Add a turn of the user's."""
        self.finish()
        self._entries.append(_Entry("user", [text], done=True))
        self._write_bubble(text, USER, 0)
        self._scroll_to_end()

    def add_notice(self, text: str, *, kind: NoticeKind = "info") -> None:
        """Add a line of the app's own, such as why an answer failed."""
        self.finish()
        self._entries.append(_Entry("notice", [text], label=kind, done=True))
        self._write_notice(text, kind)

    def begin_answer(self) -> None:
        """Begin a new answer."""
        self.finish()
        self._entries.append(_Entry("answer"))
        self._start_answer()

    def feed(self, text: str) -> None:
        """Add text to the answer."""
        if not text:
            return
        if not self._entries or self._entries[-1].kind != "answer" or self._entries[-1].done:
            self.begin_answer()
        self._entries[-1].parts.append(text)
        self._apply(self._splitter.feed(text))

    def feed_reasoning(self, text: str) -> None:
        """Add to what the model thinks before it answers: a bar that can be opened."""
        if not text:
            return
        entry = self._entries[-1] if self._entries else None
        if entry is None or entry.kind != "reasoning" or entry.done:
            if entry is not None and entry.kind == "answer" and not entry.parts:
                self._entries.pop()
            self.finish()
            entry = _Entry("reasoning")
            self._entries.append(entry)
            self._write_reasoning_head(entry)
        entry.parts.append(text)
        entry.words += text.count(" ") + text.count("\n")
        self._update_reasoning_head(entry)
        if entry.expanded:
            self._write_reasoning(text)

    def finish(self) -> None:
        """Close the answer or the reasoning that is open."""
        if not self._entries or self._entries[-1].done:
            return
        entry = self._entries[-1]
        entry.done = True
        if entry.kind == "answer":
            self._apply(self._splitter.finish(), final=True)
        elif entry.kind == "reasoning":
            self._update_reasoning_head(entry)

    def clear_all(self) -> None:
        """Forget the conversation."""
        self._entries.clear()
        self._start_document()

    def remove_last_answer(self) -> None:
        """Go back to just behind the last turn of the user's."""
        while self._entries and self._entries[-1].kind != "user":
            self._entries.pop()
        self._write_anew()

    def set_theme(self) -> None:
        """Write the document anew with the colours in force."""
        self._write_anew()

    def last_code(self) -> str | None:
        """Return the last block of code, None without one."""
        return "\n".join(self._codes[max(self._codes)]) if self._codes else None

    def plain_text_of_last_answer(self) -> str:
        """Return the Markdown source of the last answer, empty without one."""
        return next((entry.text for entry in reversed(self._entries) if entry.kind == "answer"), "")

    def toggle_reasoning(self, number: int | None = None) -> None:
        """Open or close a reasoning section, the last one by default."""
        sections = [entry for entry in self._entries if entry.kind == "reasoning"]
        if not sections:
            return
        index = len(sections) - 1 if number is None else number
        if 0 <= index < len(sections):
            sections[index].expanded = not sections[index].expanded
            self._write_anew()

    def _set_up(self) -> None:
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(_MARGIN)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QTextEdit.LineWrapMode.WidgetWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFont(theme.font(10))

    # ---- writing

    def _start_document(self) -> None:
        self.document().clear()
        self._writer = BlockWriter(Formats())
        self._codes: dict[int, list[str]] = {}
        self._notices: dict[int, str] = {}
        self._card = 0
        self._reasoning_heads: list[tuple[_Entry, int]] = []
        self._start_answer()
        self._place_buttons()

    def _start_answer(self) -> None:
        self._splitter = Splitter()
        self._language = ""
        self._state = highlight.START
        self._tail_start: int | None = None
        self._tail_format = QTextBlockFormat()
        self._tail_first = False
        self._table_cost_s = 0.0
        self._table_drawn = 0.0

    def _write_anew(self) -> None:
        entries, follow = self._entries, self._follow
        position = self.verticalScrollBar().value()
        self._start_document()
        self._entries = []
        self.setUpdatesEnabled(False)
        for entry in entries:
            self._write_entry(entry)
        self.setUpdatesEnabled(True)
        self._follow = follow
        self._set_scroll(self.verticalScrollBar().maximum() if follow else position)

    def _write_entry(self, entry: _Entry) -> None:
        self._entries.append(entry)
        if entry.kind == "user":
            self._write_bubble(entry.text, USER, 0)
        elif entry.kind == "notice":
            self._write_notice(entry.text, entry.label)
        elif entry.kind == "reasoning":
            self._write_reasoning_head(entry)
            if entry.expanded:
                self._write_reasoning(entry.text)
        else:
            self._start_answer()
            self._apply(self._splitter.feed(entry.text))
            if entry.done:
                self._apply(self._splitter.finish(), final=True)

    def _end(self) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        return cursor

    def _write_bubble(self, text: str, role: int, number: int) -> None:
        cursor = self._end()
        cursor.beginEditBlock()
        made = block(top=10, bottom=16, left=12, right=12, role=role, card=number)
        formats = self._writer.formats
        used = formats.text() if role == USER else formats.small("text")
        self._writer.new_block(cursor, made, used)
        cursor.insertText(text.replace("\r\n", "\n").replace("\n", "\u2028"), used)
        cursor.endEditBlock()
        self._place_buttons()

    def _write_notice(self, text: str, kind: str) -> None:
        self._card += 1
        self._notices[self._card] = kind
        self._write_bubble(text, NOTICE, self._card)

    def _write_reasoning_head(self, entry: _Entry) -> None:
        cursor = self._end()
        number = len(self._reasoning_heads)
        made = block(
            top=10, bottom=14, left=12, right=12, role=REASONING_HEAD, card=number + 1, line_percent=110
        )
        self._writer.new_block(cursor, made, self._writer.formats.small())
        self._reasoning_heads.append((entry, cursor.block().blockNumber()))
        cursor.insertText(_reasoning_words(entry), self._writer.formats.small())

    def _update_reasoning_head(self, entry: _Entry) -> None:
        for known, number in self._reasoning_heads:
            found = self.document().findBlockByNumber(number)
            words = _reasoning_words(known)
            if known is entry and found.text() != words:
                cursor = QTextCursor(found)
                cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
                cursor.insertText(words, self._writer.formats.small())

    def _write_reasoning(self, text: str) -> None:
        cursor = self._end()
        cursor.beginEditBlock()
        used = self._writer.formats.text("muted")
        if cursor.blockFormat().intProperty(ROLE) != REASONING:
            self._writer.new_block(cursor, block(bottom=4, left=12, role=REASONING), used)
        cursor.insertText(text, used)
        cursor.endEditBlock()

    def _apply(self, ops: list[Op], *, final: bool = False) -> None:
        if not ops and not final and self._is_table_too_soon():
            return
        started = time.perf_counter()
        self._writer.table_width = max(200.0, self.viewport().width() - 2.0 * _MARGIN - 8)
        cursor = self._end()
        cursor.beginEditBlock()
        self._remove_tail(cursor)
        for op in ops:
            self._write_op(cursor, op)
        self._write_tail(cursor)
        cursor.endEditBlock()
        if self._splitter.kind == "table":
            self._table_drawn = time.perf_counter()
            self._table_cost_s = self._table_drawn - started
        self._place_buttons()

    def _is_table_too_soon(self) -> bool:
        if self._splitter.kind != "table":
            return False
        return time.perf_counter() - self._table_drawn < _TABLE_PATIENCE * self._table_cost_s

    def _remove_tail(self, cursor: QTextCursor) -> None:
        if self._tail_start is None:
            return
        cursor.setPosition(self._tail_start)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        # The block that is left takes the tail's format, and the document's first block counts as free again.
        cursor.setBlockFormat(self._tail_format)
        self._writer.is_first = self._tail_first
        self._tail_start = None

    def _write_op(self, cursor: QTextCursor, op: Op) -> None:
        if isinstance(op, Opened):
            self._card += 1
            self._codes[self._card] = []
            self._language, self._state = op.language, highlight.START
            self._writer.code_head(cursor, op.language, self._card)
        elif isinstance(op, Line):
            self._codes[self._card].append(op.text)
            self._state = self._writer.code_line(cursor, op.text, self._language, self._state, self._card)
        elif op.kind == "code":
            closing = cursor.blockFormat()
            if closing.intProperty(ROLE) >= CODE or closing.intProperty(CARD) == self._card:
                closing.setBottomMargin(22)
                cursor.setBlockFormat(closing)
        else:
            self._writer.write(cursor, op)

    def _write_tail(self, cursor: QTextCursor) -> None:
        splitter = self._splitter
        text = splitter.partial if splitter.in_code else splitter.text + splitter.partial
        if not text.strip():
            return
        self._tail_start, self._tail_format = cursor.position(), cursor.blockFormat()
        self._tail_first = self._writer.is_first
        if splitter.in_code:
            self._writer.code_line(cursor, text, self._language, self._state, self._card)
        else:
            kind = splitter.kind or "paragraph"
            shown = splitter.text if kind == "table" else text
            self._writer.write(cursor, Closed(kind, shown, splitter.indent))

    # ---- looking

    def _copy_card(self, number: int) -> None:
        QGuiApplication.clipboard().setText("\n".join(self._codes.get(number, [])))

    def _place_buttons(self) -> None:
        self._buttons.place(cards.visible_cards(self), self.document().documentMargin())

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
        painter = QPainter(self.viewport())
        margin = self.document().documentMargin()
        cards.paint(painter, cards.visible_cards(self), self.viewport().width(), margin, self._notices)
        painter.end()
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keep the buttons on their cards."""
        super().resizeEvent(event)
        self._place_buttons()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Open or close a reasoning section on a click on its bar."""
        super().mouseReleaseEvent(event)
        clicked = self.cursorForPosition(event.position().toPoint()).block().blockFormat()
        is_click = event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection()
        if is_click and clicked.intProperty(ROLE) == REASONING_HEAD:
            self.toggle_reasoning(clicked.intProperty(CARD) - 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Open or close the last reasoning section with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.toggle_reasoning()
            return
        super().keyPressEvent(event)


def _reasoning_words(entry: _Entry) -> str:
    mark = "▾" if entry.expanded else "▸"
    return f"{mark}  {'Thought' if entry.done else 'Thinking'} · {entry.words:,} words"
