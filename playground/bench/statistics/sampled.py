"""Several answers to each task: the task is the unit, samples are never counted as independent. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import comb, sqrt
from random import Random
from statistics import fmean, quantiles, stdev

from playground.bench.statistics.distributions import t_below, t_quantile
from playground.bench.statistics.proportions import Interval

BOOTSTRAP_TASKS = 50  # below, percentile intervals are far too narrow
_EXACT_TASKS = 14
_DRAWS = 4000
_SEED = 20261124  # the same data give the same interval


def pass_at(k: int, passed: int, samples: int) -> float:
    """Return the unbiased estimate of the chance that one of k answers passes: 1 - C(n-c, k) / C(n, k).

    Chen et al., arXiv 2107.03374. Raises ValueError for k above the samples.
    """
    _check(k, passed, samples)
    return 1 - comb(samples - passed, k) / comb(samples, k)


def pass_all(k: int, passed: int, samples: int) -> float:
    """Return the unbiased estimate of the chance that all of k answers pass: C(c, k) / C(n, k)."""
    _check(k, passed, samples)
    return comb(passed, k) / comb(samples, k)


def _check(k: int, passed: int, samples: int) -> None:
    if not 1 <= k <= samples or not 0 <= passed <= samples:
        raise ValueError(f"{k} of {samples} samples, {passed} passed")


def t_interval(differences: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return Student's interval of the mean of one difference per task; None where nothing varies.

    An interval of width 0 would claim a certainty that nobody has.
    """
    error = _standard_error(differences)
    if not error:
        return None
    half = t_quantile((1 + confidence) / 2, len(differences) - 1) * error
    middle = fmean(differences)
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def t_above(differences: Sequence[float], bound: float) -> float | None:
    """Return the share of Student's distribution of the mean that lies above a bound; None where nothing varies."""
    error = _standard_error(differences)
    if not error:
        return None
    return t_below((fmean(differences) - bound) / error, len(differences) - 1)


def _standard_error(differences: Sequence[float]) -> float:
    return stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else 0.0


def permutation(differences: Sequence[float]) -> float:
    """Return the two-sided p-value that each difference could as well have had the other sign.

    Exact up to 14 tasks that differ, else by 4,000 seeded draws with the observed one among them.
    """
    differing = [d for d in differences if d]
    seen = abs(sum(differing)) - 1e-9
    if len(differing) <= _EXACT_TASKS:
        signs = product((-1, 1), repeat=len(differing))
        totals = [abs(sum(s * d for s, d in zip(sign, differing, strict=True))) for sign in signs]
        return sum(total >= seen for total in totals) / len(totals)
    draw = Random(_SEED)  # noqa: S311 -- no secret
    hits = 1
    for _ in range(_DRAWS):
        bits = draw.getrandbits(len(differing))
        hits += abs(sum(d if bits >> i & 1 else -d for i, d in enumerate(differing))) >= seen
    return hits / (_DRAWS + 1)


def bootstrap(differences: Sequence[float]) -> Interval | None:
    """Return the 95 % percentile interval of the mean over resampled tasks; None below 50 tasks or without variation."""
    if len(differences) < BOOTSTRAP_TASKS or not _standard_error(differences):
        return None
    draw = Random(_SEED)  # noqa: S311 -- no secret
    means = [fmean(draw.choices(differences, k=len(differences))) for _ in range(_DRAWS // 2)]
    cuts = quantiles(means, n=40, method="inclusive")
    return Interval(cuts[0], cuts[-1])
