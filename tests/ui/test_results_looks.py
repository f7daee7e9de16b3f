"""The Results page: what fits, has a name, follows the theme; one model alone; foreign text as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLabel,
    QToolButton,
)

from playground.bench.outcome import Outcome
from playground.bench.run_data import RunData
from playground.errors import PlaygroundError
from playground.ui import theme
from playground.ui.meters import ElidedLabel
from playground.ui.results import task_table
from playground.ui.results.task_view import TaskView
from playground.ui.results.vm import Place
from tests.support import results_runs, runs
from tests.support.results_screen import WHOLE, Scenario, Screen, drive
from tests.support.scripted_results import NONE, ScriptedResults, ScriptedWork
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


Play = Callable[..., None]


@pytest.fixture
def play(run: Runner, qapp: QApplication) -> Play:
    """Run a scenario on a shown window, with services."""

    def play(
        scenario: Scenario, services: ScriptedResults | None = None, size: tuple[int, int] = (1280, 800)
    ) -> None:
        run(drive(qapp, scenario, services, size), 30)

    return play


def test_one_model_alone_has_a_place_too(play: Play) -> None:
    alone = RunData(runs.header(2, models=(runs.COMPACT,))).with_entries(
        runs.entries({"A": [Outcome.PASS, Outcome.WRONG]})
    )

    async def scenario(screen: Screen) -> None:
        await screen.opened()
        assert "1 of 2 solved" in screen.seen()
        assert "task by task" not in screen.seen()
        view = screen.find("Tasks", QAbstractItemView)
        assert isinstance(view, TaskView)
        assert view.isColumnHidden(task_table.LANE_B)
        screen.vm.open_task("task-1")
        assert screen.find("Program", QAbstractButton).isVisible()
        assert not screen.page.task.panes[1].isVisible()

    play(scenario, ScriptedResults({WHOLE: alone}))


def test_without_a_sandbox_one_program_is_read_and_allowed(play: Play) -> None:
    code = {"task-0": runs.CODE, "task-1": "x = 1\n" * 2000}  # nobody reads the second one
    entries = [
        msgspec.structs.replace(
            (made := runs.result("A", place, Outcome.NOT_RUN)),
            extracted=msgspec.structs.replace(made.extracted, code=code[made.task], outcome=None),
        )
        for place in (0, 1)
    ]
    alone = RunData(runs.header(2, models=(runs.COMPACT,))).with_entries(
        [runs.answer("A", 0), runs.answer("A", 1), *entries]
    )
    services = ScriptedResults({WHOLE: alone})
    services.box = NONE

    async def scenario(screen: Screen) -> None:
        await screen.opened()
        assert "2 programs could not be run" in screen.seen()
        screen.vm.open_task("task-1")
        assert not screen.page.task.panes[0].allow.isVisible()
        screen.vm.open_task("task-0")
        allow = screen.find("Run the program of A with my rights", QAbstractButton)
        services.problem = PlaygroundError("The file is in use.", hint="Close the other window.")
        allow.click()
        await come_true(lambda: "The file is in use." in screen.seen())
        services.problem = None
        allow.click()
        await come_true(lambda: "✓ pass" in screen.seen())
        assert services.judged == [("A", True)]
        assert not allow.isVisible()
        screen.vm.back()
        assert "1 program could not be run" in screen.seen()

    play(scenario, services)


def test_with_a_sandbox_nobody_is_asked(play: Play) -> None:
    alone = RunData(runs.header(1, models=(runs.COMPACT,))).with_entries(
        [runs.answer("A", 0), runs.result("A", 0, Outcome.NOT_RUN)]
    )

    async def scenario(screen: Screen) -> None:
        await screen.opened()
        screen.vm.open_task("task-0")
        assert not screen.page.task.panes[0].allow.isVisible()
        screen.vm.open.allow("A")
        assert screen.services.judged == []

    play(scenario, ScriptedResults({WHOLE: alone}))


def test_what_looks_like_html_is_shown_as_it_is(play: Play) -> None:
    evil = "& <img src='x'><b>bold</b> \x1b[31m"
    header = runs.header(1)
    info = msgspec.structs.replace(header.task_infos[0], title=evil, topic=evil, prompt=evil)
    whole = runs.run(1, 0, 0, 0)
    data = RunData(
        msgspec.structs.replace(header, task_infos=(info,), suite_title=evil),
        answers=whole.answers,
        results=whole.results,
    )

    async def scenario(screen: Screen) -> None:
        await screen.opened()
        screen.vm.open_task("task-0")
        for shown in screen.page.findChildren(QLabel):
            if "<img" in shown.text() and not isinstance(shown, ElidedLabel):  # which paints its text itself
                assert shown.textFormat() == Qt.TextFormat.PlainText, shown.text()
            assert "<img" not in shown.toolTip()
            assert "\x1b" not in shown.text()
        tip = screen.page.verdict.view.model().index(0, task_table.TASK).data(Qt.ItemDataRole.ToolTipRole)
        assert "&lt;img" in tip
        assert "&&" in screen.page.verdict.picker.text()

    play(scenario, ScriptedResults({WHOLE: data}))


@pytest.mark.parametrize("size", [(1280, 800), (1024, 640)])
def test_everything_fits_has_a_name_and_follows_the_theme(
    play: Play, qapp: QApplication, size: tuple[int, int]
) -> None:
    async def scenario(screen: Screen) -> None:
        screen.services.work = ScriptedWork(Path("/runs/new.jsonl"), results_runs.under_way(), hold=True)
        await screen.opened()
        screen.vm.open_task("top_k_words")
        for dark in (False, True):
            theme.apply(qapp, dark)
            for place in (Place.TASK, Place.VERDICT, Place.START):
                screen.vm.go(place)
                _check_place(screen, size)
            screen.vm.open_task("top_k_words")
        screen.vm.go(Place.START)
        screen.vm.begin()
        await come_true(lambda: len(screen.vm.running.table.rows) == 40)
        _check_place(screen, size)

    play(scenario, size=size)


def _check_place(screen: Screen, size: tuple[int, int]) -> None:
    assert (screen.window.width(), screen.window.height()) == size  # nothing has made it grow
    shown = screen.page._places[screen.vm.place]
    for button in shown.findChildren(QAbstractButton):
        if button.isVisible() and not isinstance(button, QToolButton):  # a field draws its icon with one
            assert button.accessibleName() or button.text(), button
            place = button.mapTo(screen.page, button.rect().bottomRight())
            assert place.x() <= screen.page.width(), button.text()
    for field in shown.findChildren(QAbstractItemView):
        if field.isVisible() and not isinstance(field, QHeaderView):
            assert field.accessibleName(), field
    assert not screen.window.grab().isNull()
