"""Code blocks in Markdown as models write it: unclosed, nested, indented, quoted, with tildes. Linear, never raises."""

from __future__ import annotations

import html
import re
import textwrap
from typing import NamedTuple

MOST_BLOCKS = 400
_MOST_SKIPPED = 8
_LINE = re.compile(
    r"^(?P<lead>[^\n`~]{0,400})(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]{0,200})$", re.MULTILINE
)
_PLAIN_LEAD = re.compile(r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?[ \t]*")
_INLINE = re.compile(r"```(\w{1,20})[ \t]+([^`\n]{3,2000})```|(?<!`)(`{1,3})([^`\n]{3,2000})\3(?!`)")
_HTML = re.compile(
    r"<pre\b[^>\n]{0,200}>\s*(?:<code\b[^>\n]{0,200}>)?|(</code>\s*</pre>|</pre>)", re.IGNORECASE
)
_MARKDOWN = {"markdown", "md"}


class Block(NamedTuple):
    """One block. ``tag``: its language in lower case, or nothing; ``closed``: whether its end was seen."""

    tag: str
    text: str
    closed: bool
    quotes: bool = False  # it stood in a quotation or list


class _Opened(NamedTuple):
    lead: str
    mark: str
    tag: str
    start: int


def blocks(text: str, depth: int = 0) -> list[Block]:
    """Return the blocks of a text in their order, the last ``MOST_BLOCKS`` of them."""
    found: list[Block] = []
    opened: _Opened | None = None
    skipped: list[tuple[int, int]] = []
    position = 0
    for line in _LINE.finditer(text):
        if line.start() < position:
            continue
        if opened is None:
            opened, skipped = _opening(line), []
        elif line["mark"][0] == opened.mark[0] and len(line["mark"]) >= len(opened.mark):
            if line["info"].strip() and opened.tag not in _MARKDOWN:
                continue
            end = line.start() if _is_plain(line["lead"]) else line.start("mark")
            if len(skipped) < _MOST_SKIPPED and _inside_a_text(text[opened.start : end]):
                skipped.append((end, line.end()))
                continue
            found += _made(opened, text[opened.start : end], closed=True, depth=depth)
            opened = None if not line["info"].strip() else _opening(line)
    if opened is not None and skipped:  # its texts never ended, so the first end was the end
        end, after = skipped[0]
        found += _made(opened, text[opened.start : end], closed=True, depth=depth)
        found += blocks(text[after:], depth + 1) if depth < _MOST_SKIPPED else []
    elif opened is not None:
        found += _made(opened, text[opened.start :], closed=False, depth=depth)
    return found[-MOST_BLOCKS:]


def looser_blocks(text: str) -> list[Block]:
    """Return code in HTML or in a line of text, for answers without any fence."""
    found: list[Block] = []
    start = -1
    for mark in _HTML.finditer(text):
        if mark[1] is None:
            start = mark.end()
        elif start >= 0:
            found.append(Block("", html.unescape(text[start : mark.start()]), closed=True))
            start = -1
    found += [
        Block((m[1] or "").lower(), (m[2] or m[4]).strip(), closed=True) for m in _INLINE.finditer(text)
    ]
    return found[-MOST_BLOCKS:]


def _opening(line: re.Match[str]) -> _Opened | None:
    words = line["info"].strip().lower().split()
    tag = words[0].strip("{}.:=") if words else ""
    if not _is_plain(line["lead"]) and not tag and not line["lead"].rstrip().endswith(":"):
        return None
    return _Opened(line["lead"], line["mark"], tag, min(line.end() + 1, len(line.string)))


def _is_plain(lead: str) -> bool:
    return _PLAIN_LEAD.fullmatch(lead) is not None


def _inside_a_text(code: str) -> bool:
    """Return whether code ends inside a docstring, where a fence line ends nothing."""
    return code.count('"""') % 2 == 1 or code.count("'''") % 2 == 1


def _made(opened: _Opened, body: str, *, closed: bool, depth: int) -> list[Block]:
    if opened.tag in _MARKDOWN and depth < _MOST_SKIPPED:
        return blocks(body, depth + 1) or [Block(opened.tag, body, closed)]
    lead = opened.lead if _is_plain(opened.lead) else ""
    if ">" in lead:
        body = re.sub(r"^[ \t]*(?:>[ \t]?)+", "", body, flags=re.MULTILINE)
    elif lead:
        width = len(lead.expandtabs(4))
        body = re.sub(rf"^ {{1,{min(width, 64)}}}", "", body.expandtabs(4), flags=re.MULTILINE)
    return [Block(opened.tag, body, closed, quotes=bool(lead.strip()))]


def dedented(code: str) -> str:
    """Return code moved to the left margin, blank lines around it removed."""
    return textwrap.dedent(code).strip("\n")
