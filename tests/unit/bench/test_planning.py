"""Sizes of runs, what they can show, and looking after every task."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import binom

from playground.bench.statistics.paired import mcnemar
from playground.bench.statistics.planning import (
    about,
    evidence,
    may_stop,
    smallest_gap,
    tasks_for_gap,
    tasks_for_margin,
)

_RACES, _TASKS = 10_000, 164


def test_known_sizes() -> None:
    assert [tasks_for_margin(d, 0.10) for d in (0.05, 0.10, 0.20)] == [31, 62, 124]
    assert [tasks_for_margin(d, 0.05) for d in (0.05, 0.10, 0.20)] == [124, 248, 495]
    assert [tasks_for_gap(d, g) for g, d in ((0.2, 0.3), (0.1, 0.2), (0.05, 0.15), (0.03, 0.12))] == [
        57,
        155,
        469,
        1045,
    ]
    assert tasks_for_margin(0.1, 0.0) is None
    assert tasks_for_gap(0.1, 0.0) is None


@given(st.integers(6, 500), st.floats(0, 1))
def test_what_so_many_tasks_show_needs_no_more_of_them(tasks: int, discordance: float) -> None:
    gap = smallest_gap(tasks, discordance)
    assert gap is not None
    needed = tasks_for_gap(max(discordance, 0.10), gap)
    assert needed is not None
    assert needed <= tasks + 1


@pytest.mark.parametrize(
    ("tasks", "discordance"), [(15, 0.27), (20, 0.15), (40, 0.275), (50, 0.15), (164, 0.15), (164, 0.05)]
)
def test_what_so_many_tasks_show_is_shown_by_the_exact_test(tasks: int, discordance: float) -> None:
    gap = smallest_gap(tasks, discordance)
    assert gap is not None
    telling = max(discordance, gap, 0.10)
    power = 0.0
    for count in range(tasks + 1):
        wins = [won for won in range(count + 1) if mcnemar(won, count - won) < 0.05]
        chance = binom.pmf(wins, count, (telling + gap) / (2 * telling)).sum() if wins else 0.0
        power += binom.pmf(count, tasks, telling) * chance
    assert 0.79 < power < 0.90


def test_few_tasks_show_nothing_at_all() -> None:
    assert smallest_gap(5, 0.3) is None


@pytest.mark.parametrize(("lost", "needed"), [(0, 8), (1, 11), (2, 14)])
def test_the_leads_that_settle_it(lost: int, needed: int) -> None:
    assert may_stop(needed, lost)
    assert not may_stop(needed - 1, lost)
    assert evidence(needed, lost) == pytest.approx(evidence(lost, needed))


def test_looking_after_every_task_names_few_false_winners() -> None:
    rng = np.random.default_rng(3)
    kind = rng.random((_RACES, _TASKS))
    wins = np.cumsum(kind < 0.075, axis=1)
    losses = np.cumsum((kind >= 0.075) & (kind < 0.15), axis=1)
    n = wins + losses
    logs = n * np.log(2) - np.log(n + 1) - gammaln(n + 1) + gammaln(wins + 1) + gammaln(losses + 1)
    assert logs[5, -1] == pytest.approx(np.log(evidence(int(wins[5, -1]), int(losses[5, -1]))))
    assert np.mean((logs >= np.log(20)).any(axis=1)) <= 0.05
    significant = np.array([[mcnemar(w, lost) < 0.05 for lost in range(40)] for w in range(40)])
    naive = significant[np.minimum(wins, 39), np.minimum(losses, 39)].any(axis=1)
    assert np.mean(naive) > 0.05  # what the rule is for


@pytest.mark.parametrize(("number", "said"), [(0, 0), (7, 7), (96, 96), (131, 130), (1045, 1000)])
def test_estimates_have_two_digits(number: int, said: int) -> None:
    assert about(number) == said
