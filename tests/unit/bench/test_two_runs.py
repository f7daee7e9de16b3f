"""Two runs side by side: lanes of each, paired by task, and what they did not have in common."""

from __future__ import annotations

import msgspec
import pytest

from playground.bench.record import Machine, RunSettings
from playground.bench.run_data import RunData
from playground.bench.two_runs import side_by_side
from playground.bench.verdict import verdict
from playground.errors import SuiteError
from tests.support import runs


def test_lanes_of_two_runs_are_paired_by_task() -> None:
    first, second = runs.run(2, 4, 0, 1), runs.run(3, 0, 3, 1)
    joined = side_by_side(first, "A", second, "A")
    assert joined.slots == ("A", "B")
    assert joined.notes == ()
    pair = verdict(joined).pair
    assert pair is not None
    assert (pair.both, pair.only_small, pair.only_large, pair.neither) == (3, 3, 0, 1)
    assert joined.peak_bytes("B") == second.peak_bytes("A")
    assert joined.busy_s("B") == second.busy_s("A")


def test_only_tasks_of_both_count_and_that_is_said() -> None:
    joined = side_by_side(runs.run(5, 0, 0, 0), "B", runs.run(2, 0, 0, 1), "A")
    assert joined.header.tasks == ("task-0", "task-1", "task-2")
    assert len(joined.answers) == 6
    assert any("Only the 3 tasks" in note for note in joined.notes)


def test_other_settings_machines_and_versions_are_said() -> None:
    first = runs.run(2, 0, 0, 0)
    header = msgspec.structs.replace(
        first.header,
        settings=RunSettings(max_tokens=512),
        machine=Machine("Linux", "Another", 4, 1),
        suite_sha256="0" * 64,
    )
    notes = " ".join(side_by_side(first, "A", RunData(header, answers=first.answers), "B").notes)
    assert "longest answer" in notes
    assert "machines" in notes
    assert "suite changed" in notes


def test_runs_that_have_nothing_in_common_are_refused() -> None:
    first = runs.run(1, 0, 0, 0)
    other = msgspec.structs.replace(first.header, suite_id="other")
    with pytest.raises(SuiteError, match="different suites"):
        side_by_side(first, "A", RunData(other), "A")
    elsewhere = msgspec.structs.replace(first.header, tasks=("x",))
    with pytest.raises(SuiteError, match="no task in common"):
        side_by_side(first, "A", RunData(elsewhere), "A")
