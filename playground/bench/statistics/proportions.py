"""One model's score: its interval, and how likely a published score is for it. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, sqrt

from playground.bench.statistics.distributions import beta_quantile, normal_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, shares."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """Return the distance of the ends."""
        return self.high - self.low


def wilson(solved: float, tasks: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a share (JASA 22, 1927).

    ``solved`` may be a sum of rates, one per task: such a sum varies less than a count, so the interval is wide
    enough. Raises ValueError for no tasks or more solved than there are.
    """
    if not tasks or not 0 <= solved <= tasks + 1e-9:
        raise ValueError(f"{solved} of {tasks} is no share")
    z = normal_quantile((1 + confidence) / 2)
    share, square = solved / tasks, z * z / tasks
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(max(0.0, share * (1 - share)) / tasks + square / (4 * tasks)) / (1 + square)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def clopper_pearson(solved: int, tasks: int, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a share (Biometrika 26, 1934), by quantiles of beta distributions."""
    if not tasks or not 0 <= solved <= tasks:
        raise ValueError(f"{solved} of {tasks} is no share")
    tail = (1 - confidence) / 2
    low = beta_quantile(tail, solved, tasks - solved + 1) if solved else 0.0
    high = beta_quantile(1 - tail, solved + 1, tasks - solved) if solved < tasks else 1.0
    return Interval(low, high)


def two_proportions(solved: int, tasks: int, other_solved: int, other_tasks: int) -> float:
    """Return Fisher's exact two-sided p-value for two independent shares.

    The sum of the hypergeometric probabilities that are at most that of what was seen.
    """
    both, all_tasks = solved + other_solved, tasks + other_tasks
    ways = comb(all_tasks, both)
    terms = [comb(tasks, k) * comb(other_tasks, both - k) for k in range(min(tasks, both) + 1) if both >= k]
    seen = terms[solved]
    return min(1.0, sum(term for term in terms if term <= seen) / ways) if ways else 1.0
