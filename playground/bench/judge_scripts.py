"""Judges SQL queries by their rows, and Bash scripts by what they print and leave behind."""

from __future__ import annotations

import secrets
from typing import Any

from playground.bench.judge_calls import observed, raised
from playground.bench.judge_compare import same
from playground.bench.judge_tally import Tally
from playground.bench.judge_text import shown, visible
from playground.bench.outcome import CaseResult, Outcome
from playground.bench.sandbox import answers
from playground.bench.sandbox.launch import Job
from playground.bench.sandbox.values import Sandbox, Stop, StoppedError
from playground.bench.task import Case, Task

_SHELL_THREADS = 20


async def judge_sql(task: Task, code: str, sandbox: Sandbox, tally: Tally) -> None:
    """Run a query on each case's tables."""
    try:
        async with observed(sandbox, Job("query", {"code": code}), task, tally) as box:
            for number, case in enumerate(task.cases, 1):
                answer = await box.ask({"setup": f"{task.setup}\n;{case.setup}"})
                _judge_rows(case, number, answer, tally, task.limits.memory_bytes)
    except StoppedError as why:
        if tally.count < len(task.cases):
            tally.stopped(why, *_rows_described(task.cases[tally.count], tally.count + 1))
    for number, case in list(enumerate(task.cases, 1))[tally.count :]:
        tally.not_reached(*_rows_described(case, number))


def _judge_rows(case: Case, number: int, answer: dict[str, Any], tally: Tally, limit_bytes: int) -> None:
    described = _rows_described(case, number)
    name, given, expected = described
    if "exc" in answer:
        names, text = raised(answer)
        got, outcome = f"{names[0]}: {text}", Outcome.ERROR
        if "MemoryError" in names:
            outcome, got = Outcome.LIMIT, f"needed more than {limit_bytes >> 20} MiB of memory"
        tally.failed(outcome, f"{name}: {got}", CaseResult(name, False, given, expected, got))
        return
    try:
        rows = answers.value(answer.get("ret"))
    except ValueError:
        raise StoppedError(Stop.PROTOCOL, "Its answer cannot be read.") from None
    got = shown(rows)
    if same(case.expected, rows, case.match, "sql"):
        tally.passed(*described, got)
    else:
        text = f"{name}: expected the rows {expected}, got {got}"
        tally.failed(Outcome.WRONG, text, CaseResult(name, False, given, expected, got))


def _rows_described(case: Case, number: int) -> tuple[str, str, str]:
    return visible(case.name) or f"case {number}", visible(case.setup.strip()), shown(case.expected)


async def judge_bash(task: Task, code: str, sandbox: Sandbox, tally: Tally) -> None:
    """Run a script once for each case, in a sandbox of its own: what one leaves running cannot touch the next."""
    is_late = False
    for number, case in enumerate(task.cases, 1):
        described = _script_described(case, number)
        if is_late:
            tally.not_reached(*described)
            continue
        try:
            answer = await _run_script(task, case, code, sandbox, tally)
            _judge_script(case, described, answer, tally)
        except StoppedError as why:
            tally.stopped(why, *described)
            is_late = why.kind is Stop.TIME


async def _run_script(task: Task, case: Case, code: str, sandbox: Sandbox, tally: Tally) -> dict[str, Any]:
    key = secrets.token_hex(8)
    config: dict[str, object] = {
        "code": code,
        "bash": sandbox.bash,
        "stdin": case.stdin,
        "files": case.files,
        "after": list(case.files_after),
        "output_bytes": task.limits.output_bytes,
        "id": key,
    }
    job = Job("shell", config, may_fork=True, spare_threads=_SHELL_THREADS)
    async with observed(sandbox, job, task, tally) as box:
        answer = await box.answer(key, call_s=task.limits.call_s)
    if answer.get("too_much") is True:
        raise StoppedError(Stop.OUTPUT, f"It printed more than {task.limits.output_bytes >> 10} KiB.")
    return answer


def _judge_script(case: Case, described: tuple[str, str, str], answer: dict[str, Any], tally: Tally) -> None:
    name, given, expected = described
    printed, after = answer.get("stdout"), answer.get("after")
    left = after if isinstance(after, dict) else {}
    wrong = [file for file, text in case.files_after.items() if lines(left.get(file)) != lines(text)]
    got = _script_text(printed, {file: left.get(file) for file in case.files_after})
    if not wrong and (case.expected is None or lines(printed) == lines(case.expected)):
        tally.passed(*described, got)
        return
    status = answer.get("status")
    ended = f" (exit status {status})" if isinstance(status, int) and status else ""
    text = f"{name}: expected {expected}, got {got}{ended}"
    tally.failed(Outcome.WRONG, text, CaseResult(name, False, given, expected, got))


def lines(text: object) -> list[str] | None:
    """Return a text's lines without blanks at their ends and without empty lines at its end, None for no text."""
    if not isinstance(text, str):
        return None
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines()).split("\n")


def _script_described(case: Case, number: int) -> tuple[str, str, str]:
    given = [f"standard input: {shown(case.stdin)}"] if case.stdin else []
    given += [f"{file}: {shown(text)}" for file, text in case.files.items()]
    return (
        visible(case.name) or f"case {number}",
        visible("\n".join(given)),
        _script_text(case.expected, case.files_after),
    )


def _script_text(printed: object, files: dict[str, Any] | dict[str, str]) -> str:
    parts = (
        []
        if printed is None
        else [visible(printed.rstrip("\n") if isinstance(printed, str) else shown(printed))]
    )
    parts += [
        f"{visible(file)}: {'no such file' if text is None else shown(text)}" for file, text in files.items()
    ]
    return "\n".join(parts)
