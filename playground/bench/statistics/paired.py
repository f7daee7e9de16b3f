"""Two models on the same tasks: the paired table, its test, and what it says about the difference. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, lgamma, log, log1p, pi, sqrt

from playground.bench.statistics.distributions import (
    beta_below,
    binomial_two_sided,
    normal_quantile,
    root,
)
from playground.bench.statistics.proportions import Interval

_PRIOR = 0.5  # Jeffreys' for four cells
_NODES = 48


@dataclass(frozen=True, slots=True)
class Table:
    """Tasks by who solved them. With several samples of a task the cells are sums of shares."""

    both: float
    only_small: float
    only_large: float
    neither: float

    @property
    def tasks(self) -> float:
        """Return how many tasks there are."""
        return self.both + self.only_small + self.only_large + self.neither

    @property
    def discordant(self) -> float:
        """Return how many tasks tell the two apart."""
        return self.only_small + self.only_large

    @property
    def difference(self) -> float:
        """Return the share of the small one minus that of the large one."""
        return (self.only_small - self.only_large) / self.tasks if self.tasks else 0.0


def mcnemar(only_small: int, only_large: int) -> float:
    """Return the exact two-sided p-value that both solve equally many (McNemar, Psychometrika 12, 1947)."""
    return binomial_two_sided(only_small, only_small + only_large)


def tango(table: Table, confidence: float = 0.95) -> Interval:
    """Return the score interval of the difference of paired shares (Tango, Statistics in Medicine 17, 1998)."""
    z = normal_quantile((1 + confidence) / 2)
    middle = table.difference

    def lower(difference: float) -> float:
        return z - _score(table, difference)

    def upper(difference: float) -> float:
        return -z - _score(table, difference)

    edge = 1e-9
    return Interval(root(lower, -1 + edge, middle), root(upper, middle, 1 - edge))


def _score(table: Table, difference: float) -> float:
    """Return how many standard errors what was seen lies above a difference."""
    n, b, c = table.tasks, table.only_small, table.only_large
    linear = -b - c + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    cell = (sqrt(max(0.0, linear * linear - 8 * n * constant)) - linear) / (4 * n)
    variance = n * (2 * cell + difference * (1 - difference))
    distance = b - c - n * difference
    if variance <= 1e-12:
        return 0.0 if abs(distance) < 1e-9 else (1e9 if distance > 0 else -1e9)
    return distance / sqrt(variance)


def above(table: Table, difference: float) -> float:
    """Return the probability that the true difference lies above this one, after what was seen.

    Before it, all tables are as Jeffreys' Dirichlet(1/2, 1/2, 1/2, 1/2) says. The two discordant cells are then
    T·U and T·(1 - U), with T ~ Beta(discordant + 1, rest + 1) and U ~ Beta(only small + 1/2, only large + 1/2)
    independent (neutrality of the Dirichlet distribution), so the difference is T·(2U - 1). One integral over T, by
    Gauss and Legendre, where T exceeds the difference's size; substituted so that its root-like start is smooth.
    """
    return 1 - _below(table, difference)


def posterior(table: Table, confidence: float = 0.95) -> Interval:
    """Return the interval that holds the true difference with this probability, equal parts of the rest on each side."""
    tail = (1 - confidence) / 2
    return Interval(
        root(lambda x: _below(table, x) - tail, -1.0, 1.0),
        root(lambda x: _below(table, x) - (1 - tail), -1.0, 1.0),
    )


def _below(table: Table, difference: float) -> float:
    if difference <= -1 or difference >= 1:
        return 0.0 if difference <= -1 else 1.0
    a, b = table.only_small + _PRIOR, table.only_large + _PRIOR
    discordant, rest = table.discordant + 2 * _PRIOR, table.both + table.neither + 2 * _PRIOR
    start = abs(difference)
    scale = lgamma(discordant + rest) - lgamma(discordant) - lgamma(rest)
    total = 0.0
    # Where T is smaller than the difference's size, the difference is certainly on the other side.
    within = beta_below(start, discordant, rest)
    low, high = _mass(discordant, rest, start)
    for node, weight in _nodes(_NODES):
        s = low + (high - low) * node
        t = start + (1 - start) * s * s
        if not 0 < t < 1:
            continue
        density = exp(scale + (discordant - 1) * log(t) + (rest - 1) * log1p(-t))
        total += weight * density * beta_below((1 + difference / t) / 2, a, b) * s
    integral = 2 * (1 - start) * (high - low) * total
    return min(1.0, max(0.0, integral + (within if difference >= 0 else 0.0)))


def _mass(a: float, b: float, start: float) -> tuple[float, float]:
    """Return the part of 0..1 in which nearly all of Beta(a, b) above ``start`` lies, after the substitution."""
    middle, spread = a / (a + b), sqrt(a * b / (a + b + 1)) / (a + b)
    reach = 9 * spread
    ends = (max(start, middle - reach), min(1.0, middle + reach + 12 / (a + b)))
    low, high = (sqrt(max(0.0, (end - start) / (1 - start))) for end in ends)
    return low, max(high, low)


@lru_cache(maxsize=4)
def _nodes(count: int) -> tuple[tuple[float, float], ...]:
    """Return Gauss and Legendre's nodes and weights on 0..1 (Newton's method on the polynomial's recurrence)."""
    found = []
    for index in range(count):
        x = cos(pi * (index + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(50):
            value, slope = _legendre(count, x)
            step = value / slope
            x -= step
            if abs(step) < 1e-15:
                break
        found.append(((1 - x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return tuple(found)


def _legendre(degree: int, x: float) -> tuple[float, float]:
    """Return a Legendre polynomial's value and slope."""
    before, value = 1.0, x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1)
