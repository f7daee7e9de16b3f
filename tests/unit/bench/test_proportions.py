"""Scores: intervals and p-values against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.bench.statistics.proportions import clopper_pearson, two_proportions, wilson

_COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(_COUNTS)
def test_wilson_is_scipys(case: tuple[int, int]) -> None:
    k, n = case
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n).low == pytest.approx(expected.low, abs=1e-12)
    assert wilson(k, n).high == pytest.approx(expected.high, abs=1e-12)


@given(_COUNTS)
@settings(max_examples=40)
def test_clopper_and_pearson_is_scipys(case: tuple[int, int]) -> None:
    k, n = case
    expected = stats.binomtest(k, n).proportion_ci(method="exact")
    assert clopper_pearson(k, n).low == pytest.approx(expected.low, abs=1e-8)
    assert clopper_pearson(k, n).high == pytest.approx(expected.high, abs=1e-8)


@given(_COUNTS, _COUNTS)
@settings(max_examples=60)
def test_two_shares_are_tested_as_by_scipy(one: tuple[int, int], other: tuple[int, int]) -> None:
    table = [[one[0], one[1] - one[0]], [other[0], other[1] - other[0]]]
    assert two_proportions(*one, *other) == pytest.approx(stats.fisher_exact(table)[1], rel=1e-6, abs=1e-12)


def test_a_share_needs_tasks() -> None:
    with pytest.raises(ValueError, match="0 of 0"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="3 of 2"):
        clopper_pearson(3, 2)


@pytest.mark.parametrize("tasks", [20, 50, 164])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_nineteen_of_twenty_wilson_intervals_hold_the_truth(tasks: int, share: float) -> None:
    chances = stats.binom.pmf(range(tasks + 1), tasks, share)
    found = [wilson(k, tasks) for k in range(tasks + 1)]
    held = sum(p for p, each in zip(chances, found, strict=True) if each.low <= share <= each.high)
    assert 0.93 <= held <= 0.98
