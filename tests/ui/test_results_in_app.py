"""Results and *Run tests* in a whole app: real engines on tiny models with known answers, the real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from playground import app as application
from playground.bench import suites
from playground.ui.results.lane_tests import LaneTestsStrip
from playground.ui.results.page import ResultsPage
from playground.ui.results.vm import Place
from tests.support import bench_models
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

Scenario = Callable[[application.App], Coroutine[Any, Any, None]]
_until = partial(come_true, most_s=40)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return a model whose answers fail and one whose answer to the task passes."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    return str(bench_models.wrong_model(tmp_path)), str(bench_models.right_model(tmp_path))


@pytest.fixture
def in_app(models: tuple[str, str], run: Runner, qapp: QApplication) -> Callable[[Scenario], None]:
    """Run a coroutine beside a whole app that holds both models, and end the app in order."""

    async def drive(scenario: Scenario) -> None:
        window = application.make_window(qapp, "light")
        running = application.App(qapp, window)
        window.show()
        running.begin(models, None)
        try:
            await _until(lambda: all(lane.model is not None for lane in running.vm.state.lanes))
            await scenario(running)
        finally:
            running.end()
            await running.wait()
            window.deleteLater()

    return lambda scenario: run(drive(scenario), 90)


def _strips(running: application.App) -> list[LaneTestsStrip]:
    return running.page.findChildren(LaneTestsStrip)


def _seen(strip: LaneTestsStrip) -> str:
    return "\n".join(label.text() for label in strip.findChildren(QLabel) if label.isVisible())


def test_both_answers_run_against_the_same_tests(in_app: Callable[[Scenario], None]) -> None:
    prompt = next(task.prompt for task in suites.load("starter").tasks if task.id == "py-add")

    async def scenario(running: application.App) -> None:
        await _until(lambda: len(_strips(running)) == 2)
        running.vm.run(prompt)
        await _until(lambda: all(strip.isVisible() for strip in _strips(running)))
        button = next(b for b in _strips(running)[0].findChildren(QAbstractButton) if b.text() == "Run tests")
        button.click()
        await _until(lambda: all("✓" in _seen(s) or "✗" in _seen(s) for s in _strips(running)))
        wrong, right = (_seen(strip) for strip in _strips(running))
        assert "✗" in wrong
        assert "✓ pass" in right

    in_app(scenario)


def test_a_run_is_begun_watched_and_read(in_app: Callable[[Scenario], None], models: tuple[str, str]) -> None:
    async def scenario(running: application.App) -> None:
        running.pages.show_page("results")
        page = running.pages.pages["results"]
        assert isinstance(page, ResultsPage)
        start = page.vm.start
        await _until(lambda: start.state.models is not None and start.state.chosen is not None)
        wrong, right = models
        start.choose(replace(start.state.form, compact=wrong, larger=right, glob="py-add", max_tokens=64))
        await _until(lambda: start.state.chosen == 1)
        page.vm.begin()
        await _until(lambda: running.vm.state.blocked != "")
        await _until(lambda: page.vm.place is Place.VERDICT)
        assert running.vm.state.blocked == ""
        verdict = page.vm.open.state.verdict
        assert verdict is not None
        texts = " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())
        assert "No difference seen yet" in texts
        page.vm.open_task("py-add")
        assert page.vm.place is Place.TASK
        assert "Results" in running.window.windowTitle()

    in_app(scenario)
