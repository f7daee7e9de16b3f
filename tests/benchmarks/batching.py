"""Several answers at once against one: tokens per second in total, and a prompt that is read once for all of them.

Run: python -m tests.benchmarks.batching [rounds] [--tokens N]

One worker, the starter model, all cores. Every round takes 1, 8 and 16 answers of a short prompt, and 8 answers of one
of about 1,000 tokens; ratios are of the same round. Needs the optional starter model.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median

import msgspec

from playground.chat.messages import Conversation, Message
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.engines.protocol import Finished
from playground.models import hardware, starter
from tests.benchmarks import result

_AT_ONCE = (1, 8, 16)
_SAMPLES = 8
_SHORT = "def merge_intervals(intervals):\n    "
_LONG = "The program reads a list of numbers and prints the sum of the even ones. " * 66


def main() -> None:
    """Print the ratios to one answer, and how often the long prompt was evaluated."""
    parser = result.arguments(__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--tokens", type=int, default=96)
    given = parser.parse_args()
    assert __spec__ is not None
    result.write("several answers at once", __spec__.name, asyncio.run(_measure(given.rounds, given.tokens)))


async def _measure(rounds: int, tokens: int) -> dict[str, object]:
    engine = EngineProcess()
    threads = hardware.physical_cores()
    # No token ends an answer early: each has the same length.
    options = AnswerOptions(Sampling(temperature=0.9), max_tokens=tokens)
    speeds: dict[int, list[float]] = {count: [] for count in _AT_ONCE}
    try:
        await engine.start()
        load = LoadOptions(n_ctx=16384, sequences=max(_AT_ONCE))
        await engine.load(starter.assemble(), load, threads, lambda _fraction: None)
        for round_ in range(rounds):
            for count in _AT_ONCE:
                seeded = msgspec.structs.replace(options.sampling, seed=1000 * round_)
                asked = msgspec.structs.replace(options, n=count, sampling=seeded)
                speeds[count].append(await _tokens_per_s(engine, _asked(_SHORT), asked, threads))
        evaluated, length = await _evaluated(engine, msgspec.structs.replace(options, n=_SAMPLES), threads)
    finally:
        await engine.close()
    return {
        "threads": threads,
        "tokens_per_s": {str(count): round(median(found), 1) for count, found in speeds.items()},
        "ratio": {
            str(count): result.ratio(list(zip(speeds[count], speeds[1], strict=True)))
            for count in _AT_ONCE[1:]
        },
        "samples": {"answers": _SAMPLES, "prompt_tokens": length, "evaluated_tokens": evaluated},
    }


def _asked(text: str) -> tuple[Message, ...]:
    return Conversation().with_user(text).messages()


async def _tokens_per_s(
    engine: EngineProcess, messages: tuple[Message, ...], options: AnswerOptions, threads: int
) -> float:
    started = time.perf_counter()
    finished = await engine.generate_all(messages, options, threads, lambda _event: None)
    return _tokens(finished) / (time.perf_counter() - started)


def _tokens(finished: tuple[Finished, ...]) -> int:
    return sum(answer.usage.completion_tokens for answer in finished)


async def _evaluated(engine: EngineProcess, options: AnswerOptions, threads: int) -> tuple[int, int]:
    """Return the prompt tokens that all answers together evaluated, and the length of the prompt."""
    finished = await engine.generate_all(_asked(_LONG), options, threads, lambda _event: None)
    evaluated = sum(answer.usage.prompt_tokens - answer.usage.cached_tokens for answer in finished)
    return evaluated, finished[0].usage.prompt_tokens


if __name__ == "__main__":
    main()
