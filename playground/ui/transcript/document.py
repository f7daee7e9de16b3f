"""Writes a conversation into a document, whose closed blocks are never touched again. Knows no widget.

Each feed removes the tentative tail (the open block, or in code its last line) and writes what is decided now and
the new tail. What was fed is kept as source, so the document can be written anew when colours change.
"""

from __future__ import annotations

import time
from typing import Literal

from PySide6.QtGui import QTextBlockFormat, QTextCursor, QTextDocument

from playground.ui.transcript import highlight
from playground.ui.transcript.blocks import BlockWriter
from playground.ui.transcript.entries import Entry
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

NoticeKind = Literal["info", "warn", "bad"]
_TABLE_PATIENCE = 4.0  # an open table is drawn again no sooner than four times what drawing it took


class ConversationDocument:
    """The conversation and its document. ``codes`` are the lines of each code card, ``notices`` their kinds.

    ``table_width`` is the room for a table, pixels; whoever feeds sets it.
    """

    def __init__(self, document: QTextDocument) -> None:
        self._document = document
        self._entries: list[Entry] = []
        self.table_width = 480.0
        self._start_document()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing has been said yet."""
        return not self._entries

    def add_user(self, text: str) -> None:
        """Add a turn of the user's."""
        self.finish()
        self._entries.append(Entry("user", [text], done=True))
        self._write_bubble(text, USER, 0)

    def add_notice(self, text: str, kind: NoticeKind) -> None:
        """Add a line of the app's own."""
        self.finish()
        self._entries.append(Entry("notice", [text], label=kind, done=True))
        self._write_notice(text, kind)

    def begin_answer(self) -> None:
        """Begin a new answer."""
        self.finish()
        self._entries.append(Entry("answer"))
        self._start_answer()

    def feed(self, text: str) -> None:
        """Add text to the answer."""
        if not self._entries or self._entries[-1].kind != "answer" or self._entries[-1].done:
            self.begin_answer()
        self._entries[-1].parts.append(text)
        self._apply(self._splitter.feed(text))

    def feed_reasoning(self, text: str) -> None:
        """Add to what the model thinks before it answers."""
        entry = self._entries[-1] if self._entries else None
        if entry is None or entry.kind != "reasoning" or entry.done:
            if entry is not None and entry.kind == "answer" and not entry.parts:
                self._entries.pop()
            self.finish()
            entry = Entry("reasoning")
            self._entries.append(entry)
            self._write_reasoning_head(entry)
        goes_on = bool(entry.parts) and not (entry.parts[-1][-1:].isspace() or text[:1].isspace())
        entry.words += len(text.split()) - (goes_on and bool(text.split()))
        entry.parts.append(text)
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

    def clear(self) -> None:
        """Forget the conversation."""
        self._entries.clear()
        self._start_document()

    def forget_last_answer(self) -> None:
        """Go back to just behind the last turn of the user's; ``write_anew`` shows it."""
        while self._entries and self._entries[-1].kind != "user":
            self._entries.pop()

    def toggle_reasoning(self, number: int | None = None) -> bool:
        """Open or close a reasoning section, the last one by default; ``write_anew`` shows it when True."""
        sections = [entry for entry in self._entries if entry.kind == "reasoning"]
        index = len(sections) - 1 if number is None else number
        if not 0 <= index < len(sections):
            return False
        sections[index].expanded = not sections[index].expanded
        return True

    def reasoning_at(self, cursor: QTextCursor) -> int | None:
        """Return the number of the reasoning section whose head is there, None elsewhere."""
        clicked = cursor.block().blockFormat()
        return clicked.intProperty(CARD) - 1 if clicked.intProperty(ROLE) == REASONING_HEAD else None

    def source_of_last_answer(self) -> str:
        """Return the Markdown source of the last answer, empty without one."""
        return next((entry.text for entry in reversed(self._entries) if entry.kind == "answer"), "")

    def write_anew(self) -> None:
        """Write the whole document again, with the colours in force."""
        entries, self._entries = self._entries, []
        self._start_document()
        for entry in entries:
            self._write_entry(entry)

    # ---- writing

    def _start_document(self) -> None:
        self._document.clear()
        self._writer = BlockWriter(Formats())
        self.codes: dict[int, list[str]] = {}
        self.notices: dict[int, str] = {}
        self._card = 0
        self._reasoning_heads: list[tuple[Entry, int]] = []
        self._start_answer()

    def _start_answer(self) -> None:
        self._splitter = Splitter()
        self._language = ""
        self._state = highlight.START
        self._tail_start: int | None = None
        self._tail_format = QTextBlockFormat()
        self._tail_first = False
        self._table_cost_s = 0.0
        self._table_drawn = 0.0

    def _write_entry(self, entry: Entry) -> None:
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
        cursor = QTextCursor(self._document)
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

    def _write_notice(self, text: str, kind: str) -> None:
        self._card += 1
        self.notices[self._card] = kind
        self._write_bubble(text, NOTICE, self._card)

    def _write_reasoning_head(self, entry: Entry) -> None:
        cursor = self._end()
        number = len(self._reasoning_heads)
        made = block(
            top=10, bottom=14, left=12, right=12, role=REASONING_HEAD, card=number + 1, line_percent=110
        )
        self._writer.new_block(cursor, made, self._writer.formats.small())
        self._reasoning_heads.append((entry, cursor.block().blockNumber()))
        cursor.insertText(entry.head(), self._writer.formats.small())

    def _update_reasoning_head(self, entry: Entry) -> None:
        for known, number in self._reasoning_heads:
            found = self._document.findBlockByNumber(number)
            words = known.head()
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
        self._writer.table_width = self.table_width
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
            self.codes[self._card] = []
            self._language, self._state = op.language, highlight.START
            self._writer.code_head(cursor, op.language, self._card)
        elif isinstance(op, Line):
            self.codes[self._card].append(op.text)
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
