"""The first words of a model's card: plain text from Markdown that anybody may have written. Sends nothing.

All patterns are bounded, so that no text takes longer than its length suggests.
"""

from __future__ import annotations

import html
import re

from playground.errors import one_line

READ_BYTES = 48 << 10  # front matter with many results can be long
LONGEST_CHARS = 300
_SHORTEST_CHARS = 40
_FENCE = ("```", "~~~")
_NO_PROSE = re.compile(r"\s*(?:#|\||[-*_=]{3,}\s*$|[-*+]\s|\d{1,3}[.)]\s)")
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\](?:\([^()\n]{0,2000}\)|\[[^\[\]]{0,200}\])")
_LINK = re.compile(r"\[([^\[\]]{0,500})\](?:\([^()\n]{0,2000}\)|\[[^\[\]]{0,200}\])")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,3000}>")
_BREAK = re.compile(
    r"</?(?:p|div|br|h[1-6]|li|ul|ol|table|tr|details|summary|center)\b[^<>]{0,3000}>", re.IGNORECASE
)
_MARKS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)|`{1,3}|^\s{0,3}>\s?", re.MULTILINE)


def summary(card: str) -> str:
    """Return the first paragraph of prose as one line of at most 300 characters, empty where there is none."""
    text = _without_comments(_without_front_matter(card.replace("\r\n", "\n")))
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _TAG.sub("", _BREAK.sub("\n\n", _without_blocks(text)))
    for paragraph in re.split(r"\n[ \t]*\n", text):
        prose = [line for line in paragraph.splitlines() if not _NO_PROSE.match(line)]
        found = one_line(html.unescape(_MARKS.sub("", "\n".join(prose))), LONGEST_CHARS)
        if len(found) >= _SHORTEST_CHARS:
            return found
    return ""


def _without_front_matter(text: str) -> str:
    text = text.lstrip("\ufeff\n ")
    if not text.startswith("---\n"):
        return text
    end = text.find("\n---", 3)
    return text[end + 4 :] if end >= 0 else ""


def _without_comments(text: str) -> str:
    kept, start = [], 0
    while (begin := text.find("<!--", start)) >= 0:
        kept.append(text[start:begin])
        end = text.find("-->", begin)
        if end < 0:
            return "".join(kept)
        start = end + 3
    return "".join([*kept, text[start:]])


def _without_blocks(text: str) -> str:
    """Leave out fenced code."""
    kept, is_code = [], False
    for line in text.split("\n"):
        if line.lstrip().startswith(_FENCE):
            is_code = not is_code
            kept.append("")
        elif not is_code:
            kept.append(line)
    return "\n".join(kept)
