"""Two lanes at once against one that has all the cores: the sum of their tokens per second, by threads each.

Run: python -m tests.benchmarks.lanes [rounds] [--tokens N]

The starter model, a worker process per lane as in the app. One lane with all cores is measured in every round, and the
splits are ratios to it. The last split hands out twice the cores, which the app never does. Needs the optional starter.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median

import msgspec

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, PromptProgress
from playground.models import hardware, starter
from tests.benchmarks import result

_PROMPT = "def merge_intervals(intervals):\n    "


class _Lane:
    """One worker with its model, which writes until it is told to stop."""

    def __init__(self) -> None:
        self.engine = EngineProcess()
        self._moments: list[tuple[float, int]] = []

    async def start(self, threads: int) -> None:
        await self.engine.start()
        await self.engine.load(starter.assemble(), LoadOptions(n_ctx=4096), threads, lambda _fraction: None)

    async def write(self, threads: int, tokens: int, seed: int) -> None:
        self._moments.clear()
        options = AnswerOptions(Sampling(temperature=0.9, seed=seed), max_tokens=tokens)
        talk = Conversation().with_user(_PROMPT)
        left, attempt = tokens, 0
        while left > 0:  # an answer that ends early is followed by another one
            sampling = msgspec.structs.replace(options.sampling, seed=seed + attempt)
            asked = msgspec.structs.replace(options, sampling=sampling, max_tokens=left)
            finished = await self.engine.generate(talk.messages(), asked, threads, self._hear)
            left -= max(finished.usage.completion_tokens, 1)
            attempt += 1

    def _hear(self, event: Chunk | PromptProgress) -> None:
        if isinstance(event, Chunk):
            self._moments.append((time.perf_counter(), event.tokens))

    @property
    def span(self) -> tuple[float, float]:
        """Return the moments of the first and the last text."""
        return self._moments[0][0], self._moments[-1][0]

    def tokens_between(self, start: float, end: float) -> int:
        """Return the tokens that came between two moments."""
        count, before = 0, 0
        for moment, tokens in self._moments:
            step = tokens - before if tokens >= before else tokens
            count += step if start < moment <= end else 0
            before = tokens
        return count


def main() -> None:
    """Print the table of thread splits."""
    parser = result.arguments(__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--tokens", type=int, default=160)
    given = parser.parse_args()
    assert __spec__ is not None
    result.write("two lanes at once", __spec__.name, asyncio.run(_measure(given.rounds, given.tokens)))


async def _measure(rounds: int, tokens: int) -> dict[str, object]:
    cores = hardware.physical_cores()
    splits = list(dict.fromkeys([max(1, cores // 2), cores]))
    lanes = [_Lane(), _Lane()]
    alone: list[float] = []
    together: dict[int, list[float]] = {threads: [] for threads in splits}
    try:
        for lane in lanes:
            await lane.start(cores)
        for round_ in range(rounds):
            alone.append(await _sum(lanes[:1], cores, tokens, round_))
            for threads in splits:
                together[threads].append(await _sum(lanes, threads, tokens, round_))
    finally:
        for lane in lanes:
            await lane.engine.close()
    return {
        "one_lane": {"threads": cores, "tokens_per_s": round(median(alone), 1)},
        "two_lanes": [
            {
                "threads_each": threads,
                "tokens_per_s_sum": round(median(found), 1),
                "ratio": result.ratio(list(zip(found, alone, strict=True))),
            }
            for threads, found in together.items()
        ],
    }


async def _sum(lanes: list[_Lane], threads: int, tokens: int, seed: int) -> float:
    """Return the tokens per second of all lanes, in the time in which all of them wrote."""
    await asyncio.gather(*(lane.write(threads, tokens, 100 * seed) for lane in lanes))
    start, end = max(lane.span[0] for lane in lanes), min(lane.span[1] for lane in lanes)
    return sum(lane.tokens_between(start, end) for lane in lanes) / (end - start)


if __name__ == "__main__":
    main()
