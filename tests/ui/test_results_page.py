"""The Results page over scripted services: every place by clicks and keys, files and dialogs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from playground.ui.results import task_table
from playground.ui.results.pair_dialog import PairDialog
from playground.ui.results.vm import Place
from tests.support import results_runs
from tests.support.results_screen import PART, WHOLE, Scenario, Screen, drive
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


def test_a_run_is_opened_gone_through_and_left_by_keyboard(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        runs = screen.find("Runs", QAbstractItemView)
        runs.setFocus()
        runs.setCurrentIndex(runs.model().index(0, 0))
        screen.key(Qt.Key.Key_Return)
        await come_true(lambda: screen.vm.place is Place.VERDICT)
        view = screen.find("Tasks", QAbstractItemView)
        assert view.hasFocus()
        screen.key(Qt.Key.Key_Home)
        screen.key(Qt.Key.Key_Return)
        assert screen.is_at(Place.TASK)
        assert "disagreement 1 of 11" in screen.seen()
        screen.key(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        assert "disagreement 2 of 11" in screen.seen()
        screen.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert "disagreement 1 of 11" in screen.seen()
        screen.key(Qt.Key.Key_Escape)
        assert screen.is_at(Place.VERDICT)
        assert view.hasFocus()
        screen.key(Qt.Key.Key_Escape)
        assert screen.is_at(Place.START)

    play(scenario)


def test_a_double_click_opens_a_task_and_the_table_goes_back_to_it(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.opened()
        view = screen.find("Tasks", QAbstractItemView)
        index = view.model().index(2, task_table.TASK)
        view.doubleClicked.emit(index)
        assert screen.is_at(Place.TASK)
        title = index.data()
        screen.find("Next", QAbstractButton).click()
        screen.find("Results", QAbstractButton, screen.page.task).click()
        assert screen.is_at(Place.VERDICT)
        assert view.currentIndex().row() == 3
        assert view.currentIndex().siblingAtColumn(task_table.TASK).data() != title

    play(scenario)


def test_filters_search_and_sorting(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.opened()
        view = screen.find("Tasks", QAbstractItemView)
        screen.find("Only compact  3", QAbstractButton).click()
        assert view.model().rowCount() == 3
        screen.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        field = screen.find("Find a task", QLineEdit)
        assert field.hasFocus()
        QTest.keyClicks(field, "zzz")
        await come_true(lambda: view.model().rowCount() == 0)
        assert "No task passes this filter." in screen.seen()
        screen.key(Qt.Key.Key_Escape)  # empties the field first
        await come_true(lambda: view.model().rowCount() == 3)
        screen.find("All, disagreements first  40", QAbstractButton).click()
        view.model().sort(task_table.TOKENS_A, Qt.SortOrder.DescendingOrder)
        assert view.model().index(0, task_table.TOKENS_A).data() == "2,048"

    play(scenario)


def test_a_task_shows_both_programs_answers_and_outputs(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.opened()
        screen.vm.open_task("top_k_words")
        seen = screen.seen()
        assert "2 lines changed, 2 only in B." in seen
        assert "The only fenced block" in seen
        assert "2 of 6 cases fail, first: case 3" in seen
        program = screen.find("Program of A", QWidget)
        assert "Counter(words)" in screen.page.task.panes[0].code.accessibleDescription()
        assert program.isVisible()
        screen.find("Answers", QAbstractButton).click()
        answer = screen.find("Whole answer of A", QPlainTextEdit)
        assert answer.toPlainText().startswith("Here is the function.")
        assert answer.isReadOnly()
        screen.find("Output", QAbstractButton).click()
        assert "<b>not bold</b>" in screen.find("Output of A", QPlainTextEdit).toPlainText()
        screen.find("One column", QAbstractButton).click()
        assert "reverse=True" in screen.page.task.both.accessibleDescription()
        screen.find("Side by side", QAbstractButton).click()
        screen.find("Copy the program of A", QAbstractButton).click()
        assert QGuiApplication.clipboard().text() == results_runs.CODE_A
        cases = screen.find("Tests of A", QAbstractItemView)
        cases.setFocus()
        cases.setCurrentIndex(cases.model().index(2, 0))
        screen.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert 'Expected: ["fig", "pear"]' in QGuiApplication.clipboard().text()

    play(scenario)


def test_a_task_goes_to_compare(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        wanted: list[tuple[str, str, str]] = []
        screen.page.compare_wanted.connect(lambda *each: wanted.append(each))
        await screen.opened()
        screen.vm.open_task("top_k_words")
        screen.find("Open in Compare", QAbstractButton).click()
        assert wanted == [("compact", "larger", results_runs.PROMPT)]

    play(scenario)


def test_the_form_begins_a_run_that_is_shown_and_stopped(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        screen.services.work = ScriptedWork(Path("/runs/new.jsonl"), results_runs.under_way(), hold=True)
        screen.find("Margin", QSpinBox).setValue(7)
        screen.find("Answers to each task", QSpinBox).setValue(3)
        plan = screen.find("Plan", QComboBox)
        plan.setCurrentIndex(2)
        plan.activated.emit(2)
        filtered = screen.find("Only these tasks", QLineEdit)
        QTest.keyClicks(filtered, "t1,t2")
        await come_true(lambda: screen.vm.start.state.chosen == 2)
        said: list[str] = []
        screen.page.status.connect(said.append)
        screen.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await come_true(lambda: len(screen.vm.running.table.rows) == 40)
        settings = screen.services.wishes[0].settings
        assert (settings.margin, settings.samples, settings.plan) == (0.07, 3, "together")
        assert settings.task_glob == "t1,t2"
        assert any("answers" in text for text in said)
        seen = screen.seen()
        assert "The verdict stays closed" in seen
        assert "inverted.setdefault(value, []).append(key" in seen
        screen.find("Pause", QAbstractButton).click()
        screen.find("Go on", QAbstractButton).click()
        screen.key(Qt.Key.Key_Escape)
        assert screen.is_at(Place.START)
        assert not screen.find("Begin the run", QAbstractButton).isEnabled()
        screen.find("A run is under way: show it", QAbstractButton).click()
        screen.find("Stop", QAbstractButton).click()
        await come_true(lambda: screen.vm.place is Place.VERDICT)

    play(scenario)


def test_an_empty_machine_says_what_to_do(play: Play) -> None:
    services = ScriptedResults({})
    services.models = []
    services.box = NONE

    async def scenario(screen: Screen) -> None:
        wanted: list[bool] = []
        screen.page.library_wanted.connect(lambda: wanted.append(True))
        seen = screen.seen()
        assert "No run yet." in seen
        assert "Automatic testing is off" in seen
        assert "There is no model on this computer yet" in seen
        assert not screen.find("Begin the run", QAbstractButton).isEnabled()
        screen.find("Open the Library", QAbstractButton).click()
        assert wanted == [True]

    play(scenario, services)


def test_what_cannot_be_read_is_said_and_not_opened(play: Play) -> None:
    services = ScriptedResults({WHOLE: results_runs.whole()})
    services.damaged["/runs/bad.jsonl"] = "It is no run file, or damaged."

    async def scenario(screen: Screen) -> None:
        runs = screen.find("Runs", QAbstractItemView)
        assert "damaged" in str(runs.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole))
        screen.vm.open_file(Path("/runs/bad.jsonl"))
        await come_true(lambda: "is no run file" in screen.seen())

    play(scenario, services)


def test_files_are_asked_for_without_waiting(play: Play, tmp_path: Path) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.opened()
        asks: tuple[tuple[Callable[[], None], str], ...] = (
            (partial(screen.page.ask_for_report, "html"), "r.html"),
            (partial(screen.page.ask_for_report, "markdown"), "r.md"),
            (screen.page.ask_for_picture, "p.png"),
        )
        for ask, name in asks:
            ask()
            dialog = next(d for d in screen.page.findChildren(QFileDialog) if d.isVisible())
            dialog.fileSelected.emit(str(tmp_path / name))
            dialog.reject()
            await come_true(partial(screen.has_said, name))
        screen.page.ask_for_file()
        dialog = next(d for d in screen.page.findChildren(QFileDialog) if d.isVisible())
        dialog.fileSelected.emit(PART)
        dialog.reject()
        await come_true(
            lambda: bool(screen.vm.open.state.verdict and screen.vm.open.state.verdict.can_resume)
        )
        assert [form for _, form in screen.services.written] == ["html", "markdown"]
        assert screen.find("Go on", QAbstractButton).isEnabled()

    play(scenario)


def test_another_run_is_chosen_to_compare_with(play: Play) -> None:
    async def scenario(screen: Screen) -> None:
        await screen.opened()
        screen.find("Compare with…", QAbstractButton).click()
        dialog = screen.window.findChildren(PairDialog)[0]
        assert dialog.run.count() == 1
        dialog.lane.setCurrentIndex(1)
        dialog.accept()
        await come_true(lambda: bool(screen.vm.open.state.verdict and screen.vm.open.state.verdict.is_joined))
        assert "Two runs of" in screen.page.verdict.picker.accessibleName()

    play(scenario)
