"""The Results screen over scripted services, without widgets: which place is shown, and what was asked of whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from playground.bench.events import RunFinished
from playground.bench.record import End
from playground.errors import PlaygroundError, SuiteError
from playground.ui.bridge import Bridge
from playground.ui.results.start_state import Form
from playground.ui.results.vm import Place, ResultsVm
from tests.support import results_runs, runs
from tests.support.scripted_results import ScriptedResults, ScriptedWork
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

_WHOLE, _PART = Path("/runs/whole.jsonl"), Path("/runs/part.jsonl")
Scenario = Callable[[ResultsVm, ScriptedResults], Coroutine[Any, Any, None]]
Play = Callable[[Scenario], None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario with a view-model that has looked around, and end it in order."""

    async def drive(scenario: Scenario) -> None:
        services = ScriptedResults({str(_WHOLE): results_runs.whole(), str(_PART): results_runs.part()})
        bugs: list[BaseException] = []
        bridge = Bridge(bugs.append)
        vm = ResultsVm(services, bridge)
        vm.look()
        await come_true(lambda: vm.start.state.chosen is not None and bool(vm.start.state.runs))
        try:
            await scenario(vm, services)
        finally:
            await bridge.close()
        assert not bugs

    return lambda scenario: run(drive(scenario), 30)


def _has_said(vm: ResultsVm, name: str) -> bool:
    return name in vm.open.state.said


def _at(vm: ResultsVm, place: Place) -> bool:
    return vm.place is place


def _finished() -> list[Any]:
    events = results_runs.under_way()
    return [*events, RunFinished(End("", complete=False, reason="stopped"), results_runs.played(events))]


def test_a_run_file_opens_with_its_verdict(play: Play) -> None:
    async def scenario(vm: ResultsVm, _services: ScriptedResults) -> None:
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        shown = vm.open.state.verdict
        assert shown is not None
        assert shown.headline == "Not settled"
        assert vm.open.tasks.rowCount() == 40
        vm.back()
        assert _at(vm, Place.START)

    play(scenario)


def test_a_file_that_is_no_run_gives_one_sentence(play: Play) -> None:
    async def scenario(vm: ResultsVm, _services: ScriptedResults) -> None:
        vm.open_file(Path("/tmp/nothing.jsonl"))
        await come_true(lambda: bool(vm.start.state.trouble))
        assert "nothing.jsonl is no run file" in vm.start.state.trouble
        assert _at(vm, Place.START)

    play(scenario)


def test_filters_and_tasks_are_gone_through(play: Play) -> None:
    async def scenario(vm: ResultsVm, _services: ScriptedResults) -> None:
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.open.set_filter("only_small", "")
        assert vm.open.tasks.rowCount() == 3
        first = vm.open.tasks.tasks()[0]
        vm.open_task(first)
        assert _at(vm, Place.TASK)
        assert vm.open.state.task is not None
        assert vm.open.state.task.place == "task 1 of 3"
        vm.open.step(True)
        assert vm.open.state.task.place == "task 2 of 3"
        vm.open.step(False)
        vm.open.step(False)  # there is none before the first
        assert vm.open.state.task.task == first
        vm.back()
        assert _at(vm, Place.VERDICT)
        vm.open.set_filter("all", "")
        vm.open_task("top_k_words")
        assert vm.open.state.task.place.startswith("disagreement")

    play(scenario)


def test_a_run_is_begun_followed_and_ends_in_its_verdict(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        services.in_memory = ["Tiny"]
        services.work = ScriptedWork(Path("/runs/new.jsonl"), _finished())
        said: list[str] = []
        busy: list[str] = []
        vm.status.connect(said.append)
        vm.busy_changed.connect(busy.append)
        vm.start.choose(Form(**{**_fields(vm.start.state.form), "margin_points": 5, "samples": 2}))
        vm.begin()
        assert vm.busy
        await come_true(lambda: vm.place is Place.VERDICT)
        wish = services.wishes[0]
        assert [model.name for model in wish.models] == ["Compact 27B", "Larger 72B"]
        assert (wish.settings.margin, wish.settings.samples) == (0.05, 2)
        assert services.in_memory == []  # unloaded first
        assert vm.busy == ""
        assert busy[0]
        assert busy[-1] == ""
        assert any("answers" in text for text in said)
        assert said[-1] == ""
        assert len(vm.running.table.rows) == 40

    play(scenario)


def _fields(form: Form) -> dict[str, Any]:
    return {name: getattr(form, name) for name in form.__slots__}


def test_a_run_can_be_paused_and_stopped_and_another_looked_at_meanwhile(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        work = services.work = ScriptedWork(Path("/runs/new.jsonl"), results_runs.under_way(), hold=True)
        vm.begin()
        await come_true(lambda: vm.place is Place.RUNNING and len(vm.running.table.rows) == 40)
        vm.begin()  # one at a time
        assert len(services.wishes) == 1
        vm.running.toggle_pause()
        assert vm.running.state.paused
        vm.running.toggle_pause()
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.resume()  # a whole run has nothing to resume, and one is under way
        assert services.resumed == []
        vm.open_file(work.path)
        assert _at(vm, Place.RUNNING)
        vm.running.stop()
        assert vm.running.state.stopping
        await come_true(lambda: not vm.running.is_running)
        assert work.calls == ["pause", "go on", "stop"]
        await come_true(lambda: vm.place is Place.VERDICT)

    play(scenario)


def test_a_run_that_cannot_begin_says_why(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        services.problem = SuiteError("The suite is damaged.", hint="Fetch it again.")
        vm.begin()
        await come_true(lambda: bool(vm.start.state.trouble))
        assert "The suite is damaged." in vm.start.state.trouble
        assert _at(vm, Place.START)
        assert vm.busy == ""

    play(scenario)


def test_a_full_disk_keeps_what_there_is_in_sight(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        work = services.work = ScriptedWork(Path("/runs/new.jsonl"), results_runs.under_way(), hold=True)
        work.error = PlaygroundError("The disk is full.", hint="Make room, then resume the run.")
        vm.begin()
        await come_true(lambda: len(vm.running.table.rows) == 40)
        work.stop()
        await come_true(lambda: bool(vm.running.state.trouble))
        assert _at(vm, Place.RUNNING)
        assert "The disk is full." in vm.running.state.trouble
        assert vm.running.state.over
        assert vm.busy == ""

    play(scenario)


def test_an_incomplete_run_is_resumed(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        services.work = ScriptedWork(_PART, _finished())
        vm.open_file(_PART)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.set_blocked("Compare is answering.")
        vm.resume()
        assert services.resumed == []
        vm.set_blocked("")
        vm.resume()
        await come_true(lambda: bool(services.resumed) and not vm.busy)
        assert services.resumed == [_PART]

    play(scenario)


def test_compare_blocks_a_run(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        vm.set_blocked("Compare is answering.")
        vm.begin()
        assert services.wishes == []
        vm.set_blocked("")
        assert vm.start.wish() is not None

    play(scenario)


def test_two_runs_are_put_side_by_side(play: Play) -> None:
    async def scenario(vm: ResultsVm, _services: ScriptedResults) -> None:
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.open.pair_with("A", _PART, "A")
        await come_true(lambda: vm.open.state.verdict is not None and vm.open.state.verdict.is_joined)
        shown = vm.open.state.verdict
        assert shown is not None
        assert not shown.can_resume
        assert shown.found.pair is not None
        assert shown.found.pair.difference == 0

    play(scenario)


def test_another_suite_cannot_be_put_beside(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        services.files["/runs/other.jsonl"] = runs.run(3, 0, 0, 1)
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.open.pair_with("A", Path("/runs/other.jsonl"), "A")
        await come_true(lambda: bool(vm.open.state.trouble))
        assert "different suites" in vm.open.state.trouble

    play(scenario)


def test_the_filter_counts_tasks_and_the_last_question_wins(play: Play) -> None:
    async def scenario(vm: ResultsVm, _services: ScriptedResults) -> None:
        form = _fields(vm.start.state.form)
        for glob in ("t1", "t9", "t1,t2"):
            vm.start.choose(Form(**{**form, "glob": glob}))
        await come_true(lambda: vm.start.state.chosen is not None)
        await asyncio.sleep(0.05)
        assert vm.start.state.chosen == 2
        vm.start.choose(Form(**{**form, "glob": "nothing"}))
        await come_true(lambda: bool(vm.start.state.problem))
        assert "No task of" in vm.start.state.problem

    play(scenario)


def test_a_suite_is_fetched_and_then_counted(play: Play) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        vm.start.choose(Form(**{**_fields(vm.start.state.form), "suite": "humaneval+"}))
        await come_true(lambda: vm.start.state.tasks == 164)
        assert vm.start.wish() is None
        services.problem = PlaygroundError("There is no network.", hint="Try again later.")
        vm.start.fetch_suite()
        await come_true(lambda: bool(vm.start.state.trouble))
        assert vm.start.state.fetching == ""
        services.problem = None
        vm.start.fetch_suite()
        await come_true(lambda: vm.start.state.chosen == 4)
        assert services.fetched == ["humaneval+"]

    play(scenario)


def test_reports_and_pictures_are_written(play: Play, tmp_path: Path) -> None:
    async def scenario(vm: ResultsVm, services: ScriptedResults) -> None:
        vm.open_file(_WHOLE)
        await come_true(lambda: vm.place is Place.VERDICT)
        vm.open.write_report(tmp_path / "r.html", "html")
        await come_true(lambda: "The report is in" in vm.open.state.said)
        assert services.written == [(tmp_path / "r.html", "html")]
        for name in ("p.svg", "p.png"):
            vm.open.write_picture(tmp_path / name, dark=False)
            await come_true(partial(_has_said, vm, name))
            assert (tmp_path / name).stat().st_size > 50
        vm.open.write_picture(tmp_path / "missing" / "p.svg", dark=False)
        await come_true(lambda: "cannot be written" in vm.open.state.trouble)
        vm.open.write_picture(tmp_path / "missing" / "p.png", dark=False)
        await come_true(lambda: "p.png" in vm.open.state.trouble)
        services.problem = PlaygroundError("The report cannot be written.")
        vm.open.write_report(tmp_path / "r.md", "markdown")
        await come_true(lambda: "The report cannot" in vm.open.state.trouble)

    play(scenario)
