"""Says whether what came out of a sandbox is what a task expects. Trusts nothing of what came.

``exact``: the same types and the same numbers. ``close``: floats within 1e-6, an integer is as good as a whole float,
and a tuple is as good as the list that a data file can express. ``unordered``: as close, the order of the outermost
items does not count. A bool is never a number; NaN is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.bench.sandbox.answers import Members, Pairs
from playground.bench.task import Language, Match

_ABSOLUTE, _RELATIVE = 1e-6, 1e-7
_MOST_PAIRED = 2000  # items that are matched one by one where their order does not count


def same(expected: object, got: object, match: Match, language: Language = "python") -> bool:
    """Return whether a value is as expected. ``got`` is what ``answers.value`` returned."""
    rules = _Rules(match == "exact", language == "python")
    if match == "unordered" and isinstance(expected, (list, tuple)):
        items = got.items if isinstance(got, Members) else got
        return isinstance(items, (list, tuple)) and rules.same_bag(expected, items)
    return rules.same(expected, got)


class _Rules:
    def __init__(self, is_exact: bool, has_integers: bool) -> None:
        self._is_exact, self._has_integers = is_exact, has_integers

    def same(self, expected: object, got: object) -> bool:
        if isinstance(expected, bool) or isinstance(got, bool):
            return expected is got
        if isinstance(expected, (int, float)):
            return isinstance(got, (int, float)) and self._same_number(expected, got)
        if isinstance(expected, (list, tuple)):
            return self._same_sequence(expected, got)
        if isinstance(expected, (set, frozenset)):
            return isinstance(got, Members) and self.same_bag(list(expected), got.items)
        if isinstance(expected, dict):
            return isinstance(got, Pairs) and self._same_dict(expected, got)
        return type(expected) is type(got) and expected == got

    def _same_number(self, expected: float, got: float) -> bool:
        if self._is_exact and self._has_integers and type(expected) is not type(got):
            return False
        if isinstance(expected, int) and isinstance(got, int):
            return expected == got
        if expected != expected or got != got:
            return expected != expected and got != got
        if self._is_exact:
            return expected == got
        try:
            return math.isclose(expected, got, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
        except OverflowError:  # an integer beyond any float
            return False

    def _same_sequence(self, expected: Sequence[object], got: object) -> bool:
        allowed = (list, tuple) if isinstance(expected, list) and not self._is_exact else (type(expected),)
        if not isinstance(got, allowed) or not isinstance(got, (list, tuple)):
            return False
        return len(expected) == len(got) and all(map(self.same, expected, got))

    def _same_dict(self, expected: dict[object, object], got: Pairs) -> bool:
        """Look the stranger's keys up among ours, each at most once; theirs are never put into a table."""
        ours = {key: (key, item) for key, item in expected.items()}
        if len(got.items) != len(ours):
            return False
        for key, item in got.items:
            try:
                found = ours.pop(key, None)
            except TypeError:
                return False
            if found is None or type(found[0]) is not type(key) or not self.same(found[1], item):
                return False
        return True

    def same_bag(self, expected: Sequence[object], got: Sequence[object]) -> bool:
        """Return whether two sequences hold the same items in any order."""
        if len(expected) != len(got):
            return False
        if all(map(self.same, expected, got)):
            return True
        if len(expected) > _MOST_PAIRED:
            ours, theirs = (sorted(map(repr, items)) for items in (expected, got))
            return ours == theirs
        left = list(got)
        for item in expected:
            found = next((n for n, other in enumerate(left) if self.same(item, other)), None)
            if found is None:
                return False
            del left[found]
        return True
