"""How many tasks it takes, what a number of tasks can show, and when one may stop. Pure functions.

``discordance``: share of tasks that only one of two models solves.
"""

from __future__ import annotations

from math import ceil, exp, floor, inf, lgamma, log, log10, sqrt

from playground.bench.statistics.distributions import normal_quantile, root

POWER = 0.80
ENOUGH_EVIDENCE = 20.0
FEWEST_DISCORDANT = 6  # 6 to 0 is the smallest split with p < 0.05
_LEAST_DISCORDANCE = 0.10  # what is assumed where few tasks were seen


def evidence(wins: int, losses: int) -> float:
    """Return the e-value against a fair coin: what a bettor with a uniform prior has won so far.

    2^n / ((n + 1) C(n, wins)), the Beta(1, 1) mixture of likelihood ratios (Robbins 1970; Ville's inequality): in a
    fair race the chance that it ever reaches 20 is at most 1 in 20, however often one looks.
    """
    n = wins + losses
    return exp(n * log(2) - log(n + 1) - (lgamma(n + 1) - lgamma(wins + 1) - lgamma(losses + 1)))


def may_stop(wins: int, losses: int) -> bool:
    """Return whether one may stop now and name the one that leads, having looked after every task."""
    return evidence(wins, losses) >= ENOUGH_EVIDENCE


def tasks_for_margin(discordance: float, margin: float, power: float = POWER) -> int | None:
    """Return how many tasks show "not worse by more than the margin" when both are truly equal, one-sided 5 %.

    (z.95 + z.power)² discordance / margin², of the normal approximation of the paired difference (Nam, Biometrics 53,
    1997). None for a margin of nothing, which no number of tasks can show.
    """
    if margin <= 0:
        return None
    z = normal_quantile(0.95) + normal_quantile(power)
    return ceil(z * z * discordance / margin**2)


def tasks_for_gap(discordance: float, gap: float, power: float = POWER) -> int | None:
    """Return how many tasks show a true gap, two-sided 5 % (Connor, Biometrics 43, 1987). None for no gap."""
    size = abs(gap)
    return ceil(_tasks_for_gap(max(discordance, size), size, power)) if size else None


def _tasks_for_gap(discordance: float, gap: float, power: float) -> float:
    if gap <= 0:
        return inf
    rest = sqrt(max(0.0, discordance - gap * gap))
    return ((normal_quantile(0.975) * sqrt(discordance) + normal_quantile(power) * rest) / gap) ** 2


def smallest_gap(tasks: int, discordance: float, power: float = POWER) -> float | None:
    """Return the smallest true gap that so many tasks show with this power; None where they can show none.

    Where it would be larger than the discordance, all discordant tasks are one model's. The exact test steps from
    count to count, which costs it half a task against the approximation that the numbers of tasks come from.
    """
    if tasks < FEWEST_DISCORDANT:
        return None
    assumed = max(discordance, _LEAST_DISCORDANCE)

    def spare(gap: float) -> float:
        needed = _tasks_for_gap(max(assumed, gap), gap - 0.5 / tasks, power)
        return -1.0 if needed == inf else (tasks - needed) / (tasks + needed)

    return root(spare, 1e-6, 1.0)


def about(number: int) -> int:
    """Return a number with its first two digits only: an estimate has no more."""
    if number <= 0:
        return 0
    step = int(10 ** max(0, floor(log10(number)) - 1))
    return round(number / step) * step
