"""What a lane's score has cost: time and memory beside quality. Pure."""

from __future__ import annotations

from statistics import median

import msgspec

from playground.bench.outcome import Outcome
from playground.bench.run_data import RunData


class LaneCost(msgspec.Struct, frozen=True):
    """A lane's figures; None without a measurement.

    ``tokens_per_s``: median over answers when they were written one at a time, else of all answers of a batch
    together. ``shared``: another model was answering at the same time, so times and speeds are not its own.
    """

    slot: str
    run_s: float
    tokens: int
    tokens_per_s: float | None
    peak_bytes: int
    solved_per_minute: float | None
    solved_per_gb: float | None
    parallel: int = 1
    shared: bool = False


def costs(data: RunData) -> tuple[LaneCost, ...]:
    """Return what each lane has cost."""
    return tuple(_cost(data, slot) for slot in data.slots)


def _cost(data: RunData, slot: str) -> LaneCost:
    answers = [answer for key, answer in data.answers.items() if key[0] == slot]
    run_s, peak = data.busy_s(slot), data.peak_bytes(slot)
    tokens = sum(answer.usage.completion_tokens for answer in answers)
    solved = sum(run.rate for run in data.tasks(slot) if run.is_complete)
    parallel = max((answer.parallel for answer in answers), default=1)
    speeds = [a.timings.decode_tokens_per_s for a in answers if a.timings.decode_tokens_per_s is not None]
    speed = (tokens / run_s if run_s else None) if parallel > 1 else median(speeds) if speeds else None
    judged = any(
        result.judged.outcome is not Outcome.NOT_RUN for k, result in data.results.items() if k[0] == slot
    )
    return LaneCost(
        slot,
        run_s,
        tokens,
        speed,
        peak,
        solved_per_minute=60 * solved / run_s if run_s and judged else None,
        solved_per_gb=solved / (peak / 1e9) if peak and judged else None,
        parallel=parallel,
        shared=any(answer.shared for answer in answers),
    )
