"""*Run tests* in Compare: offered for tasks with tests, run in both lanes, asked about without a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QPlainTextEdit

from playground.ui import theme
from playground.ui.bridge import Bridge
from playground.ui.compare_page import ComparePage
from playground.ui.compare_vm import CompareVm
from playground.ui.main_window import MainWindow
from playground.ui.results.lane_tests import LaneTestsStrip, attach
from playground.ui.results.lane_tests_state import TestPhase
from playground.ui.results.lane_tests_vm import LaneTestsVm
from tests.support import scripted
from tests.support.scripted import ScriptedServices
from tests.support.scripted_results import NONE, ScriptedResults
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
_BUSY = "A run of the tests is under way."


class _Screen:
    """Compare with its strips."""

    def __init__(self, results: ScriptedResults) -> None:
        self.results = results
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.services = ScriptedServices([scripted.model(), scripted.model("Other", "Q2_K")])
        self.compare = CompareVm(self.services, self.bridge)
        self.page = ComparePage()
        self.page.connect_to(self.compare, (), (), 4)
        self.tests = LaneTestsVm(results, self.compare, self.bridge)
        self.strips = attach(self.page, self.tests)
        self.window = MainWindow(self.page, "light")
        self.window.resize(1024, 640)
        self.window.show()
        self.tests.start()

    async def asked(self, prompt: str) -> None:
        for slot, model in zip("AB", self.services.models, strict=True):
            self.compare.choose_model(slot, model.ref)
            await self.compare.prepared(slot)
        self.compare.run(prompt)
        await come_true(lambda: not self.compare.state.is_running)

    @property
    def task_prompt(self) -> str:
        return self.results.tasks.tasks[0].prompt

    async def phase(self, phase: TestPhase) -> None:
        await come_true(lambda: all(lane.phase is phase for lane in self.tests.lanes.values()))


def _seen(strip: LaneTestsStrip) -> str:
    return "\n".join(label.text() for label in strip.findChildren(QLabel) if label.isVisible())


def _button(strip: LaneTestsStrip, name: str) -> QAbstractButton:
    return next(
        b for b in strip.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name
    )


Scenario = Callable[[_Screen], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner, qapp: QApplication) -> Play:
    """Run a scenario on Compare with its strips."""

    async def drive(scenario: Scenario, results: ScriptedResults) -> None:
        theme.apply(qapp, dark=False)
        screen = _Screen(results)
        try:
            await scenario(screen)
        finally:
            await screen.bridge.close()
            screen.window.close_now()
            screen.window.deleteLater()
        assert not screen.bugs

    return lambda scenario, results=None: run(drive(scenario, results or ScriptedResults()), 30)


def test_a_task_prompt_is_tested_in_both_lanes(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        assert not screen.strips["A"].isVisible()
        await screen.asked(screen.task_prompt)
        await screen.phase(TestPhase.OFFERED)
        assert "This task has 4 tests." in _seen(screen.strips["A"])
        _button(screen.strips["A"], "Run tests A").click()
        await screen.phase(TestPhase.DONE)
        assert "✓ pass" in _seen(screen.strips["A"])
        failed = _seen(screen.strips["B"])
        assert "✗ wrong" in failed
        assert "add(2, 2)" in failed
        assert "5 <b>&" in failed  # as text
        assert "The only fenced block." in failed
        show = _button(screen.strips["B"], "Show code B")
        show.click()
        code = screen.strips["B"].findChild(QPlainTextEdit)
        assert isinstance(code, QPlainTextEdit)
        assert code.isVisible()
        assert "return a + b" in code.toPlainText()
        assert sorted(screen.results.judged) == [("A", False), ("B", False)]

    play(scenario)


def test_another_prompt_has_no_tests(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked("Hello")
        await come_true(lambda: screen.compare.state.lane("B").result is not None)
        assert all(lane.phase is TestPhase.HIDDEN for lane in screen.tests.lanes.values())
        assert not screen.strips["A"].isVisible()

    play(scenario)


def test_a_new_answer_takes_the_old_result_away(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked(screen.task_prompt)
        await screen.phase(TestPhase.OFFERED)
        screen.tests.run()
        await screen.phase(TestPhase.DONE)
        screen.compare.regenerate(None)
        await screen.phase(TestPhase.OFFERED)
        screen.compare.new_conversation()
        assert all(lane.phase is TestPhase.HIDDEN for lane in screen.tests.lanes.values())

    play(scenario)


def test_without_a_sandbox_a_person_reads_the_program_first(play: Play) -> None:
    results = ScriptedResults()
    results.box = NONE

    async def scenario(screen: _Screen) -> None:
        await screen.asked(screen.task_prompt)
        await screen.phase(TestPhase.OFFERED)
        screen.tests.run()
        await screen.phase(TestPhase.ASKING)
        strip = screen.strips["A"]
        assert "Automatic testing is off" in _seen(strip)
        code = strip.findChild(QPlainTextEdit)
        assert isinstance(code, QPlainTextEdit)
        assert code.isVisible()
        assert not any(unsafe for _, unsafe in results.judged)
        _button(screen.strips["B"], "Do not run the program of B").click()
        assert "not run" in _seen(screen.strips["B"])
        _button(strip, "Run the program of A with my rights").click()
        await come_true(lambda: screen.tests.lanes["A"].phase is TestPhase.DONE)
        assert "✓ pass" in _seen(strip)
        assert [unsafe for _, unsafe in results.judged].count(True) == 1

    play(scenario, results)


def test_tasks_with_tests_are_in_the_menu_and_known_to_compare(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await come_true(lambda: bool(screen.compare.more_prompts))
        screen.page.prompt.prompts.click()
        menu = screen.page.prompt._menu
        assert menu is not None
        inner = next(action.menu() for action in menu.actions() if action.text() == "Tasks with tests")
        assert isinstance(inner, QMenu)
        (python,) = inner.actions()
        assert python.text() == "Python"
        tasks = python.menu()
        assert isinstance(tasks, QMenu)
        tasks.actions()[0].trigger()
        menu.close()
        assert screen.page.prompt.editor.toPlainText() == screen.task_prompt

    play(scenario)


def test_tests_wait_while_a_run_has_the_machine(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked(screen.task_prompt)
        await screen.phase(TestPhase.OFFERED)
        screen.compare.set_blocked(_BUSY)
        screen.tests.run()
        assert screen.results.judged == []
        assert _BUSY in _seen(screen.strips["A"])
        screen.compare.set_blocked("")
        screen.tests.run()
        await screen.phase(TestPhase.DONE)
        assert _BUSY not in _seen(screen.strips["A"])

    play(scenario)


def test_compare_refuses_politely_while_a_run_is_under_way(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked("Hello")
        screen.compare.set_blocked(_BUSY)
        assert not screen.compare.state.can_run
        assert screen.page.prompt.run.toolTip() == _BUSY
        screen.compare.run("Again")
        screen.compare.regenerate(None)
        assert len(screen.services.asked) == 1
        screen.compare.set_blocked("")
        assert screen.compare.state.can_run

    play(scenario)
