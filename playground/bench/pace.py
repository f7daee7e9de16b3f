"""How long a run will still take, from what its answers have taken so far. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev

from playground.bench.events import TimeLeft
from playground.bench.run_data import RunData

_LEAST_SPREAD = 0.10
_GUESSED_SPREAD = 0.60


def time_left(data: RunData) -> TimeLeft:
    """Return the time left.

    A lane that has not begun is taken to be as much slower as its model is larger. The range is two standard errors of
    the lane's answers, at least a tenth; of a guessed lane, six tenths.
    """
    total = len(data.slots) * len(data.header.tasks) * data.header.settings.samples
    missing = {slot: len(data.missing(slot)) for slot in data.slots}
    done = total - sum(missing.values())
    known = {slot: pace for slot in data.slots if (pace := _pace(data, slot)) is not None}
    if not known:
        return TimeLeft(done, total)
    left = spread = 0.0
    for slot, answers in missing.items():
        mean, error = known.get(slot) or _guess(data, slot, known)
        left += answers * mean
        spread += answers * mean * error
    return TimeLeft(done, total, left, max(0.0, left - spread), left + spread)


def _pace(data: RunData, slot: str) -> tuple[float, float] | None:
    """Return seconds for one answer, and their relative uncertainty."""
    answers = [answer for key, answer in data.answers.items() if key[0] == slot]
    busy_s = data.busy_s(slot)
    if not answers or not busy_s:
        return None
    tokens = [float(answer.usage.completion_tokens) for answer in answers]
    mean = fmean(tokens)
    deviation = stdev(tokens) / mean if len(tokens) > 1 and mean else 1.0
    return busy_s / len(answers), max(_LEAST_SPREAD, 2 * deviation / sqrt(len(tokens)))


def _guess(data: RunData, slot: str, known: dict[str, tuple[float, float]]) -> tuple[float, float]:
    other, (mean, _) = next(iter(known.items()))
    sizes = data.lane(slot).model.size_bytes, data.lane(other).model.size_bytes
    return mean * (sizes[0] / sizes[1] if all(sizes) else 1.0), _GUESSED_SPREAD
