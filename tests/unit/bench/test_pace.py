"""The time left, with its range."""

from __future__ import annotations

import pytest

from playground.bench.outcome import Outcome
from playground.bench.pace import time_left
from playground.bench.run_data import RunData
from tests.support import runs


def test_there_is_no_guess_before_the_first_answer() -> None:
    left = time_left(RunData(runs.header(3)))
    assert (left.done, left.total, left.left_s) == (0, 6, None)


def test_a_lane_that_has_not_begun_is_as_much_slower_as_it_is_larger() -> None:
    data = RunData(runs.header(4)).with_entries(
        [runs.answer("A", task, lane_s=10.0 * (task + 1)) for task in range(2)]
    )
    left = time_left(data)
    slower = runs.LARGER.size_bytes / runs.COMPACT.size_bytes
    assert left.left_s == pytest.approx(2 * 10 + 4 * 10 * slower)
    assert left.low_s is not None
    assert left.high_s is not None
    assert left.left_s is not None
    assert 0 <= left.low_s < left.left_s < left.high_s


def test_nothing_is_left_at_the_end() -> None:
    data = RunData(runs.header(2)).with_entries(
        runs.entries({"A": [Outcome.PASS] * 2, "B": [Outcome.PASS] * 2})
    )
    left = time_left(data)
    assert (left.done, left.left_s, left.low_s, left.high_s) == (4, 0, 0, 0)


def test_the_range_narrows_with_the_answers() -> None:
    def width(answers: int) -> float:
        data = RunData(runs.header(40, models=(runs.COMPACT,))).with_entries(
            [runs.answer("A", task, lane_s=float(task + 1)) for task in range(answers)]
        )
        left = time_left(data)
        assert left.left_s is not None
        assert left.high_s is not None
        return (left.high_s - left.left_s) / left.left_s

    assert width(30) < width(1)
