"""How two programs differ: lines that stay level side by side, or in one column; in changed lines the words. Pure.

Programs are strangers' texts of any length: what would take too long is compared less finely, never not at all.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_LINES = 3000
_LONGEST_LINE = 500
_MOST_PAIRED = 40  # lines of one change that are paired by likeness
_ALIKE = 0.5
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
Span = tuple[int, int]
How = Literal["", "part", "all"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one program. ``number`` None: a gap, so that the others stay level. ``how``: what of it has changed."""

    number: int | None
    spans: tuple[Span, ...] = ()
    how: How = ""


@dataclass(frozen=True, slots=True)
class Unified:
    """A line of both programs in one column; ``side``: 0 or 1 for a line that only one has, None for one of both."""

    side: int | None
    numbers: tuple[int | None, int | None]
    spans: tuple[Span, ...] = ()
    how: How = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """Both programs' lines. Numbers count from 0."""

    left: tuple[Line, ...]
    right: tuple[Line, ...]
    unified: tuple[Unified, ...]
    changed: int
    only_left: int
    only_right: int

    @property
    def is_same(self) -> bool:
        """Return whether nothing differs."""
        return not (self.changed or self.only_left or self.only_right)


def lines_of(code: str) -> list[str]:
    """Return a program's lines as they are shown and compared; a long program is cut."""
    found = code.rstrip("\n").split("\n") if code.strip("\n") else []
    return found[:MOST_LINES]


def diff(left: str, right: str) -> Diff:
    """Return how two programs differ."""
    one, other = lines_of(left), lines_of(right)
    rows: list[tuple[Line, Line]] = []
    for op, i, j, k, m in difflib.SequenceMatcher(
        None, one, other, autojunk=len(one) + len(other) > 1000
    ).get_opcodes():
        if op == "equal":
            rows += [(Line(x), Line(y)) for x, y in zip(range(i, j), range(k, m), strict=True)]
        else:
            rows += _change(one, other, (i, j), (k, m))
    return Diff(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(_unified(rows)),
        changed=sum(row[0].how == "part" for row in rows),
        only_left=sum(row[0].how == "all" for row in rows),
        only_right=sum(row[1].how == "all" for row in rows),
    )


def alone(code: str) -> tuple[Line, ...]:
    """Return one program's lines with nothing to compare them to."""
    return tuple(Line(number) for number in range(len(lines_of(code))))


def _change(one: Sequence[str], other: Sequence[str], left: Span, right: Span) -> list[tuple[Line, Line]]:
    pairs = _pairs(one, other, left, right)
    rows: list[tuple[Line, Line]] = []
    y = right[0]
    for x in range(*left):
        if x not in pairs:
            rows.append((Line(x, how="all"), Line(None)))
            continue
        while y < pairs[x]:
            rows.append((Line(None), Line(y, how="all")))
            y += 1
        spans = word_spans(one[x], other[y])
        rows.append((Line(x, spans[0], "part"), Line(y, spans[1], "part")))
        y += 1
    rows += [(Line(None), Line(rest, how="all")) for rest in range(y, right[1])]
    return rows


def _pairs(one: Sequence[str], other: Sequence[str], left: Span, right: Span) -> dict[int, int]:
    """Return which lines of a change are each other's, in order: the likest first come, none crosses another."""
    if left[1] - left[0] > _MOST_PAIRED or right[1] - right[0] > _MOST_PAIRED:
        return {}
    pairs: dict[int, int] = {}
    y = right[0]
    for x in range(*left):
        ratios = [(_likeness(one[x], other[each]), -each) for each in range(y, right[1])]
        best, place = max(ratios, default=(0.0, 0))
        if best > _ALIKE:
            pairs[x] = -place
            y = -place + 1
    return pairs


def _likeness(one: str, other: str) -> float:
    if not one.strip() or not other.strip() or max(len(one), len(other)) > _LONGEST_LINE:
        return 0.0
    return difflib.SequenceMatcher(None, one.strip(), other.strip(), autojunk=False).ratio()


def word_spans(one: str, other: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the characters that differ, word by word, in two lines."""
    if max(len(one), len(other)) > _LONGEST_LINE:
        return ((0, len(one)),), ((0, len(other)),)
    words = _WORDS.findall(one), _WORDS.findall(other)
    places = _places(words[0]), _places(words[1])
    found: tuple[list[Span], list[Span]] = ([], [])
    for op, i, j, k, m in difflib.SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        if j > i:
            found[0].append((places[0][i], places[0][j]))
        if m > k:
            found[1].append((places[1][k], places[1][m]))
    return tuple(found[0]), tuple(found[1])


def _places(words: Sequence[str]) -> list[int]:
    places = [0]
    for word in words:
        places.append(places[-1] + len(word))
    return places


def _unified(rows: Sequence[tuple[Line, Line]]) -> list[Unified]:
    """Return all lines in one column: of each change, first the left one's lines, then the right one's."""
    found: list[Unified] = []
    later: list[Unified] = []
    for left, right in rows:
        if not left.how and not right.how:
            found += [*later, Unified(None, (left.number, right.number))]
            later = []
            continue
        if left.number is not None:
            found.append(Unified(0, (left.number, None), left.spans, left.how))
        if right.number is not None:
            later.append(Unified(1, (None, right.number), right.spans, right.how))
    return [*found, *later]


def words(found: Diff) -> str:
    """Return what differs, in words; A is the left one, B the right one."""
    if found.is_same:
        return "Both wrote the same program."
    parts = []
    if found.changed:
        parts.append(f"{found.changed} line{'s' * (found.changed != 1)} changed")
    for number, name in ((found.only_left, "A"), (found.only_right, "B")):
        if number:
            parts.append(f"{number} only in {name}")
    return f"{', '.join(parts)}."
