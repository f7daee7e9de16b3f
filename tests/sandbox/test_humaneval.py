"""HumanEval in the sandbox: every reference passes, and none of as many broken ones; the backends share the tasks."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from playground.bench import suites
from playground.bench.judge import judge
from playground.bench.outcome import Judged, Outcome
from playground.bench.sandbox import Sandbox
from playground.bench.task import Task
from tests.support.sandboxes import BACKENDS, sandbox_of

# Another value of the same kind, whatever the right one is: it has to be found by the tests, not by a crash.
_BREAK = """

def _another(value):
    if isinstance(value, bool): return not value
    if isinstance(value, (int, float)): return value + 1
    if isinstance(value, str): return value + "x"
    if isinstance(value, list): return value + [0]
    if isinstance(value, tuple): return (*value[:-1], _another(value[-1])) if value else (0,)
    if isinstance(value, dict): return {**value, "x": 0}
    return 0 if value is None else None

_right = ENTRY
def ENTRY(*args):
    return _another(_right(*args))
"""


async def _judged(programs: dict[str, tuple[Task, str]], sandbox: Sandbox) -> dict[str, Judged]:
    turns = asyncio.Semaphore(3)

    async def one(task: Task, code: str) -> Judged:
        async with turns:
            return await judge(task, code, sandbox)

    found = await asyncio.gather(*(one(*program) for program in programs.values()))
    return dict(zip(programs, found, strict=True))


@pytest.mark.parametrize("number", range(len(BACKENDS)))
def test_every_reference_passes(number: int) -> None:
    tasks = suites.load("humaneval").tasks
    assert len(tasks) == 164
    programs = {task.id: (task, task.reference) for task in tasks[number :: len(BACKENDS)]}
    found = asyncio.run(_judged(programs, sandbox_of(BACKENDS[number])))
    assert len(found) == 164 // len(BACKENDS)
    assert {name: word.message for name, word in found.items() if word.outcome is not Outcome.PASS} == {}


def test_no_broken_one_passes() -> None:
    tasks = suites.load("humaneval").tasks
    programs = {task.id: (task, task.reference + _BREAK.replace("ENTRY", task.entry_point)) for task in tasks}
    found = asyncio.run(_judged(programs, sandbox_of("bubblewrap")))
    outcomes = Counter(word.outcome for word in found.values())
    assert outcomes[Outcome.PASS] == 0
    assert outcomes[Outcome.WRONG] >= 155, outcomes
    assert sum(outcomes.values()) == 164
