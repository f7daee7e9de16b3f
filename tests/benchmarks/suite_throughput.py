"""Tasks per minute with several answers in one batch against one at a time, tests included.

Run: python -m tests.benchmarks.suite_throughput [rounds] [--suite S] [--task GLOB] [--parallel N] [--samples K]

The starter model, all cores. Every round runs the whole choice both ways, in turn, each in a process of its own pool;
ratios are of the same round. Needs the optional starter model.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from playground.bench import suites
from playground.bench.events import JudgeDone, LaneEnded, RunBegun, RunFinished
from playground.bench.lanes import lane_infos
from playground.bench.record import RunSettings
from playground.bench.run import BenchRun
from playground.bench.run_data import RunData
from playground.bench.sandbox import probe
from playground.chat.options import LoadOptions
from playground.engines.pool import EnginePool
from playground.models import hardware, library, starter
from tests.benchmarks import result


def main() -> None:
    """Print tasks per minute and the ratio of both ways."""
    parser = result.arguments(__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--suite", default="humaneval")
    parser.add_argument("--task", default="HumanEval/[1-4]?")
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=96)
    given = parser.parse_args()
    starter.assemble()
    pairs, lengths = [], []
    for _ in range(given.rounds):
        together, tokens = asyncio.run(_per_minute(given.parallel, given))
        alone, tokens_alone = asyncio.run(_per_minute(1, given))
        pairs.append((together, alone))
        lengths.append((tokens, tokens_alone))
    assert __spec__ is not None
    figures: dict[str, object] = {
        "suite": given.suite,
        "samples": given.samples,
        "tasks_per_minute": {
            str(given.parallel): round(median(pair[0] for pair in pairs), 1),
            "1": round(median(pair[1] for pair in pairs), 1),
        },
        "ratio": result.ratio(pairs),
        "tokens": {str(given.parallel): lengths[-1][0], "1": lengths[-1][1]},
    }
    result.write("suite throughput", __spec__.name, figures)


async def _per_minute(parallel: int, given: object) -> tuple[float, int]:
    """Return tasks per minute, loading left out, and the tokens that were written."""
    suite = suites.load(given.suite)  # type: ignore[attr-defined]
    tasks = suites.select(suite, given.task)  # type: ignore[attr-defined]
    samples: int = given.samples  # type: ignore[attr-defined]
    settings = RunSettings(
        samples=samples,
        max_tokens=given.tokens,  # type: ignore[attr-defined]
        parallel=parallel,
    )
    model = library.describe_starter(starter.QUANT)
    lanes = lane_infos([model], tasks, settings, LoadOptions(gpu_layers="none"))
    pool = EnginePool(hardware.physical_cores())
    began = ended = load_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        run = BenchRun(suite, tasks, lanes, settings, pool, probe(), Path(folder) / "run.jsonl")
        try:
            async for event in run.events():
                if isinstance(event, RunBegun):
                    began = time.perf_counter()
                elif isinstance(event, (JudgeDone, LaneEnded, RunFinished)):
                    ended = time.perf_counter()
        finally:
            await pool.close()
    assert run.data is not None
    load_s = run.data.loads["A"].load_s
    return 60 * len(tasks) / (ended - began - load_s), _tokens(run.data)


def _tokens(data: RunData) -> int:
    return sum(answer.usage.completion_tokens for answer in data.answers.values())


if __name__ == "__main__":
    main()
