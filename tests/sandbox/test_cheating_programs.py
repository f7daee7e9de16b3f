"""Programs that only pretend: none of them passes, in no backend, by cases or by asserts."""

from __future__ import annotations

import asyncio

import pytest

from playground.bench.judge import judge
from playground.bench.outcome import Judged, Outcome
from playground.bench.sandbox import Sandbox
from playground.bench.task import Case, Limits, Task
from tests.support.cheating_programs import PROGRAMS
from tests.support.sandboxes import BACKENDS, sandbox_of

_INPUTS = (2, 7, -3, 10, 0)
_LIMITS = Limits(time_s=6, call_s=3)
_BY_CASES = Task(
    id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point="solve",
    cases=tuple(Case(args=(x,), expected=x * x + 1) for x in _INPUTS), limits=_LIMITS,
)  # fmt: skip
_LOOP = "for x, want in [(2, 5), (7, 50), (-3, 10)]:\n    assert solve(x) == want\n"
_IN_ITERATORS = "for got, want in zip(map(solve, [2, 7]), [5, 50]):\n    assert got == want\n"
_BY_ASSERTS = Task(
    id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point="solve",
    asserts="".join(f"assert solve({x}) == {x * x + 1}\n" for x in _INPUTS) + _LOOP + _IN_ITERATORS, limits=_LIMITS,
)  # fmt: skip
_BY_CHECK = Task(
    id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point="solve",
    asserts="def check(candidate):\n"
    + "".join(f"    assert abs(candidate({x}) - {x * x + 1}) < 1e-6\n" for x in _INPUTS)
    + "    assert candidate(2) in [5]\n    assert not candidate(2) != 5\n"
    + "def test_more():\n    from solution import solve as s\n    assert s(4) == 17\n",
    limits=_LIMITS,
)  # fmt: skip
_TASKS = {"cases": _BY_CASES, "asserts": _BY_ASSERTS, "check": _BY_CHECK}


async def _all(task: Task, sandbox: Sandbox) -> dict[str, Judged]:
    turns = asyncio.Semaphore(4)

    async def one(code: str) -> Judged:
        async with turns:
            return await judge(task, code, sandbox)

    return dict(zip(PROGRAMS, await asyncio.gather(*map(one, PROGRAMS.values())), strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mode", _TASKS)
def test_no_cheating_program_passes(backend: str, mode: str) -> None:
    judged = asyncio.run(_all(_TASKS[mode], sandbox_of(backend)))
    assert len(judged) >= 20
    assert not [name for name, word in judged.items() if word.outcome is Outcome.PASS]
    assert not [name for name, word in judged.items() if not word.message]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mode", _TASKS)
def test_an_honest_program_passes(backend: str, mode: str) -> None:
    word = asyncio.run(judge(_TASKS[mode], "def solve(x):\n    return x * x + 1", sandbox_of(backend)))
    assert word.outcome is Outcome.PASS, word
    assert word.passed == word.total > 0
    assert word.sandbox == backend
