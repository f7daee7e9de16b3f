"""Two models on the same tasks: against scipy, against draws, and what nominal 95 % is worth."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.bench.statistics.paired import Table, above, mcnemar, posterior, tango
from playground.bench.statistics.proportions import Interval

_CELLS = st.integers(0, 120)
_TABLES = st.builds(Table, _CELLS, _CELLS, _CELLS, _CELLS).filter(lambda table: table.tasks > 0)
_CERTAIN = 1e-3  # tables rarer than this are left out


@given(_CELLS, _CELLS)
def test_mcnemar_is_scipys_sign_test(small: int, large: int) -> None:
    expected = stats.binomtest(small, small + large).pvalue if small + large else 1.0
    assert mcnemar(small, large) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "cells", [(23, 3, 8, 6), (20, 0, 0, 0), (0, 12, 0, 8), (150, 0, 1, 13), (10, 5, 5, 0), (300, 50, 80, 70)]
)
def test_the_integral_is_what_draws_from_the_posterior_say(cells: tuple[int, int, int, int]) -> None:
    drawn = np.random.default_rng(1).dirichlet(np.array(cells) + 0.5, 400_000)
    differences = drawn[:, 1] - drawn[:, 2]
    table = Table(*cells)
    for bound in (-0.3, -0.1, -0.02, 0.0, 0.05, 0.4):
        assert above(table, bound) == pytest.approx(np.mean(differences > bound), abs=0.004)
    interval = posterior(table)
    assert above(table, interval.low) == pytest.approx(0.975, abs=1e-6)
    assert above(table, interval.high) == pytest.approx(0.025, abs=1e-6)


@given(_TABLES)
@settings(max_examples=40, deadline=None)
def test_intervals_hold_the_difference_and_change_sides_with_the_models(table: Table) -> None:
    mirrored = Table(table.both, table.only_large, table.only_small, table.neither)
    for method in (posterior, tango):
        found, other = method(table), method(mirrored)
        assert -1 <= found.low < found.high <= 1
        assert (found.low, found.high) == pytest.approx((-other.high, -other.low), abs=1e-5)
    score = tango(table)
    assert score.low - 1e-9 <= table.difference <= score.high + 1e-9


@given(_TABLES, st.floats(-0.99, 0.99), st.floats(0.001, 0.5))
@settings(max_examples=60, deadline=None)
def test_a_larger_bound_is_passed_less_often(table: Table, bound: float, step: float) -> None:
    assert above(table, bound + step) <= above(table, bound) + 1e-6


def test_no_disagreement_is_not_certainty() -> None:
    assert posterior(Table(20, 0, 0, 0)).width > 0.1
    assert tango(Table(20, 0, 0, 0)).width > 0.1


@cache
def _interval(tasks: int, small: int, large: int, score: bool) -> Interval:
    table = Table(tasks - small - large, small, large, 0)
    return tango(table) if score else posterior(table)


def _coverage(tasks: int, small: float, large: float, *, score: bool) -> float:
    """Return how often the interval holds the truth: the sum over all tables, no draws."""
    counts = np.array([(b, c) for b, c in product(range(tasks + 1), repeat=2) if b + c <= tasks])
    cells = np.column_stack([counts, tasks - counts.sum(1)])
    chances = stats.multinomial.pmf(cells, tasks, [small, large, 1 - small - large])
    kept = chances > _CERTAIN
    truth = small - large
    held = [
        _interval(tasks, int(b), int(c), score).low - 1e-9
        <= truth
        <= _interval(tasks, int(b), int(c), score).high + 1e-9
        for b, c in counts[kept]
    ]
    return float(chances[kept] @ np.array(held) / chances[kept].sum())


@pytest.mark.parametrize(
    ("tasks", "cells"),
    [
        *((tasks, cells) for tasks in (20, 50) for cells in ((0.05, 0.10), (0.10, 0.10), (0.05, 0.25))),
        (164, (0.05, 0.10)),  # more of them in tests/benchmarks/coverage.py
    ],
)
def test_nineteen_of_twenty_intervals_hold_the_true_difference(
    tasks: int, cells: tuple[float, float]
) -> None:
    assert 0.93 <= _coverage(tasks, *cells, score=False) <= 0.98


@pytest.mark.parametrize("tasks", [50, 164])
def test_the_score_interval_holds_as_often(tasks: int) -> None:
    assert 0.93 <= _coverage(tasks, 0.05, 0.10, score=True) <= 0.98
