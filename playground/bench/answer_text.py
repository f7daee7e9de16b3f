"""An answer's text before code is looked for: control characters and reasoning removed. Linear, never raises."""

from __future__ import annotations

import re
from typing import NamedTuple

from playground.engines.reasoning import TAGS

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_INVISIBLE = dict.fromkeys(
    map(ord, "\0\ufeff\u200b\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
_INVISIBLE[0xA0] = " "  # a space to every language but not to their parsers
_WORDS = "think|thinking|thought|reasoning|analysis"
_OPEN = "|".join([rf"<(?:{_WORDS})\b[^>\n]{{0,200}}>", *(re.escape(opening) for opening, _ in TAGS)])
_CLOSE = "|".join([rf"</(?:{_WORDS})[ \t]*>", *(re.escape(closing) for _, closing in TAGS)])
_MARK = re.compile(
    rf"(?P<open>^[ \t]*(?:{_OPEN}))|(?P<close>(?P<first>^[ \t]*)?(?:{_CLOSE})(?P<last>[ \t]*$)?)",
    re.MULTILINE | re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>final[^<\n]{0,100}<\|message\|>")
_ANALYSIS = "<|channel|>analysis"
_END = re.compile(
    r"<\|(?:im_end|endoftext|end|return|eot_id|end_of_text|END_OF_TURN_TOKEN)\|>|<end_of_turn>|<｜end▁of▁sentence｜>"
)
_REFUSAL = re.compile(
    r"\b(?:I(?:['’]m| am) (?:sorry|unable|not able|afraid)|I (?:can(?:no|['’])t|won['’]t|will not|must decline)|"
    r"as an AI|I apologi[sz]e)\b",
    re.IGNORECASE,
)
LONGEST_REFUSAL_CHARS = 800


class Said(NamedTuple):
    """What a model said besides its reasoning. ``only_thought``: the reasoning never ended; ``note``: for a person."""

    text: str
    only_thought: bool = False
    note: str = ""


def cleaned(text: str) -> str:
    """Return a text with plain line ends and without NULs, terminal commands and invisible marks."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)


def without_reasoning(text: str) -> Said:
    """Return the answer without what was thought aloud: blocks, what stands before a lone closing tag, channels."""
    said = _final_channel(text) if "<|channel|>" in text else Said(text)
    if said.only_thought:
        return said
    text = said.text
    if end := _END.search(text):
        text = text[: end.start()]
    parts: list[str] = []
    position, opened, note = 0, -1, said.note
    for mark in _MARK.finditer(text):
        if mark["open"] is not None:
            if opened < 0:
                opened = mark.start()
                parts.append(text[position:opened])
        elif opened >= 0:
            opened, position, note = -1, mark.end(), "its reasoning was left out"
        elif mark["first"] is not None or mark["last"] is not None:  # else it stands inside a line of code
            parts, position = [], mark.end()
            note = "what stood before a lone closing tag of reasoning was left out"
    if opened < 0:
        parts.append(text[position:])
    elif "".join(parts).strip():
        parts.append(text[opened:])  # a tag in the middle that is never closed is no reasoning
    else:
        return Said("", only_thought=True)
    return Said("".join(parts), note=note)


def is_refusal(text: str) -> bool:
    """Return whether a text without code is a short apology."""
    return len(text) <= LONGEST_REFUSAL_CHARS and _REFUSAL.search(text[:300]) is not None


def _final_channel(text: str) -> Said:
    if marks := list(_FINAL.finditer(text)):
        return Said(text[marks[-1].end() :], note="only its final channel was read")
    return Said("", only_thought=True) if text.lstrip().startswith(_ANALYSIS) else Said(text)
