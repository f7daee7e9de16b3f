"""Judges a Python program by asserts: the tests in one sandbox, the program in another, and the judge between them.

A question goes from the tests to the program and its answer back, strictly in turns: each is a message that the judge
stamps with a random id on its way to the program and passes on as data.
"""

from __future__ import annotations

from typing import Any

from playground.bench.judge_calls import check_loaded, text_of
from playground.bench.judge_tally import Tally
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
    program = Box(sandbox, Job("solution", config), task.limits)
    job = Job("asserts", {"tests": task.asserts, "entry_point": task.entry_point})
    tests = Box(sandbox, job, task.limits)
    try:
        async with opened(program, tests):
            loaded = await program.answer(_LOADED, call_s=task.limits.call_s)
            check_loaded(loaded, task)
            tests.send({"names": loaded["names"] if isinstance(loaded.get("names"), dict) else {}})
            await _between(tests, program, tally)
    except StoppedError as why:
        tally.stopped(why, "tests")
    finally:
        tally.seen(program.log, program.peak_bytes)
    if not tally.count:
        tally.problem(Outcome.ERROR, "The tests of this task test nothing.")


async def _between(tests: Box, program: Box, tally: Tally) -> None:
    while tally.count <= _MOST_CASES:
        message = await tests.receive()
        if "case" in message:
            _note(message, tally)
        elif "ask" in message:
            tests.send(_only(await program.ask(_only(message["ask"], _TO_PROGRAM)), _TO_TESTS))
        else:
            return


def _only(message: Any, keys: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    return {key: message[key] for key in keys if key in message} if isinstance(message, dict) else {}


def _note(message: dict[str, Any], tally: Tally) -> None:
    name, line = text_of(message["case"], 100), text_of(message.get("line"))
    if message.get("ok") is True:
        tally.passed(name, line)
        return
    error, last = text_of(message.get("error")), text_of(message.get("last"))
    outcome = Outcome.WRONG if message.get("kind") == "AssertionError" else Outcome.ERROR
    text = f"{name}: {line or error}" + (f", but {last}" if last else f" ({error})")
    tally.failed(outcome, text, CaseResult(name, False, line, "", last or error))
