"""The distributions against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.bench.statistics import distributions as ours

_SHAPES = st.floats(0.5, 500)
_SHARES = st.floats(0.001, 0.999)


@given(_SHARES, _SHAPES, _SHAPES)
def test_beta_is_scipys(x: float, a: float, b: float) -> None:
    assert ours.beta_below(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-12)


@given(_SHARES, _SHAPES, _SHAPES)
@settings(max_examples=50)
def test_a_quantile_of_beta_leads_back(share: float, a: float, b: float) -> None:
    assert stats.beta.cdf(ours.beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-9)


@given(st.floats(-30, 30), st.integers(1, 400))
def test_students_t_is_scipys(t: float, freedom: int) -> None:
    assert ours.t_below(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)


@pytest.mark.parametrize("share", [0.025, 0.05, 0.5, 0.95, 0.975])
@pytest.mark.parametrize("freedom", [1, 2, 19, 163])
def test_quantiles_of_t_are_scipys(share: float, freedom: int) -> None:
    assert ours.t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-9, abs=1e-12)


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_fair_coin_is_scipys(case: tuple[int, int]) -> None:
    k, n = case
    expected = stats.binomtest(k, n).pvalue if n else 1.0
    assert ours.binomial_two_sided(k, n) == pytest.approx(expected, rel=1e-9)


def test_ends_are_certain() -> None:
    assert (ours.beta_below(0, 2, 3), ours.beta_below(1, 2, 3)) == (0.0, 1.0)
    assert (ours.t_below(float("inf"), 3), ours.t_below(float("-inf"), 3)) == (1.0, 0.0)
    assert ours.root(lambda x: x + 5, 0.0, 1.0) == 0.0
    assert ours.root(lambda x: x - 5, 0.0, 1.0) == 1.0
