"""The judge's word on one program: right, wrong, or why it cannot be said. Chooses how; runs nothing itself.

The judge stands outside of the sandbox. Code and inputs go in and plain data comes out; what a task expects never
enters, so a program can only pass by giving the right values.
"""

from __future__ import annotations

import re

from playground.bench.judge_asserts import judge_asserts
from playground.bench.judge_calls import judge_calls
from playground.bench.judge_forbid import forbidden
from playground.bench.judge_scripts import judge_bash, judge_sql
from playground.bench.judge_tally import Tally
from playground.bench.outcome import Judged, Outcome
from playground.bench.sandbox.values import Backend, Sandbox
from playground.bench.task import Task

_LARGEST_CODE_CHARS = 1 << 20
_MODES = re.compile(r"(?<![\w-])(?:chmod|chown|setsid|install)(?![\w-])")


async def judge(task: Task, code: str, sandbox: Sandbox, *, unsafe: bool = False) -> Judged:
    """Run a task's tests on a program and say what came of it.

    ``unsafe``: a person has seen this very code and allowed to run it without a sandbox. Several calls may run at a
    time; one that is cancelled has ended its processes when it raises. Never raises because of what a program does.
    """
    tally = Tally(sandbox)
    total = len(task.cases)
    if reason := _no_run(task, code, sandbox, unsafe=unsafe):
        tally.problem(Outcome.NOT_RUN, reason)
        return tally.judged(total)
    if len(code) > _LARGEST_CODE_CHARS:
        tally.problem(Outcome.LIMIT, f"The program is longer than {_LARGEST_CODE_CHARS:,} characters.")
        return tally.judged(total)
    if found := forbidden(code, task.forbid, task.language):
        tally.problem(Outcome.FORBIDDEN, f"It uses {', '.join(found)}, which the task forbids.")
        return tally.judged(total)
    run = {"sql": judge_sql, "bash": judge_bash}.get(
        task.language, judge_asserts if task.asserts and task.language == "python" else judge_calls
    )
    await run(task, code, sandbox, tally)
    return tally.judged(total)


def _no_run(task: Task, code: str, sandbox: Sandbox, *, unsafe: bool) -> str:
    """Return why a program cannot be run here, empty when it can."""
    if not sandbox.is_safe and not unsafe:
        return sandbox.guarantee
    if sandbox.python is None:
        return "Running tests needs Python 3.8 or newer."
    if task.language == "javascript" and sandbox.node is None:
        return f"JavaScript tasks need Node.js. {sandbox.node_missing}".strip()
    if task.language == "bash" and not sandbox.bash:
        return "Bash tasks need /bin/bash."
    if task.language == "bash" and sandbox.backend is Backend.LANDLOCK and _MODES.search(code):
        return "This script changes rights of files, which the reduced sandbox cannot allow."
    if not task.cases and not task.asserts:
        return "The task has no tests."
    return ""
