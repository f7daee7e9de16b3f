"""Tells a model's reasoning from its answer while the text streams in. Pure state machines.

Two notations: tags around the reasoning (``<think>`` and its like), and gpt-oss's harmony channels. A tag may arrive in any
number of pieces; what may still become a tag is held back until it is decided.
"""

from __future__ import annotations

import re
from typing import Protocol

TAGS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
)
TAG_MARKS = (*(tag for pair in TAGS for tag in pair), "<|channel>")  # what may be one token of a vocabulary
HARMONY_MARKS = (
    "<|start|>",
    "<|channel|>",
    "<|message|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|constrain|>",
)
_HARMONY = re.compile("|".join(re.escape(mark) for mark in HARMONY_MARKS))

Parts = tuple[str, str]  # (answer, reasoning)


class Splitter(Protocol):
    """Takes generated text, gives answer and reasoning."""

    def feed(self, text: str) -> Parts:
        """Take more text and return what is decided."""

    def finish(self) -> Parts:
        """Return what was held back."""

    @property
    def in_answer(self) -> bool:
        """Return whether what comes next is the answer, not reasoning or marks around it."""

    @property
    def in_reasoning(self) -> bool:
        """Return whether what comes next is reasoning."""

    @property
    def may_open(self) -> bool:
        """Return whether an opening tag would begin reasoning here."""

    @property
    def closing(self) -> str:
        """Return the text that ends the reasoning and begins the answer."""


def held_back(text: str, marks: tuple[str, ...]) -> int:
    """Return how many characters at the end of a text could be the beginning of one of the marks."""
    longest = max(map(len, marks)) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks):
            return size
    return 0


class TagSplitter:
    """Reasoning between an opening and a closing tag.

    ``opened`` is the tag that the prompt already opened (Qwen3.5's template ends with ``<think>``), or None.
    White space around the reasoning belongs to neither part.
    """

    def __init__(self, opened: str | None = None) -> None:
        self._close = dict(TAGS).get(opened or "")
        self._text = ""
        self._started = False  # the current part has shown something other than white space
        self._waits_for_opening = opened is None

    @property
    def in_answer(self) -> bool:
        """Return whether the reasoning is over, or there is none."""
        return self._close is None

    @property
    def in_reasoning(self) -> bool:
        """Return whether a tag is open."""
        return self._close is not None

    @property
    def may_open(self) -> bool:
        """Return whether the answer has not begun yet."""
        return self._close is None and self._waits_for_opening and not self._started

    @property
    def closing(self) -> str:
        """Return the closing tag as the models write it."""
        return f"\n{self._close or TAGS[0][1]}\n\n"

    def feed(self, text: str) -> Parts:
        """Take more text and return what is decided."""
        self._text += text
        answer, reasoning = "", ""
        while True:
            marks = (self._close,) if self._close else tuple(tag for tag, _ in TAGS)
            found = self._first(marks)
            if found is None:
                break
            position, mark = found
            before, self._text = self._text[:position], self._text[position + len(mark) :]
            if self._close:
                reasoning += self._take(before).rstrip()
                self._close = None
            else:
                answer += self._take(before)
                self._close = dict(TAGS)[mark]
            self._started = False
        keep = self._kept(marks)
        ready, self._text = self._text[: len(self._text) - keep], self._text[len(self._text) - keep :]
        return (
            (answer, reasoning + self._take(ready))
            if self._close
            else (answer + self._take(ready), reasoning)
        )

    def finish(self) -> Parts:
        """Return what was held back."""
        rest, self._text = self._take(self._text), ""
        return ("", rest) if self._close else (rest, "")

    def _first(self, marks: tuple[str, ...]) -> tuple[int, str] | None:
        if not self._close and not self._waits_for_opening:
            return None
        places = [(self._text.find(mark), mark) for mark in marks]
        places = [place for place in places if place[0] >= 0]
        first = min(places, default=None)
        # An opening tag counts only at the very beginning of an answer: later it is text about tags.
        if first and not self._close and (self._started or self._text[: first[0]].strip()):
            self._waits_for_opening = False
            return None
        return first

    def _kept(self, marks: tuple[str, ...]) -> int:
        if self._close:
            text = self._text
            keep = held_back(text, marks)
            body = text[: len(text) - keep]
            return keep + len(body) - len(body.rstrip())  # trailing white space may precede the closing tag
        return held_back(self._text, marks) if self._waits_for_opening else 0

    def _take(self, text: str) -> str:
        if not self._started:
            text = text.lstrip()
            self._started = bool(text)
            if self._started and not self._close:
                self._waits_for_opening = False
        return text


class HarmonySplitter:
    """gpt-oss's channels: ``final`` and ``commentary`` to the user are the answer, ``analysis`` is reasoning."""

    may_open = False  # channels are marked, nothing is limited outside the answer

    def __init__(self) -> None:
        self._text = ""
        self._header = False  # between <|start|> or <|channel|> and <|message|>
        self._channel = ""
        self._words = ""

    @property
    def in_answer(self) -> bool:
        """Return whether a message to the user is open."""
        return not self._header and self._channel not in ("", "analysis")

    @property
    def in_reasoning(self) -> bool:
        """Return whether a message of the analysis channel is open."""
        return not self._header and self._channel == "analysis"

    @property
    def closing(self) -> str:
        """Return the end of this message and the beginning of the final one."""
        return "<|end|><|start|>assistant<|channel|>final<|message|>"

    def feed(self, text: str) -> Parts:
        """Take more text and return what is decided."""
        self._text += text
        answer, reasoning = "", ""
        while match := _HARMONY.search(self._text):
            a, r = self._take(self._text[: match.start()])
            answer, reasoning = answer + a, reasoning + r
            self._text = self._text[match.end() :]
            self._mark(match[0])
        keep = held_back(self._text, HARMONY_MARKS)
        ready, self._text = self._text[: len(self._text) - keep], self._text[len(self._text) - keep :]
        a, r = self._take(ready)
        return answer + a, reasoning + r

    def finish(self) -> Parts:
        """Return what was held back."""
        rest, self._text = self._text, ""
        return self._take(rest)

    def _mark(self, mark: str) -> None:
        if mark in ("<|start|>", "<|channel|>"):
            self._header, self._words = True, ""
        elif mark == "<|message|>":
            words = self._words.split()
            self._header, self._channel = False, words[0] if words else ""
        elif mark in ("<|end|>", "<|return|>", "<|call|>"):
            self._channel = ""

    def _take(self, text: str) -> Parts:
        if self._header:
            self._words += text
            return "", ""
        return ("", text) if self._channel == "analysis" else (text, "")


def splitter_for(rendered_prompt: str, *, harmony: bool) -> Splitter:
    """Return the splitter for what follows a rendered prompt."""
    if harmony:
        return HarmonySplitter()
    tail = rendered_prompt.rstrip()
    opened = next((tag for tag, _ in TAGS if tail.endswith(tag)), None)
    return TagSplitter(opened)


class PlainSplitter:
    """Everything is answer: a base model knows no reasoning, and its white space is code."""

    in_answer = True
    in_reasoning = False
    may_open = False
    closing = ""

    def feed(self, text: str) -> Parts:
        """Return the text as it is."""
        return text, ""

    def finish(self) -> Parts:
        """Return nothing: nothing is held back."""
        return "", ""
