"""Writes decided Markdown blocks into the document through a cursor: prose, lists, quotes, tables, code lines."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import (
    QFontMetricsF,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)

from playground.ui import theme
from playground.ui.transcript import highlight
from playground.ui.transcript.formats import CODE, CODE_HEAD, TABLE_HEAD, TABLE_ROW, Formats, block
from playground.ui.transcript.splitter import Closed

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_INDENT_PIXELS = 20.0
_DEEPEST = 8
_CELL_GAP = 24.0
_LINE_BREAK = "\u2028"
_THIN_SPACE = "\u2009"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 12}).enable(["table", "strikethrough"])


def prewarm() -> None:
    """Import the Markdown and colouring libraries; for a thread, after the first paint."""
    _markdown().parse("*warm*")
    highlight.runs_of_line(highlight.lexer_for("python"), "x = 1", highlight.START)


class _Place:
    """Where in lists, quotes and headings the next paragraph stands."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.quoted = 0
        self.heading = 0
        self.bullet = ""

    def follow(self, token: Token) -> None:
        """Take an opening or closing token into account."""
        kind = token.type
        if kind == "heading_open":
            self.heading = int(token.tag[1])
        elif kind in ("bullet_list_open", "ordered_list_open"):
            self.level += 1
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self.level -= 1
        elif kind == "list_item_open":
            self.bullet = f"{token.info}{token.markup}" if token.info else "•"
        elif kind in ("blockquote_open", "blockquote_close"):
            self.quoted += 1 if kind == "blockquote_open" else -1


class BlockWriter:
    """Writes at a cursor. ``is_first``: nothing was written yet, so the first block is still free."""

    def __init__(self, formats: Formats) -> None:
        self.formats = formats
        self.is_first = True
        self.table_width = 480.0

    def new_block(self, cursor: QTextCursor, block_format: QTextBlockFormat, text: QTextCharFormat) -> None:
        """Begin a block; the document's own first block is used up first."""
        if self.is_first:
            cursor.setBlockFormat(block_format)
            cursor.setBlockCharFormat(text)
            self.is_first = False
        else:
            cursor.insertBlock(block_format, text)

    def write(self, cursor: QTextCursor, closed: Closed) -> None:
        """Write a block of prose, a list item or a table."""
        if closed.kind == "table":
            self._table(cursor, closed.text)
            return
        level = min(1 + closed.indent // 2, _DEEPEST) if closed.kind == "item" else 0
        text = _dedented(closed.text, closed.indent) if closed.indent else closed.text
        self._prose(cursor, _markdown().parse(text), max(level - 1, 0))

    def code_head(self, cursor: QTextCursor, language: str, card: int) -> None:
        """Write the header line of a code card."""
        head = block(top=12, bottom=14, left=12, right=12, role=CODE_HEAD, card=card, line_percent=100)
        small = self.formats.small()
        self.new_block(cursor, head, small)
        cursor.insertText(language or "text", small)

    def code_line(
        self, cursor: QTextCursor, text: str, language: str, state: highlight.State, card: int
    ) -> highlight.State:
        """Write a line of code, wrapped with a hanging indent, and return the lexer's state behind it."""
        indent = len(text) - len(text.lstrip(" ")) + 2
        hang = min(indent, 40) * self.formats.code_width
        made = block(bottom=0, left=12 + hang, indent=-hang, right=8, role=CODE, card=card, line_percent=128)
        self.new_block(cursor, made, self.formats.code("text"))
        runs, after = highlight.runs_of_line(highlight.lexer_for(language), text, state)
        for run, colour in runs:
            cursor.insertText(run, self.formats.code(colour))
        return after

    def _prose(self, cursor: QTextCursor, tokens: list[Token], level: int) -> None:
        place = _Place(level)
        for token in tokens:
            if token.type == "inline":
                self._paragraph(cursor, token, place)
                place.bullet, place.heading = "", 0
            elif token.type in ("code_block", "fence"):
                self._plain_code(cursor, token.content)
            elif token.type == "hr":
                self.new_block(cursor, block(top=6, bottom=6), self.formats.text("faint"))
                cursor.insertText("———", self.formats.text("faint"))
            else:
                place.follow(token)

    def _plain_code(self, cursor: QTextCursor, text: str) -> None:
        for line in text.rstrip("\n").split("\n"):
            self.new_block(cursor, block(bottom=0, left=24, line_percent=128), self.formats.code("text"))
            cursor.insertText(line, self.formats.code("text"))

    def _paragraph(self, cursor: QTextCursor, token: Token, place: _Place) -> None:
        level, quoted = min(place.level, _DEEPEST), min(place.quoted, _DEEPEST)
        if place.heading:
            base = self.formats.heading(place.heading)
            made = block(top=8, bottom=6)
            made.setHeadingLevel(place.heading)
        else:
            base = self.formats.text("muted" if quoted else "text")
            made = block(
                top=0 if level else 4,
                bottom=4 if level else 8,
                left=_INDENT_PIXELS * level + 16.0 * quoted,
                indent=-15 if place.bullet else 0,
            )
        self.new_block(cursor, made, base)
        if place.bullet:
            cursor.insertText(f"{place.bullet}\u2002", base)
        self._inline(cursor, token.children or [], base)

    def _inline(self, cursor: QTextCursor, children: list[Token], base: QTextCharFormat) -> None:
        stack = [base]
        for token in children:
            kind = token.type
            if kind.endswith("_open"):
                stack.append(self._emphasised(stack[-1], kind, token))
            elif kind.endswith("_close"):
                if len(stack) > 1:
                    stack.pop()
            else:
                self._inline_text(cursor, token, stack[-1])

    def _inline_text(self, cursor: QTextCursor, token: Token, text: QTextCharFormat) -> None:
        kind = token.type
        if kind == "code_inline":
            cursor.insertText(f"{_THIN_SPACE}{token.content}{_THIN_SPACE}", self.formats.inline_code())
        elif kind == "softbreak":
            cursor.insertText(" ", text)
        elif kind == "hardbreak":
            cursor.insertText(_LINE_BREAK, text)
        elif kind == "image":  # never fetched: an answer must not reach out
            cursor.insertText(f"[image: {token.content}]", text)
        else:
            cursor.insertText(token.content, text)

    def _emphasised(self, base: QTextCharFormat, kind: str, token: Token) -> QTextCharFormat:
        made = QTextCharFormat(base)
        if kind == "strong_open":
            made.setFontWeight(600)
        elif kind == "em_open":
            made.setFontItalic(True)
        elif kind == "s_open":
            made.setFontStrikeOut(True)
        elif kind == "link_open":
            made.setForeground(self.formats.text("accent").foreground())
            made.setFontUnderline(True)
            made.setToolTip(str(token.attrs.get("href", "")))
        return made

    def _table(self, cursor: QTextCursor, text: str) -> None:
        tokens = _markdown().parse(text)
        rows = _rows(tokens)
        if not rows:
            self._prose(cursor, tokens, 0)
            return
        widths = self._column_widths(rows)
        if sum(widths) > self.table_width:
            self._tall_table(cursor, rows)
            return
        stops = [sum(widths[: index + 1]) for index in range(len(widths))]
        for number, row in enumerate(rows):
            made = block(
                top=10 if number == 0 else 3, bottom=3, left=4, role=TABLE_HEAD if number == 0 else TABLE_ROW
            )
            made.setTabPositions([QTextOption.Tab(stop, QTextOption.TabType.LeftTab) for stop in stops])
            base = self.formats.heading(4) if number == 0 else self.formats.text()
            self.new_block(cursor, made, base)
            for index, cell in enumerate(row):
                if index:
                    cursor.insertText("\t", base)
                self._inline(cursor, cell, base)

    def _tall_table(self, cursor: QTextCursor, rows: list[list[list[Any]]]) -> None:
        """Write a table that is wider than the pane: a line for each cell, behind its column's name."""
        head, *body = rows
        for row in body or [head]:
            for index, cell in enumerate(row):
                made = block(top=8 if index == 0 else 0, bottom=2, left=12)
                self.new_block(cursor, made, self.formats.text())
                if body and index < len(head):
                    self._inline(cursor, head[index], self.formats.text("muted"))
                    cursor.insertText(": ", self.formats.text("muted"))
                self._inline(cursor, cell, self.formats.text())

    def _column_widths(self, rows: list[list[list[Any]]]) -> list[float]:
        metrics = QFontMetricsF(theme.font(10.5, 600))
        widths = [0.0] * max(len(row) for row in rows)
        for row in rows:
            for index, cell in enumerate(row):
                text = "".join(token.content for token in cell)
                widths[index] = max(widths[index], metrics.horizontalAdvance(text) + _CELL_GAP)
        return widths


def _rows(tokens: list[Token]) -> list[list[list[Any]]]:
    """Return the cells of a table, each as its inline tokens; the first row is the header."""
    rows: list[list[list[Any]]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(token.children or [])
    return rows


def _dedented(text: str, indent: int) -> str:
    return re.sub(rf"^ {{0,{indent}}}", "", text, flags=re.MULTILINE)
