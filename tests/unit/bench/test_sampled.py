"""Several answers to a task: against scipy, by counting, and by draws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.bench.statistics import sampled

_DIFFERENCES = st.lists(st.integers(-4, 4).map(lambda k: k / 4), min_size=2, max_size=60)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.integers(1, n), st.integers(0, n), st.just(n))))
def test_both_estimates_are_shares_of_all_choices(case: tuple[int, int, int]) -> None:
    k, passed, samples = case
    answers = [index < passed for index in range(samples)]
    choices = list(combinations(answers, k))
    assert sampled.pass_at(k, passed, samples) == pytest.approx(np.mean([any(c) for c in choices]))
    assert sampled.pass_all(k, passed, samples) == pytest.approx(np.mean([all(c) for c in choices]))


def test_more_answers_than_there_are_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="6 of 5"):
        sampled.pass_at(6, 1, 5)


@given(_DIFFERENCES)
def test_students_interval_is_scipys(differences: list[float]) -> None:
    found = sampled.t_interval(differences)
    if np.ptp(differences) == 0:
        assert found is None
        assert sampled.t_above(differences, 0.0) is None
        return
    test = stats.ttest_1samp(differences, -0.1)
    expected = test.confidence_interval()
    assert found is not None
    assert (found.low, found.high) == pytest.approx((max(-1, expected.low), min(1, expected.high)), abs=1e-9)
    above = stats.ttest_1samp(differences, -0.1, alternative="greater").pvalue
    assert sampled.t_above(differences, -0.1) == pytest.approx(1 - above, abs=1e-9)


@given(st.lists(st.integers(-4, 4).map(lambda k: k / 4), min_size=2, max_size=9))
@settings(max_examples=30, deadline=None)
def test_the_exact_permutation_test_is_scipys(differences: list[float]) -> None:
    test = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sampled.permutation(differences) == pytest.approx(min(1.0, test.pvalue), abs=1e-9)


def test_the_drawn_permutation_test_is_close_and_the_same_each_time() -> None:
    differences = [*np.linspace(-0.5, 1.0, 40)]
    expected = stats.ttest_1samp(differences, 0.0).pvalue
    assert sampled.permutation(differences) == pytest.approx(expected, abs=0.01)
    assert sampled.permutation(differences) == sampled.permutation(differences)


def test_the_bootstrap_waits_for_fifty_tasks() -> None:
    differences = [*np.linspace(-0.5, 1.0, 60)]
    assert sampled.bootstrap(differences[:49]) is None
    assert sampled.bootstrap([0.0] * 60) is None
    found, student = sampled.bootstrap(differences), sampled.t_interval(differences)
    assert found is not None
    assert student is not None
    assert (found.low, found.high) == pytest.approx((student.low, student.high), abs=0.03)


@pytest.mark.parametrize("tasks", [20, 50])
def test_with_samples_the_task_is_the_unit(tasks: int) -> None:
    """Pass rates differ from task to task: only intervals over tasks hold the truth as often as they say."""
    rng = np.random.default_rng(7)
    held = 0
    races = 600
    for _ in range(races):
        small = rng.beta(1.6, 0.8, tasks)
        large = np.clip(small + rng.normal(0, 0.2, tasks), 0, 1)
        differences = (rng.binomial(4, small) - rng.binomial(4, large)) / 4
        found = sampled.t_interval([*differences])
        truth = _TRUTH
        held += found is not None and found.low <= truth <= found.high
    assert 0.925 <= held / races <= 0.985


def _truth() -> float:
    rng = np.random.default_rng(8)
    small = rng.beta(1.6, 0.8, 400_000)
    return float(np.mean(small - np.clip(small + rng.normal(0, 0.2, small.size), 0, 1)))


_TRUTH = _truth()
