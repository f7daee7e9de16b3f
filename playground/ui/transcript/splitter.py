"""Cuts streamed Markdown into blocks, each decided once. No Qt, no Markdown library.

The open block stays bounded: a paragraph above ``LIMIT`` characters is cut at a sentence end, a table after
``TABLE_ROWS`` rows, a code line at ``LIMIT``. Where to cut depends on the text before it only, so the blocks do
not depend on how the text was chunked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "paragraph", "item", "table"]
LIMIT = 1600
TABLE_ROWS = 100
_SHORTEST_CUT = 200
_FENCE = re.compile(r"^( {0,12})(`{3,}|~{3,})\s*([^\s`{]*)[^`]*$")
_ITEM = re.compile(r"^( *)(?:[-*+]|\d{1,9}[.)])\s+")
_SINGLE = re.compile(r"^ {0,3}(?:#{1,6}(?:\s|$)|([-*_])( *\1){2,} *$)")
_SENTENCE_ENDS = (". ", "! ", "? ", ": ")


@dataclass(frozen=True, slots=True)
class Opened:
    """A code block has begun."""

    language: str


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line of the open code block."""

    text: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A block is final. ``text`` is empty for code, whose lines came one by one."""

    kind: Kind
    text: str
    indent: int = 0


Op = Opened | Line | Closed


class Splitter:
    """An append-only state machine. ``kind``, ``text`` and ``partial`` describe the block that is still open."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self.text = ""  # whole lines of the open block, code excepted
        self.partial = ""  # the last line, incomplete
        self.indent = 0
        self._fence = ""
        self._rows = 0

    @property
    def in_code(self) -> bool:
        """Return whether a code block is open."""
        return bool(self._fence)

    def feed(self, chunk: str) -> list[Op]:
        """Take more text and return what is decided by it."""
        ops: list[Op] = []
        for piece in re.split(r"(?<=\n)", chunk):
            self.partial += piece.rstrip("\n")
            self._cut_overlong(ops)
            if piece.endswith("\n"):
                line, self.partial = self.partial.rstrip("\r"), ""
                self._line(line, ops)
        return ops

    def finish(self) -> list[Op]:
        """Close everything at the end of the text."""
        ops: list[Op] = []
        if self.partial:
            line, self.partial = self.partial.rstrip("\r"), ""
            self._line(line, ops)
        self._close(ops)
        self._fence = ""
        return ops

    def _line(self, line: str, ops: list[Op]) -> None:
        if self._fence:
            self._code_line(line, ops)
        elif match := _FENCE.match(line):
            self._close(ops)
            self._fence, self.kind, self.indent = match[2], "code", len(match[1])
            ops.append(Opened(match[3]))
        elif not line.strip():
            self._close(ops)
        elif _SINGLE.match(line):
            self._close(ops)
            ops.append(Closed("paragraph", f"{line}\n"))
        else:
            self._text_line(line, ops)

    def _code_line(self, line: str, ops: list[Op]) -> None:
        mark = line.strip()
        if len(mark) >= len(self._fence) and not mark.strip(self._fence[0]):
            self._fence = ""
            self._close(ops)
            return
        head = line[: self.indent]
        ops.append(Line(line[self.indent :] if head.isspace() else line))

    def _text_line(self, line: str, ops: list[Op]) -> None:
        if match := _ITEM.match(line):
            self._close(ops)
            self.kind, self.indent = "item", len(match[1])
        elif self.kind is None:
            self.kind = "table" if line.lstrip().startswith("|") else "paragraph"
        self.text += f"{line}\n"
        if self.kind == "table":
            self._bound_table(ops)

    def _bound_table(self, ops: list[Op]) -> None:
        self._rows += 1
        if self._rows < TABLE_ROWS:
            return
        head = "".join(self.text.splitlines(keepends=True)[:2])
        ops.append(Closed("table", self.text))
        self.text, self._rows = head, 2

    def _close(self, ops: list[Op]) -> None:
        if self.kind is not None:
            ops.append(Closed(self.kind, self.text, self.indent))
        self.kind, self.text, self.indent, self._rows = None, "", 0, 0

    def _cut_overlong(self, ops: list[Op]) -> None:
        while self._fence and len(self.partial) > LIMIT:
            ops.append(Line(self.partial[:LIMIT]))
            self.partial = self.partial[LIMIT:]
        while not self._fence and self.kind != "table" and len(self.text) + len(self.partial) > LIMIT:
            whole = self.text + self.partial
            if self.kind is None and whole.lstrip().startswith("|") and len(whole) <= 4 * LIMIT:
                return
            cut = _cut_position(whole)
            kind: Kind = "item" if self.kind == "item" else "paragraph"
            ops.append(Closed(kind, whole[:cut], self.indent))
            rest = whole[cut:].lstrip(" ")
            self.text, newline, self.partial = rest.rpartition("\n")
            self.text += newline
            self.kind = "paragraph" if self.text else None
            self.indent = 0


def _cut_position(text: str) -> int:
    """Return where to cut, looking at the first ``LIMIT`` characters only."""
    end = LIMIT
    while True:
        end = max(text.rfind(mark, 0, end) for mark in _SENTENCE_ENDS)
        if end <= _SHORTEST_CUT:
            break
        head = text[: end + 1]
        if head.count("`") % 2 == 0 and head.count("**") % 2 == 0 and head.count("[") == head.count("]"):
            return end + 1
    space = text.rfind(" ", 0, LIMIT)
    return space if space >= _SHORTEST_CUT else LIMIT
