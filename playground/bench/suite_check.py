"""Whether a suite can be trusted: every reference must pass and every wrong solution must fail. Runs them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import msgspec

from playground.bench.judge import judge
from playground.bench.outcome import Judged, Outcome
from playground.bench.sandbox.values import Sandbox
from playground.bench.task import Suite, Task

FEWEST_CASES = 5
FEWEST_WRONG = 2


class Finding(msgspec.Struct, frozen=True):
    """One program that was run. ``program``: ``reference``, or ``wrong`` with its number from 0. ``ok``: as it must be."""

    task: str
    program: str
    ok: bool
    outcome: Outcome
    said: str
    duration_s: float


class Checkup(msgspec.Struct, frozen=True):
    """What a check found. ``advice``: what would make tasks better, one sentence each; none of it is an error."""

    findings: tuple[Finding, ...]
    advice: tuple[str, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Return the programs that did not do what they must."""
        return tuple(finding for finding in self.findings if not finding.ok)


async def check_suite(
    suite: Suite, sandbox: Sandbox, seen: Callable[[int, int], None], parallel: int = 2
) -> Checkup:
    """Run every reference and wrong solution of a suite. ``seen`` is told how many of how many are done."""
    programs = [pair for task in suite.tasks for pair in _programs(task)]
    waiting = iter(enumerate(programs))
    findings: dict[int, Finding] = {}

    async def run() -> None:
        for number, (task, name, code) in waiting:
            findings[number] = _finding(task, name, await judge(task, code, sandbox))
            seen(len(findings), len(programs))

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(run())
    found = tuple(findings[number] for number in sorted(findings))
    return Checkup(found, tuple(line for task in suite.tasks for line in _advice(task)))


def _programs(task: Task) -> Iterator[tuple[Task, str, str]]:
    yield task, "reference", task.reference
    for number, code in enumerate(task.wrong):
        yield task, f"wrong[{number}]", code


def _finding(task: Task, program: str, judged: Judged) -> Finding:
    passed = judged.outcome is Outcome.PASS
    ok = passed if program == "reference" else not passed and judged.outcome is not Outcome.NOT_RUN
    said = judged.message or f"{judged.passed} of {judged.total} tests passed"
    return Finding(task.id, program, ok, judged.outcome, said, judged.duration_s)


def _advice(task: Task) -> Iterator[str]:
    if task.cases and len(task.cases) < FEWEST_CASES:
        yield f"{task.id} has {len(task.cases)} cases; {FEWEST_CASES} or more let fewer wrong answers pass."
    if task.cases and len(task.wrong) < FEWEST_WRONG:
        yield f"{task.id} has {len(task.wrong)} wrong solutions; {FEWEST_WRONG} or more show that its tests bite."
    expected = [case.expected for case in task.cases if not case.raises]
    if expected and all(value is expected[0] for value in expected) and isinstance(expected[0], bool):
        yield f"{task.id} always expects {expected[0]}: a constant answer passes."
