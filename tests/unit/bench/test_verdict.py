"""What a run proves, in numbers and in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.bench.outcome import Outcome
from playground.bench.record import RunSettings
from playground.bench.run_data import RunData
from playground.bench.verdict import Verdict, verdict
from tests.support import runs

_SMALL, _LARGE = "Compact 27B", "Larger 72B"


def _text(found: Verdict) -> str:
    return " ".join(found.sentences)


def test_the_numbers_of_a_known_run() -> None:
    found = verdict(runs.run(23, 3, 8, 6))
    pair = found.pair
    assert pair is not None
    assert (pair.both, pair.only_small, pair.only_large, pair.neither) == (23, 3, 8, 6)
    assert pair.difference == pytest.approx(-0.125)
    assert pair.p_value == pytest.approx(0.2266, abs=1e-4)
    assert (pair.low, pair.high) == pytest.approx((-0.278, 0.036), abs=1e-3)
    assert pair.can_show == pytest.approx(0.238, abs=0.005)
    assert (pair.equal_tasks, pair.gap_tasks) == (130, 96)
    assert found.headline == "Not settled"
    assert not found.settled
    assert f"{_SMALL} solved 26 of 40 (50–78 %), {_LARGE} solved 31 of 40 (62–88 %)" in _text(found)
    assert f"Both solved 23, only {_SMALL} 3, only {_LARGE} 8, neither 6." in _text(found)
    assert "−12.5 points, 95 % interval −28 to +3.6; p = 0.23 (exact McNemar)" in _text(found)


@given(st.integers(0, 60), st.integers(0, 5), st.integers(0, 5), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_below_six_telling_tasks_nobody_is_named(both: int, small: int, large: int, neither: int) -> None:
    if small + large > 5 or both + small + large + neither == 0:
        return
    found = verdict(runs.run(both, small, large, neither))
    assert found.headline == "No difference seen yet"
    assert not found.settled
    assert not any(word in _text(found) for word in ("solves more", "within 10"))


@pytest.mark.parametrize(
    ("cells", "headline"),
    [
        ((10, 0, 6, 4), f"{_LARGE} solves more"),
        ((10, 6, 0, 4), f"{_SMALL} solves more"),
        ((300, 1, 12, 20), f"{_LARGE} solves more, within your margin of 10 points"),
        ((120, 6, 7, 20), f"{_SMALL} is within your margin of 10 points"),
        ((20, 4, 5, 5), "Not settled"),
    ],
)
def test_the_headline_follows_from_the_table(cells: tuple[int, int, int, int], headline: str) -> None:
    found = verdict(runs.run(*cells))
    assert found.headline == headline
    assert found.settled == (headline != "Not settled")


def test_an_unfinished_run_names_nobody_before_the_evidence_bears_looking() -> None:
    def unfinished(wins: int) -> Verdict:
        whole = runs.run(4, 0, wins, 2)
        more = msgspec.structs.replace(whole.header, tasks=(*whole.header.tasks, "task-later"))
        return verdict(RunData(more, whole.loads, whole.answers, whole.results))

    few, many = unfinished(7), unfinished(8)
    assert few.pair is not None
    assert few.pair.p_value < 0.05
    assert few.headline == "Not settled"
    assert "names nobody" in _text(few)
    assert many.headline == f"{_LARGE} solves more"
    assert "one may stop" in _text(many)
    assert not many.complete
    assert f"1 task of {_SMALL} not judged" in _text(many)


@pytest.mark.parametrize(("both", "small", "large"), [(15, 0, 0), (40, 1, 1), (60, 2, 1), (14, 0, 1)])
def test_the_tasks_that_would_settle_it_are_enough_to_name_anybody(both: int, small: int, large: int) -> None:
    pair = verdict(runs.run(both, small, large, 0)).pair
    assert pair is not None
    assert pair.equal_tasks is not None
    tasks = both + small + large
    telling = (small + large or tasks / (tasks + 1)) / tasks
    assert telling * (tasks + pair.equal_tasks) > 5.7  # rounded to two digits


def test_evidence_for_one_does_not_name_the_other() -> None:
    """Many small wins and one large loss: the counts say one thing, the sums another."""
    whole = _sampled({"A": [1] * 14 + [0] * 2, "B": [0] * 14 + [10] * 2}, 10)
    more = msgspec.structs.replace(whole.header, tasks=(*whole.header.tasks, "task-later"))
    found = verdict(RunData(more, whole.loads, whole.answers, whole.results))
    assert found.pair is not None
    assert found.pair.evidence > 20
    assert not found.pair.may_stop
    assert found.pair.difference < 0
    assert found.headline == "Not settled"
    assert "leads" not in _text(found)


def test_speed_and_memory_stand_beside_quality() -> None:
    small, large = verdict(runs.run(6, 2, 4, 8)).costs
    assert small.solved_per_minute == pytest.approx(8.0)
    assert large.solved_per_minute == pytest.approx(10.0)
    assert small.solved_per_gb == pytest.approx(4.0)
    assert large.solved_per_gb == pytest.approx(1.25)
    assert (small.tokens_per_s, large.tokens_per_s) == (30.0, 6.0)
    assert (small.run_s, small.peak_bytes, small.tokens) == (60.0, 2_000_000_000, 1000)


def test_one_model_has_a_score_and_nothing_else() -> None:
    data = RunData(runs.header(4, models=(runs.COMPACT,))).with_entries(
        runs.entries({"A": [Outcome.PASS, Outcome.PASS, Outcome.WRONG, Outcome.PASS]})
    )
    found = verdict(data)
    assert found.pair is None
    assert found.headline == "3 of 4 solved"
    assert _SMALL in _text(found)


def _sampled(rates: dict[str, list[int]], samples: int) -> RunData:
    tasks = len(rates["A"])
    data = RunData(runs.header(tasks, settings=RunSettings(samples=samples)))
    for slot, passed in rates.items():
        for task, count in enumerate(passed):
            for sample in range(samples):
                outcome = Outcome.PASS if sample < count else Outcome.WRONG
                data = data.with_entries(
                    [runs.answer(slot, task, sample), runs.result(slot, task, outcome, sample)]
                )
    return data


def test_with_samples_the_task_is_the_unit() -> None:
    found = verdict(_sampled({"A": [4, 3, 2, 1, 0, 4, 2, 1], "B": [4, 4, 4, 3, 2, 4, 3, 3]}, 4))
    pair = found.pair
    assert pair is not None
    assert pair.tasks == 8
    assert pair.discordant == 6
    assert pair.difference == pytest.approx(-10 / 32)
    assert pair.interval == "Student's t over tasks"
    assert pair.p_value == pytest.approx(2 / 64)
    assert "(permutation test over tasks)" in _text(found)
    small = found.scores[0]
    assert small.solved == pytest.approx(17 / 4)
    assert small.pass_at[0][1] == pytest.approx(17 / 32)
    assert [*small.pass_at[-1]] == pytest.approx([4, 7 / 8, 2 / 8])
    assert "one of 4 answers passes" in _text(found)


def test_equal_samples_leave_an_interval_with_a_width() -> None:
    found = verdict(_sampled({"A": [4, 2, 0], "B": [4, 2, 0]}, 4))
    pair = found.pair
    assert "McNemar" not in _text(found)
    assert pair is not None
    assert pair.low < -0.1 < 0.1 < pair.high
    assert pair.p_value == 1.0


def test_a_score_far_below_the_published_one_is_a_fault_of_the_set_up() -> None:
    outcomes = [Outcome.PASS] * 20 + [Outcome.CUT_OFF] * 30 + [Outcome.WRONG] * 10
    data = RunData(
        runs.header(60, models=(runs.COMPACT,), published={"compact-27b": 0.9, "other": 0.1})
    ).with_entries(runs.entries({"A": outcomes}))
    (fault,) = verdict(data).faults
    assert "far below the 90% that is published for compact-27b" in fault.sentence
    assert "set-up is probably at fault" in fault.sentence
    assert fault.checks == ("30 of 60 answers were cut off: raise --max-tokens, or the context.",)


def test_a_score_near_the_published_one_is_no_fault() -> None:
    data = RunData(runs.header(60, models=(runs.COMPACT,), published={"compact-27b": 0.9})).with_entries(
        runs.entries({"A": [Outcome.PASS] * 50 + [Outcome.WRONG] * 10})
    )
    assert not verdict(data).faults


def test_answers_that_nobody_ran_are_no_failures() -> None:
    data = RunData(runs.header(2)).with_entries(
        runs.entries({"A": [Outcome.NOT_RUN] * 2, "B": [Outcome.NOT_RUN] * 2})
    )
    found = verdict(data)
    assert found.headline == "Nothing to compare yet"
    assert "Some programs were not run, and nothing is said of them: A test got" in _text(found)
    assert found.costs[0].solved_per_minute is None


def test_a_lane_that_died_is_told() -> None:
    whole = runs.run(3, 0, 0, 1)
    died = msgspec.structs.replace(whole.lane_ends["B"], error="The engine ended with signal 9 (SIGKILL).")
    results = {key: each for key, each in whole.results.items() if key[:2] != ("B", "task-3")}
    answers = {key: each for key, each in whole.answers.items() if key[:2] != ("B", "task-3")}
    found = verdict(RunData(whole.header, whole.loads, answers, results, {**whole.lane_ends, "B": died}))
    assert "1 task of Larger 72B not judged: The engine ended with signal 9 (SIGKILL)." in _text(found)
    assert found.pair is not None
    assert found.pair.tasks == 3
    assert "On the 3 tasks that both answered" in _text(found)


def test_the_caution_is_said() -> None:
    data = RunData(runs.header(1, caution="Probably in training data")).with_entries(
        runs.entries({"A": [Outcome.PASS], "B": [Outcome.PASS]})
    )
    assert "Probably in training data." in _text(verdict(data))


def test_a_verdict_is_json() -> None:
    found = verdict(runs.run(23, 3, 8, 6))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Verdict) == found
