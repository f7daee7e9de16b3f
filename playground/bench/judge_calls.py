"""Judges a function by calling it: Python and JavaScript. Its arguments go in, its values come out, nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

from playground.bench.judge_compare import same
from playground.bench.judge_tally import Tally
from playground.bench.judge_text import shown, visible
from playground.bench.outcome import CaseResult, Outcome
from playground.bench.sandbox import answers
from playground.bench.sandbox.box import Box, opened
from playground.bench.sandbox.inside.wire import encode
from playground.bench.sandbox.launch import Job
from playground.bench.sandbox.values import Sandbox, Stop, StoppedError
from playground.bench.task import Case, Task

_V8_THREADS = 32
_LOADED = "loaded"


async def judge_calls(task: Task, code: str, sandbox: Sandbox, tally: Tally) -> None:
    """Load a program once, then run every case in that process; what was judged before a crash stays judged."""
    job = _python(task, code) if task.language == "python" else _javascript(task, sandbox)
    try:
        async with observed(sandbox, job, task, tally) as box:
            if task.language == "python":
                loaded = await box.answer(_LOADED, call_s=task.limits.call_s)
            else:
                loaded = await box.ask({"code": code, "entry_point": task.entry_point})
            check_loaded(loaded, task)
            for number, case in enumerate(task.cases, 1):
                await _judge_case(task, case, number, box, tally)
    except StoppedError as why:
        if tally.count < len(task.cases):
            tally.stopped(why, *_described(task.cases[tally.count], tally.count + 1))
    for number, case in list(enumerate(task.cases, 1))[tally.count :]:
        tally.not_reached(*_described(case, number))


def _python(task: Task, code: str) -> Job:
    config = {"code": code, "entry_point": task.entry_point, "hands_out": False, "id": _LOADED}
    return Job("solution", config)


def _javascript(task: Task, sandbox: Sandbox) -> Job:
    node = sandbox.node
    assert node is not None, "the judge looks for Node.js first"
    script = files("playground.bench.sandbox.inside").joinpath("functions.js").read_text("utf-8")
    heap = f"--max-old-space-size={max(task.limits.memory_bytes >> 20, 64)}"
    config = {"command": [node.path, heap, "-e", script]}
    return Job("program", config, spare_threads=_V8_THREADS, is_small=False, needs=node.needs)


@contextlib.asynccontextmanager
async def observed(sandbox: Sandbox, job: Job, task: Task, tally: Tally) -> AsyncIterator[Box]:
    """Open a box, and hand its log and its peak to the tally once it has ended."""
    box = Box(sandbox, job, task.limits)
    try:
        async with opened(box):
            yield box
    finally:
        tally.seen(box.log, box.peak_bytes)


def check_loaded(message: dict[str, Any], task: Task) -> None:
    """Raise StoppedError when a program did not load, or does not define what is called."""
    if "exc" in message:
        names, text = raised(message)
        if "MemoryError" in names:
            raise StoppedError(
                Stop.MEMORY, f"It needs more than {task.limits.memory_bytes >> 20} MiB of memory."
            )
        raise StoppedError(Stop.ENDED, f"It does not load: {names[0]}: {text}")
    if message.get("loaded") is not True:
        raise StoppedError(Stop.ENDED, f"It does not define {task.entry_point}.")


def raised(message: dict[str, Any]) -> tuple[list[str], str]:
    """Return the types, the exact one first, and the text of an exception that a process reported."""
    names = message.get("exc")
    found = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return found or ["Exception"], text_of(message.get("msg"), 300)


def text_of(said: object, longest: int = 600) -> str:
    """Return what a process said as text that is safe to show; empty when it is no text."""
    return visible(said, longest) if isinstance(said, str) else ""


async def _judge_case(task: Task, case: Case, number: int, box: Box, tally: Tally) -> None:
    answer = await box.ask({"name": task.entry_point, "args": encode(list(case.args))})
    described = _described(case, number)
    if "exc" in answer:
        _judge_exception(task, case, answer, described, tally)
        return
    try:
        value = answers.value(answer.get("ret"))
    except ValueError:
        raise StoppedError(Stop.PROTOCOL, "Its answer cannot be read.") from None
    got = shown(value)
    if not case.raises and same(case.expected, value, case.match, task.language):
        tally.passed(*described, got)
        return
    wanted = f"it should raise {case.raises}" if case.raises else f"expected {described[2]}"
    tally.failed(
        Outcome.WRONG,
        f"{described[0]}: {wanted}, got {got}",
        CaseResult(described[0], False, *described[1:], got),
    )


def _judge_exception(
    task: Task, case: Case, answer: dict[str, Any], described: tuple[str, str, str], tally: Tally
) -> None:
    names, text = raised(answer)
    got = f"raised {names[0]}: {text}"
    if case.raises and case.raises in names:
        tally.passed(*described, got)
        return
    outcome = Outcome.WRONG if case.raises else Outcome.ERROR
    if "MemoryError" in names:
        outcome, got = Outcome.LIMIT, f"needed more than {task.limits.memory_bytes >> 20} MiB of memory"
    tally.failed(outcome, f"{described[0]}: {got}", CaseResult(described[0], False, *described[1:], got))


def _described(case: Case, number: int) -> tuple[str, str, str]:
    """Return name, input and expectation of a case, safe to show."""
    given = ", ".join(shown(arg) for arg in case.args)
    expected = f"raises {case.raises}" if case.raises else shown(case.expected)
    return visible(case.name) or f"case {number}", visible(given), visible(expected)
