"""Python asserts: the tests in one sandbox, the program in another."""

from __future__ import annotations

import asyncio

import pytest

from playground.bench.judge import judge
from playground.bench.outcome import Judged, Outcome
from playground.bench.task import Limits, Task
from tests.support.sandboxes import BACKENDS, sandbox_of

_STACK = """
class Stack:
    def __init__(self, *items): self.items = list(items); self.size = len(items)
    def push(self, x): self.items.append(x); return self
    def pop(self):
        if not self.items: raise IndexError("empty")
        return self.items.pop()
    def __len__(self): return len(self.items)
    def __eq__(self, other): return self.items == other.items
    def __iter__(self): return iter(self.items)
    def __getitem__(self, n): return self.items[n]
LIMIT = 3
def sort_in_place(xs): xs.sort()
def apply(f, *xs): return [f(x) for x in xs]
def count():
    n = 0
    while True: yield n; n += 1
def tree(): return {"a": (1, 2.5), "b": {3, 4}, None: b"x"}
def fail(kind): raise kind("no")
class Own(Exception): pass
def own(): raise Own("mine")
"""
_TESTS = """
from solution import Stack, LIMIT
import solution
s = Stack()
s.push(1).push((2, 3))
assert len(s) == 2
assert s.pop() == (2, 3)
assert s.items == [1] and s.size == 0 and s.size < 1 and s.size + 1 == 1
assert list(s) == [1] and s[0] == 1 and 1 in s and 7 not in s
assert Stack(1) == s and Stack(2) != s
s.pop()
try:
    s.pop()
    assert False, "no exception"
except IndexError as error:
    assert str(error) == "empty"
assert LIMIT == 3 and solution.LIMIT == 3
xs = [3, 1, 2]
sort_in_place(xs)
assert xs == [1, 2, 3]
assert apply(lambda x: x + 1, 1, 2) == [2, 3]
assert apply(lambda s: len(s), Stack(1, 2)) == [2]
g = count()
assert [next(g), next(g)] == [0, 1]
assert tree() == {"a": (1, 2.5), "b": {3, 4}, None: b"x"}
def test_own():
    try:
        solution.own()
    except Exception as error:
        assert "mine" in str(error)
    else:
        raise AssertionError
"""


def _judged(tests: str, code: str, entry_point: str = "f", backend: str = "bubblewrap") -> Judged:
    task = Task(
        id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point=entry_point,
        asserts=tests, limits=Limits(time_s=2.5, call_s=0.5),
    )  # fmt: skip
    return asyncio.run(judge(task, code, sandbox_of(backend)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_objects_exceptions_callbacks_and_arguments_changed_in_place(backend: str) -> None:
    word = _judged(_TESTS, _STACK, "Stack", backend)
    assert word.outcome is Outcome.PASS, word
    assert word.passed == word.total == len(word.cases) > 12


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.items.append(x)", "self.items.insert(0, x)"),
        ("xs.sort()", "xs.reverse()"),
        ("[f(x) for x in xs]", "list(xs)"),
        ('raise IndexError("empty")', "return None"),
        ("yield n; n += 1", "yield n; n += 2"),
        ('"b": {3, 4}', '"b": [3, 4]'),
        ("LIMIT = 3", "LIMIT = 4"),
    ],
)
def test_a_fault_is_found(old: str, new: str) -> None:
    assert old in _STACK
    word = _judged(_TESTS, _STACK.replace(old, new), "Stack")
    assert word.outcome in (Outcome.WRONG, Outcome.ERROR), word
    assert 0 < word.passed < word.total


def test_the_failing_assert_and_the_last_call_are_shown() -> None:
    word = _judged("assert f(1) == 1\nassert f(2) == 5\nassert f(3) == 3", "def f(x): return x")
    assert [case.passed for case in word.cases] == [True, False, True]
    assert word.cases[1].name == "line 2"
    assert word.cases[1].input == "assert f(2) == 5"
    assert word.cases[1].got == "f(2) -> 2"
    assert word.message == "line 2: assert f(2) == 5, but f(2) -> 2"


@pytest.mark.parametrize("call", ["", "\ncheck(f)\n"])
def test_check_is_called_once_by_itself_or_by_us(call: str) -> None:
    tests = f"calls = []\ndef check(candidate):\n    calls.append(1)\n    assert len(calls) == 1\n    assert candidate(2) == 4\n{call}"
    assert _judged(tests, "def f(x): return 2 * x").outcome is Outcome.PASS
    assert _judged(tests, "def f(x): return x").outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("tests", "code", "outcome"),
    [
        ("assert f(1) == 1", "def f(x):\n    while True: pass", Outcome.TIMEOUT),
        ("assert f(1) == 1", "def f(x): return 'x' * (9 << 20)", Outcome.LIMIT),
        ("assert f(1) == 1", "def f(x): return 1 / 0", Outcome.ERROR),
        ("assert f(1) == 1", "def f(x) return", Outcome.ERROR),
        ("assert f(1) == 1", "f = 1", Outcome.ERROR),
        ("assert f(1) == 1", "import os\ndef f(x): os._exit(0)", Outcome.ERROR),
        ("x = 1", "def f(x): return 1", Outcome.ERROR),
        ("assert f(1", "def f(x): return 1", Outcome.ERROR),
        ("while True: pass", "def f(x): return 1", Outcome.TIMEOUT),
        ("assert f(1) == 1\nimport os; os._exit(0)", "def f(x): return 1", Outcome.ERROR),
        ("assert f(1) == 1", "def f(x): return 1", Outcome.PASS),
    ],
)
def test_each_end_is_told_apart(tests: str, code: str, outcome: Outcome) -> None:
    word = _judged(tests, code)
    assert word.outcome is outcome, word
    assert bool(word.message) == (outcome is not Outcome.PASS)
