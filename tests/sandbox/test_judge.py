"""The judge on honest programs, right and wrong, in every language and in real sandboxes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from playground.bench.judge import judge
from playground.bench.outcome import Judged, Outcome
from playground.bench.sandbox import Backend
from playground.bench.sandbox.probe import none
from playground.bench.task import Case, Limits, Task
from tests.support.sandboxes import BACKENDS, sandbox_of

_QUICK = Limits(time_s=6, call_s=0.5, memory_bytes=256 << 20)


def _task(language: str = "python", **more: object) -> Task:
    given: dict[str, Any] = {
        "id": "t", "title": "t", "language": language, "tier": 0, "topic": "t", "prompt": "p", "reference": "r",
        "entry_point": "f" if language in ("python", "javascript") else "", **more,
    }  # fmt: skip
    return Task(**given)


def _judged(task: Task, code: str, backend: str = "bubblewrap") -> Judged:
    return asyncio.run(judge(task, code, sandbox_of(backend)))


_DOUBLE = tuple(Case(args=(n,), expected=2 * n) for n in (1, 0, -4, 2.5))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("code", "outcome", "passed"),
    [
        ("def f(n): return n * 2", Outcome.PASS, 4),
        ("def f(n): return n + 1", Outcome.WRONG, 1),
        ("def f(n): return n * 2 if n else 1 / n", Outcome.ERROR, 3),
        ("def f(n): return bool(n)", Outcome.WRONG, 0),
        ("def f(n) return n", Outcome.ERROR, 0),
        ("def g(n): return 2 * n", Outcome.ERROR, 0),
        ("import nothing_like_it", Outcome.ERROR, 0),
        ("def f(n):\n  while True: pass", Outcome.TIMEOUT, 0),
        ("def f(n): return bytearray(1 << 40)", Outcome.LIMIT, 0),
        ("x = bytearray(1 << 40)", Outcome.LIMIT, 0),
        ("def f(n):\n  while True: print('x' * 9999)", Outcome.LIMIT, 0),
        ("\0", Outcome.ERROR, 0),
        ("def f(n): return '\ud800'", Outcome.ERROR, 0),  # a lone surrogate cannot be source text
        ("def f(n): return chr(0xD800)", Outcome.WRONG, 0),
        ("", Outcome.ERROR, 0),
    ],
)
def test_each_end_is_told_apart(code: str, outcome: Outcome, passed: int, backend: str) -> None:
    word = _judged(_task(cases=_DOUBLE, limits=_QUICK), code, backend)
    assert (word.outcome, word.passed, word.total) == (outcome, passed, 4), word
    assert bool(word.message) == (outcome is not Outcome.PASS)
    assert "\n" not in word.message
    assert word.sandbox == backend
    assert len(word.cases) == 4


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        ("while True: pass", Outcome.TIMEOUT),
        ("os._exit(1)", Outcome.ERROR),
        ("os.kill(os.getpid(), 11)", Outcome.ERROR),
    ],
)
def test_what_was_judged_before_a_crash_stays(ending: str, outcome: Outcome, backend: str) -> None:
    code = f"import os\ndef f(n):\n    if n == -4:\n        {ending}\n    return 2 * n"
    word = _judged(_task(cases=_DOUBLE, limits=_QUICK), code, backend)
    assert [case.passed for case in word.cases] == [True, True, False, False]
    assert word.outcome is outcome
    assert word.cases[3].got == "not reached"
    assert word.cases[2].got == word.message


def test_a_case_says_what_went_in_what_was_expected_and_what_came() -> None:
    task = _task(cases=(Case(args=([1, "a"], {"k": None}), expected={"x": [1.5]}, name="first"),))
    word = _judged(task, "def f(a, b):\n    print('seen')\n    return (a, b)")
    (case,) = word.cases
    assert (case.name, case.input, case.expected) == ("first", "[1, 'a'], {'k': None}", "{'x': [1.5]}")
    assert case.got == "([1, 'a'], {'k': None})"
    assert word.log == "seen\n"
    assert word.message == "first: expected {'x': [1.5]}, got ([1, 'a'], {'k': None})"
    assert word.peak_bytes > 1 << 20
    assert word.duration_s > 0


def test_what_a_program_prints_is_plain_text() -> None:
    code = "def f(n):\n    print('\\x1b[31mred\\x1b]0;t\\x07\\0\\u202e<b>')\n    return '\\x1b[2J\\0\\u202e'"
    word = _judged(_task(cases=(Case(args=(1,), expected="x"),)), code)
    assert word.log == "red\\x00\\u202e<b>\n"
    assert word.cases[0].got == "'\\x1b[2J\\x00\\u202e'"
    assert all(c.isprintable() or c in "\n\t" for c in f"{word.log}{word.message}{word.cases[0].got}")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("def f(n): raise ValueError('no')", Outcome.PASS),
        ("def f(n): return b'\\xff'.decode()", Outcome.PASS),  # UnicodeDecodeError is a ValueError
        ("def f(n): raise KeyError(n)", Outcome.WRONG),
        ("def f(n): return None", Outcome.WRONG),
        ("def f(n): return 'ValueError'", Outcome.WRONG),
    ],
)
def test_an_expected_exception(code: str, outcome: Outcome) -> None:
    assert _judged(_task(cases=(Case(args=(1,), raises="ValueError"),)), code).outcome is outcome


def test_subclasses_count_as_the_data_that_they_hold() -> None:
    task = _task(cases=(Case(args=(), expected=[{"a": 1}, ["x"], 2]),))
    code = "import collections, enum\nclass E(enum.IntEnum): A = 2\ndef f():\n    d = collections.defaultdict(int); d['a'] += 1\n    return [d, collections.namedtuple('N', 'x')('x'), E.A]"
    assert _judged(task, code).outcome is Outcome.PASS


def test_forbidden_names_are_found_before_anything_runs() -> None:
    word = _judged(_task(cases=_DOUBLE, forbid=("eval", "re")), "def f(n): return eval('2 * n')")
    assert (word.outcome, word.message) == (Outcome.FORBIDDEN, "It uses eval, which the task forbids.")


_JS = (Case(args=([3, 1],), expected=[1, 3]), Case(args=([],), expected=[]))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("function f(a) { return a.sort() }", Outcome.PASS),
        ("const f = async (a) => { console.log(a); return a.sort() }", Outcome.PASS),
        ("module.exports = { f: (a) => a.sort() }", Outcome.PASS),
        ("function f(a) { return a }", Outcome.WRONG),
        ("function f(a) { throw new Error('no') }", Outcome.ERROR),
        ("function f(a) { return", Outcome.ERROR),
        ("function g(a) {}", Outcome.ERROR),
        ("function f(a) { for (;;) ; }", Outcome.TIMEOUT),
        ("function f(a) { return new Promise(() => {}) }", Outcome.ERROR),
        (
            "function f(a) { const b = []; for (;;) b.push(new Array(1e6).fill('x' + b.length)) }",
            Outcome.LIMIT,
        ),
        ("function f(a) { process.exit(0) }", Outcome.ERROR),
        ("function f(a) { return require('fs').readFileSync('/etc/passwd', 'utf8') }", Outcome.ERROR),
        ("function f(a) { return undefined }", Outcome.WRONG),
    ],
)
def test_javascript(code: str, outcome: Outcome, backend: str) -> None:
    limits = Limits(time_s=12, call_s=1.5 if outcome is Outcome.TIMEOUT else 10, memory_bytes=256 << 20)
    word = _judged(_task("javascript", cases=_JS, limits=limits), code, backend)
    assert word.outcome is outcome, word
    assert "root:" not in repr(word)


@pytest.mark.parametrize(
    ("code", "expected", "is_right"),
    [
        ("function f() { return { b: 1, a: [true, null] } }", {"a": [True, None], "b": 1}, True),
        ("function f() { return 1 }", True, False),
        ("function f() { return '1' }", 1, False),
        ("function f() { return 0.1 + 0.2 }", 0.3, True),
        ("function f() { return new Map([['a', 1]]) }", {"a": 1}, True),
        ("function f() { return 2 ** 60 }", 2**60, True),
        ("function f() { return 10n ** 30n }", 10**30, True),
        ("function f() { return undefined }", None, False),
        ("function f() { return { a: 1, b: undefined } }", {"a": 1}, True),
        ("class P { constructor() { this.x = 1 } }\nfunction f() { return new P() }", {"x": 1}, True),
    ],
)
def test_values_of_javascript(code: str, expected: object, is_right: bool) -> None:
    word = _judged(_task("javascript", cases=(Case(expected=expected),)), code)
    assert (word.outcome is Outcome.PASS) is is_right, word


_TABLE = "CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("SELECT a, b FROM t ORDER BY a DESC", Outcome.PASS),
        ("SELECT a, b FROM t ORDER BY a DESC; -- sorted", Outcome.PASS),
        ("SELECT a, b FROM t ORDER BY a", Outcome.WRONG),
        ("SELECT * FROM u", Outcome.ERROR),
        ("DROP TABLE t", Outcome.ERROR),
        ("SELECT 1; DROP TABLE t", Outcome.ERROR),
        ("ATTACH '/etc/passwd' AS p", Outcome.ERROR),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
            Outcome.TIMEOUT,
        ),
    ],
)
def test_sql(code: str, outcome: Outcome, backend: str) -> None:
    case = Case(setup="INSERT INTO t VALUES (3, 'z');", expected=[[3, "z"], [2, None], [1, "x"]])
    assert _judged(_task("sql", setup=_TABLE, cases=(case,), limits=_QUICK), code, backend).outcome is outcome


def test_rows_in_any_order() -> None:
    case = Case(expected=[[2, None], [1, "x"]], match="unordered")
    assert _judged(_task("sql", setup=_TABLE, cases=(case,)), "SELECT * FROM t").outcome is Outcome.PASS


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ('read x; echo "$x  "; sort a.txt > b.txt', Outcome.PASS),
        ('read x; echo "$x"; cp a.txt b.txt', Outcome.WRONG),
        ("read x; echo other; sort a.txt > b.txt", Outcome.WRONG),
        ("read x; echo $x; ln -s /dev/zero b.txt", Outcome.WRONG),
        ("while :; do :; done", Outcome.TIMEOUT),
        ("yes", Outcome.LIMIT),
        ("exit 3", Outcome.WRONG),
        ("cat /etc/passwd", Outcome.WRONG),
        ("sleep 100 & exit", Outcome.TIMEOUT),
    ],
)
def test_bash(code: str, outcome: Outcome, backend: str) -> None:
    case = Case(
        stdin="hi\n", files={"a.txt": "2\n1\n", "d/c.txt": ""}, expected="hi", files_after={"b.txt": "1\n2\n"}
    )
    word = _judged(_task("bash", cases=(case,), limits=_QUICK), code, backend)
    assert word.outcome is outcome, word
    assert "root:" not in repr(word)


def test_the_reduced_sandbox_refuses_scripts_that_it_would_fail() -> None:
    task = _task("bash", cases=(Case(expected=""),))
    assert _judged(task, "touch a; chmod +x a", "landlock").outcome is Outcome.NOT_RUN
    assert _judged(task, "touch a; chmod +x a; [ -x a ] || echo no").outcome is Outcome.PASS


def test_nothing_runs_without_a_sandbox_unless_a_person_allows_it(tmp_path: Path) -> None:
    sandbox = none("there is none here", [p for p in (sandbox_of("bubblewrap").python,) if p])
    mark = tmp_path / "ran"
    task = _task(cases=(Case(args=(str(mark),), expected=1),))
    code = "def f(path):\n    open(path, 'w').close()\n    return 1"
    word = asyncio.run(judge(task, code, sandbox))
    assert (word.outcome, word.message) == (Outcome.NOT_RUN, sandbox.guarantee)
    assert "Automatic testing is off" in word.message
    assert not mark.exists()
    assert asyncio.run(judge(task, code, sandbox, unsafe=True)).outcome is Outcome.PASS
    assert mark.exists()


def test_javascript_without_node() -> None:
    sandbox = replace(sandbox_of("landlock"), node=None, node_missing="Node.js was not found.")
    word = asyncio.run(judge(_task("javascript", cases=_JS), "function f() {}", sandbox))
    assert word.outcome is Outcome.NOT_RUN
    assert word.message == "JavaScript tasks need Node.js. Node.js was not found."


@pytest.mark.parametrize("backend", [*BACKENDS, "none"])
def test_one_that_is_cancelled_has_ended_its_processes(backend: str) -> None:
    sandbox = (
        none("", [p for p in (sandbox_of("landlock").python,) if p])
        if backend == "none"
        else sandbox_of(backend)
    )
    task = _task(cases=(Case(args=(1,), expected=1),), limits=Limits(time_s=60, call_s=60, cpu_s=60))

    async def cancelled_soon() -> None:
        running = asyncio.create_task(judge(task, "def f(n):\n    while True: pass", sandbox, unsafe=True))
        await asyncio.sleep(0.4)
        assert psutil.Process().children(recursive=True)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not psutil.Process().children(recursive=True)

    asyncio.run(cancelled_soon())


def test_many_at_a_time() -> None:
    async def all_of_them() -> list[Judged]:
        tasks = [_task(cases=(Case(args=(n,), expected=n + 1),)) for n in range(12)]
        return await asyncio.gather(
            *(judge(task, "def f(n): return n + 1", sandbox_of("landlock")) for task in tasks)
        )

    assert [word.outcome for word in asyncio.run(all_of_them())] == [Outcome.PASS] * 12


def test_a_task_without_tests_and_a_program_of_absurd_length() -> None:
    assert _judged(_task(), "def f(): pass").outcome is Outcome.NOT_RUN
    assert _judged(_task(cases=_DOUBLE), "#" * (2 << 20)).outcome is Outcome.LIMIT


def test_backends_have_names_for_run_files() -> None:
    assert {sandbox_of(name).name for name in BACKENDS} | {none("", []).name} == {
        kind.value for kind in Backend
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelled_at_any_moment_nothing_is_left(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sandbox = sandbox_of(backend)

    async def cancelled_after(step: int) -> None:
        running = asyncio.create_task(judge(_task(cases=_DOUBLE), "def f(n): return n", sandbox))
        await asyncio.sleep(step * 0.002)
        running.cancel()
        await asyncio.wait({running})

    async def all_of_them() -> None:
        for step in range(24):
            await cancelled_after(step)

    asyncio.run(all_of_them())
    assert not psutil.Process().children(recursive=True)
    assert not list(tmp_path.iterdir())
