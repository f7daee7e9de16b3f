"""Judges a Python program by asserts: the tests in one sandbox, the program in another, and the judge between them.

A question goes from the tests to the program and its answer back, strictly in turns: each is a message that the judge
stamps with a random id on its way to the program and passes on as data.
"""

from __future__ import annotations

from typing import Any

from playground.bench.judge_calls import check_loaded, observed
from playground.bench.judge_tally import Tally
from playground.bench.judge_text import visible
from playground.bench.outcome import CaseResult, Outcome
from playground.bench.sandbox.box import Box, opened
from playground.bench.sandbox.launch import Job
from playground.bench.sandbox.values import Sandbox, StoppedError
from playground.bench.task import Task

_LOADED = "loaded"
_TO_PROGRAM = ("name", "h", "path", "args", "named", "list", "changes", "ret", "exc", "msg")
_TO_TESTS = ("ret", "exc", "msg", "args", "back", "named")
_MOST_CASES = 1000


async def judge_asserts(task: Task, code: str, sandbox: Sandbox, tally: Tally) -> None:
    """Run a task's asserts against a program."""
    config = {"code": code, "entry_point": task.entry_point, "hands_out": True, "id": _LOADED}
    try:
        async with observed(sandbox, Job("solution", config), task, tally) as program:
            loaded = await program.answer(_LOADED, call_s=task.limits.call_s)
            check_loaded(loaded, task)
            names = loaded["names"] if isinstance(loaded.get("names"), dict) else {}
            job = Job("asserts", {"tests": task.asserts, "names": names, "entry_point": task.entry_point})
            await _between(Box(sandbox, job, task.limits), program, tally)
    except StoppedError as why:
        tally.stopped(why, "tests")
    if not tally.count:
        tally.problem(Outcome.ERROR, "The tests of this task test nothing.")


async def _between(box: Box, program: Box, tally: Tally) -> None:
    async with opened(box) as tests:
        while True:
            message = await tests.receive()
            if "case" in message:
                _note(message, tally)
            elif "ask" in message:
                tests.send(_only(await program.ask(_only(message["ask"], _TO_PROGRAM)), _TO_TESTS))
            if "done" in message or tally.count > _MOST_CASES:
                return


def _only(message: Any, keys: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    return {key: message[key] for key in keys if key in message} if isinstance(message, dict) else {}


def _note(message: dict[str, Any], tally: Tally) -> None:
    name, line = visible(str(message["case"]), 100), visible(str(message.get("line", "")))
    if message.get("ok") is True:
        tally.passed(name, line)
        return
    error, last = visible(str(message.get("error", ""))), visible(str(message.get("last", "")))
    outcome = Outcome.WRONG if message.get("kind") == "AssertionError" else Outcome.ERROR
    text = f"{name}: {line or error}" + (f", but {last}" if last else f" ({error})")
    tally.failed(outcome, text, CaseResult(name, False, line, "", last or error))  # noqa: FBT003
