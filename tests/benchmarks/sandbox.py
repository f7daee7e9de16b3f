"""What a sandbox costs: a judged task against the same calls in a plain interpreter, in turns; and tasks per second.

The plain run is the cheapest there is: one start of the same Python, the program and its ten calls in one text, no
limits, no protocol, nothing compared.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from statistics import median
from time import perf_counter

from playground.bench.judge import judge
from playground.bench.outcome import Outcome
from playground.bench.sandbox import Sandbox
from playground.bench.sandbox.bubblewrap import ENVIRONMENT
from playground.bench.task import Case, Task
from tests.benchmarks.result import arguments, percentile, ratio, write
from tests.support.sandboxes import BACKENDS, sandbox_of

_CODE = "def solve(items):\n    return sorted(set(items), reverse=True)\n"
_CASES = tuple(
    Case(args=([n, n + 2, n, 3 * n],), expected=sorted({n, n + 2, 3 * n}, reverse=True)) for n in range(10)
)
_TASK = Task(
    id="t",
    title="",
    language="python",
    tier=0,
    topic="",
    prompt="",
    reference="",
    entry_point="solve",
    cases=_CASES,
)
_PLAIN = f"import json\n{_CODE}print(json.dumps([solve(*a) for a in json.loads({json.dumps([c.args for c in _CASES])!r})]))"
_ASSERTS = Task(
    id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point="solve",
    asserts="".join(f"assert solve({case.args[0]!r}) == {case.expected!r}\n" for case in _CASES),
)  # fmt: skip


async def _plain(python: str) -> float:
    started = perf_counter()
    process = await asyncio.create_subprocess_exec(
        python,
        "-I",
        "-S",
        "-B",
        "-c",
        _PLAIN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    out, _ = await process.communicate()
    assert len(json.loads(out)) == len(_CASES)
    return 1000 * (perf_counter() - started)


async def _judged(task: Task, sandbox: Sandbox) -> float:
    started = perf_counter()
    word = await judge(task, _CODE, sandbox)
    assert word.outcome is Outcome.PASS, word
    return 1000 * (perf_counter() - started)


async def _pairs(task: Task, sandbox: Sandbox, rounds: int) -> dict[str, object]:
    assert sandbox.python is not None
    path = sandbox.python.path
    pairs = [(await _judged(task, sandbox), await _plain(path)) for _ in range(rounds + 3)][3:]
    overheads = [ours - theirs for ours, theirs in pairs]
    return {
        "judged_ms": round(median(ours for ours, _ in pairs), 1),
        "plain_ms": round(median(theirs for _, theirs in pairs), 1),
        "overhead_ms": {"median": round(median(overheads), 1), "p90": round(percentile(overheads, 90), 1)},
        "ratio": ratio(pairs),
    }


async def _rate(sandbox: Sandbox, workers: int, count: int) -> float:
    turns = asyncio.Semaphore(workers)

    async def one() -> None:
        async with turns:
            await _judged(_TASK, sandbox)

    started = perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return round(count / (perf_counter() - started), 1)


def main() -> None:
    """Run."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    figures: dict[str, object] = {}
    for backend in BACKENDS:
        sandbox = sandbox_of(backend)
        cases = asyncio.run(_pairs(_TASK, sandbox, options.rounds))
        asserts = asyncio.run(_pairs(_ASSERTS, sandbox, options.rounds))
        rates = {n: asyncio.run(_rate(sandbox, n, 2 * options.rounds)) for n in (1, 2, 4)}
        figures[backend] = {"cases": cases, "asserts": asserts, "tasks_per_s_by_workers": rates}
    write("sandbox", "tests.benchmarks.sandbox", figures)


if __name__ == "__main__":
    main()
