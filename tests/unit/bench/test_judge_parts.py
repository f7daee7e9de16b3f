"""Comparing, showing and forbidding: the judge's parts that run nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.bench.judge_compare import same
from playground.bench.judge_forbid import forbidden
from playground.bench.judge_scripts import lines
from playground.bench.judge_text import log_text, shown, visible
from playground.bench.sandbox import answers
from playground.bench.sandbox.inside.wire import decode, encode
from playground.bench.task import Language, Match

NAN = float("nan")


def _came(value: object) -> object:
    return answers.value(answers.message(json.dumps({"v": encode(value)}).encode())["v"])


@pytest.mark.parametrize(
    ("expected", "got", "match", "is_same"),
    [
        (1e300, 10**300, "close", True), (1, 1, "exact", True), (1, 1.0, "exact", False), (1, 1.0, "close", True), (1.0, 1, "close", True),
        (1, True, "close", False), (True, 1, "close", False), (False, 0, "exact", False), (True, True, "exact", True),
        (None, False, "close", False), (None, None, "exact", True), (0.3, 0.1 + 0.2, "close", True),
        (0.3, 0.1 + 0.2, "exact", False), (1e12, 1e12 + 1, "close", True), (0.0, 1e-7, "close", True),
        (0.0, 1e-5, "close", False), (NAN, NAN, "exact", True), (NAN, 1.0, "close", False), (1.0, NAN, "close", False),
        (float("inf"), float("inf"), "close", True), (float("inf"), 1e308, "close", False), (1.5, 10**400, "close", False),
        ([1, 2], (1, 2), "close", True), ([1, 2], (1, 2), "exact", False), ((1, 2), [1, 2], "close", False),
        ((1, 2), (1, 2), "exact", True), ([1, [2.0]], [1, [2]], "close", True), ([1], [1, 1], "close", False),
        ("1", 1, "close", False), ("a", "a", "exact", True), (b"a", b"a", "exact", True), (b"a", "a", "close", False),
        ({1, 2}, {2, 1}, "close", True), ({1}, {True}, "close", False), ({1, 2}, {1}, "close", False),
        ({1}, [1], "close", False), ([2, 1], {1, 2}, "unordered", True), ([1, 1], {1}, "unordered", False),
        ([[1, "a"], [2, "b"]], [(2, "b"), (1, "a")], "unordered", True), ([1, 1, 2], [1, 2, 2], "unordered", False),
        ([1, 2], [2, 1], "close", False), ([0.3, 1], [1, 0.1 + 0.2], "unordered", True),
        ({"a": [1]}, {"a": [1.0]}, "close", True), ({"a": 1}, {"a": 1, "b": 2}, "close", False),
        ({"a": 1, "b": 2}, {"a": 1}, "close", False), ({1: "x"}, {True: "x"}, "close", False), ({}, {}, "exact", True),
        ({}, [], "close", False), ([], (), "close", True), ("", None, "close", False), ({}, set(), "close", False),
        ([True], [1], "unordered", False), (10**30, 10**30, "exact", True), (10**100, 10**100 + 1, "close", False),
        ({"a": {"b": (1,)}}, {"a": {"b": (1,)}}, "exact", True),
    ],
)  # fmt: skip
def test_same(expected: object, got: object, match: Match, is_same: bool) -> None:
    assert same(expected, _came(got), match) is is_same


def test_numbers_of_languages_without_integers_are_compared_by_value() -> None:
    assert same(1, 1.0, "exact", "javascript")
    assert same(1, 1.0, "exact", "sql")
    assert not same(1, True, "exact", "sql")


def test_what_is_not_data_is_equal_to_nothing() -> None:
    for value in (object(), lambda: 1, int, range(3), 1j, iter([])):
        came = _came(value)
        assert isinstance(came, answers.Opaque)
        assert not same(value, came, "close")


def test_a_key_that_comes_twice_does_not_stand_for_two() -> None:
    twice = answers.value({"d": [["a", 1], ["a", 1]]})
    assert not same({"a": 1, "b": 1}, twice, "close")
    assert not same({1, 2}, answers.value({"s": [1, 1]}), "close")
    assert not same({"a": 1}, answers.value({"d": [[["a"], 1]]}), "close")


_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=15,
)


@given(_DATA)
def test_data_comes_through_the_wall_as_it_is(value: object) -> None:
    assert same(value, _came(value), "exact")
    assert repr(decode(json.loads(json.dumps(encode(value))))) == repr(value)


@given(_DATA, _DATA)
def test_what_is_same_exactly_is_same_closely(one: object, other: object) -> None:
    if same(one, _came(other), "exact"):
        assert same(one, _came(other), "close")


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"1", b"{", b"[" * 100_000, b'{"a": ' * 50_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": NaN}', b"\xff{}",
     b'{"a": 1} {}', b'"x"', b"null"],
)  # fmt: skip
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        answers.message(line)


@pytest.mark.parametrize(
    "data",
    [{}, {"x": 1}, {"f": 1}, {"f": "one"}, {"i": "zz"}, {"b": "0"}, {"t": 1}, {"t": {"a": 1}}, {"d": [1]}, {"d": [[1]]},
     {"d": [[1, 2, 3]]}, {"f": "1", "t": []}, {"o": 1}, {"s": "ab"}, [{"q": 1}]],
)  # fmt: skip
def test_what_is_no_value_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        answers.value(data)


def test_values_nested_too_deeply_are_refused() -> None:
    data: object = 1
    for _ in range(80):
        data = [data]
    with pytest.raises(ValueError, match="deep"):
        answers.value(data)


@given(st.text())
def test_visible_text_has_no_character_that_acts(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in visible(text) + log_text(text))


def test_terminal_commands_are_taken_out_of_logs() -> None:
    assert log_text("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07\r\n") == "red link\n"


@given(_DATA)
def test_a_short_value_is_shown_as_python_writes_it(value: object) -> None:
    text = shown(_came(value))
    assert len(text) < 900
    if len(repr(value)) < 200 and repr(value).isascii() and "1e+" not in repr(value):
        assert text == repr(value)


def test_a_long_value_is_cut() -> None:
    long_ones = (
        "x" * 10**6,
        list(range(10**5)),
        {n: n for n in range(10**4)},
        1 << 10**6,
        [[["a" * 300] * 50] * 50],
    )
    for value in long_ones:
        assert 5 < len(shown(_came(value))) < 900


@pytest.mark.parametrize(
    ("code", "language", "found"),
    [
        ("x = eval('1')", "python", ("eval",)), ("import re as r", "python", ("re",)), ("from re import sub", "python", ("re",)),
        ("import os.path, re.x", "python", ("re",)), ("__import__('re')", "python", ("re",)),
        ("import importlib; importlib.import_module('re')", "python", ("re",)), ("import builtins; builtins.eval('1')", "python", ("eval",)),
        ("getattr(__builtins__, 'eval')('1')", "python", ("eval",)), ("globals()['eval']", "python", ("eval",)),
        ("__builtins__['eval']", "python", ("eval",)), ("evaluate = 1 # eval re", "python", ()), ("x = 'eval'", "python", ()),
        ("def f(:", "python", ()), ("eval(1", "python", ("eval",)), ("xs.eval()", "python", ("eval",)),
        ("eval('1')", "javascript", ("eval",)), ("// eval\nx = 1 /* eval */", "javascript", ()), ("x = 'http://a'; eval(x)", "javascript", ("eval",)),
        ("evaluate(1)", "javascript", ()), ("SELECT Eval(1) -- re", "sql", ("eval",)), ("eval ls # re", "bash", ("eval",)),
        ("# eval\necho my-eval", "bash", ()), ("echo 'a # b'; eval x", "bash", ("eval",)),
    ],
)  # fmt: skip
def test_forbidden(code: str, language: Language, found: tuple[str, ...]) -> None:
    assert forbidden(code, ("eval", "re"), language) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(x):\n    return eval(x)\n\ndef eval(x):\n    return x", ()),
        ("class P:\n    def eval(self, x):\n        return self.eval(x[1:])\n\ndef f(x):\n    return P().eval(x)", ()),
        ("def f(re):\n    return re + 1", ()),
        ("def f(re):\n    return re is 1 or '\\d'", ()),
        ("def f(xs):\n    for re in xs:\n        yield re", ()),
        ("def f(x):\n    def eval(y):\n        return eval(y) if y else x\n    return eval(x)", ()),
        ("def f(x, eval=eval):\n    return eval(x)", ("eval",)),
        ("e = eval\ndef eval(x):\n    return e(x)", ("eval",)),
        ("class P:\n    eval = eval", ("eval",)),
        ("class P:\n    def eval(self): ...\nimport builtins as b\nb.eval('1')", ("eval",)),
        ("class P:\n    def eval(self): ...\ngetattr(P, '__x')\nP.eval('1')", ("eval",)),
        ("def f(x):\n    import re\n    return re.sub('a', '', x)", ("re",)),
        ("def f(x):\n    global eval\n    return eval(x)", ("eval",)),
        ("def f(x):\n    return [eval(y) for y in x]", ("eval",)),
        ("return eval(1)", ("eval",)),
    ],
)  # fmt: skip
def test_what_a_program_defines_itself_is_not_forbidden(code: str, found: tuple[str, ...]) -> None:
    assert forbidden(code, ("eval", "re"), "python") == found


def test_lines_are_compared_without_blanks_at_their_ends() -> None:
    assert lines("a  \nb\r\n\n\n") == lines("a\nb")
    assert lines(" a") != lines("a")
    assert lines("a\n\nb") != lines("a\nb")
    assert lines("") == lines("\n")
    assert lines(None) is None
