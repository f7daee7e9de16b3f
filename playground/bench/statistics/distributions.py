"""Beta, binomial, Student's t and normal distributions, by the standard library alone. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import comb, exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_STEPS = 400
_PRECISION = 1e-15
_NARROW = 1e-13


def normal_quantile(share: float) -> float:
    """Return the z below which this share of a standard normal distribution lies."""
    return _NORMAL.inv_cdf(share)


def beta_below(x: float, a: float, b: float) -> float:
    """Return P(X <= x) for X ~ Beta(a, b): the regularized incomplete beta function.

    Continued fraction by Lentz's method: Numerical Recipes (3rd edition), section 6.4; DLMF 8.17.22.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            result *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the x with P(X <= x) = share for X ~ Beta(a, b)."""
    return root(lambda x: beta_below(x, a, b) - share, 0.0, 1.0)


def t_below(t: float, freedom: float) -> float:
    """Return P(T <= t) for Student's t with this many degrees of freedom (DLMF 8.17: by the beta distribution)."""
    if t == inf or t == -inf:
        return 1.0 if t > 0 else 0.0
    inner = beta_below(t * t / (freedom + t * t), 0.5, freedom / 2) / 2
    return 0.5 + inner if t > 0 else 0.5 - inner


@lru_cache(maxsize=256)
def t_quantile(share: float, freedom: float) -> float:
    """Return the t below which this share of Student's distribution lies."""
    if share == 0.5:
        return 0.0
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    # With T as above, freedom / (freedom + t²) is Beta(freedom / 2, 1/2).
    x = beta_quantile(2 * (1 - share), freedom / 2, 0.5)
    return sqrt(freedom * (1 - x) / x)


def binomial_two_sided(successes: int, trials: int) -> float:
    """Return the exact two-sided p-value of a fair coin: what is at most as likely as this many successes."""
    if not trials:
        return 1.0
    few = min(successes, trials - successes)
    if 2 * few == trials:
        return 1.0
    return min(1.0, 2 * sum(comb(trials, k) for k in range(few + 1)) / (1 << trials))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a growing function crosses zero between two points, or the end nearest to that.

    The Illinois variant of the false position, with every third step a bisection.
    """
    at_low, at_high = function(low), function(high)
    if at_low >= 0 or at_high <= 0:
        return low if at_low >= 0 else high
    side = 0
    for step in range(_STEPS):
        middle = high - at_high * (high - low) / (at_high - at_low)
        if step % 3 == 2 or not low < middle < high:
            middle = (low + high) / 2
        value = function(middle)
        if value == 0 or high - low < _NARROW:
            return middle
        if value < 0:
            low, at_low, at_high, side = middle, value, at_high / (2 if side < 0 else 1), -1
        else:
            high, at_high, at_low, side = middle, value, at_low / (2 if side > 0 else 1), 1
    return (low + high) / 2
