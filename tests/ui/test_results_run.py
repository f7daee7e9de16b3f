"""A real run in a real (offscreen) page: real engines on tiny models, the real sandbox, clicked through."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from playground import config
from playground.app_results import AppResults
from playground.engines.pool import EnginePool
from playground.ui import theme
from playground.ui.bridge import Bridge
from playground.ui.results.page import ResultsPage
from playground.ui.results.vm import Place, ResultsVm
from tests.support import bench_models
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data folder with a model that is right and one that is wrong."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    models = config.folders().models
    models.mkdir(parents=True)
    bench_models.right_model(models)
    bench_models.wrong_model(models)
    return tmp_path


def _seen(page: ResultsPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def _button(page: ResultsPage, name: str) -> QAbstractButton:
    return next(b for b in page.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name)


def test_a_run_is_chosen_made_and_read(run: Runner, qapp: QApplication, home: Path) -> None:
    async def scenario() -> None:
        theme.apply(qapp, dark=False)
        bugs: list[BaseException] = []
        pool, bridge = EnginePool(2), Bridge(bugs.append)
        vm = ResultsVm(AppResults(pool), bridge)
        page = ResultsPage(vm)
        page.resize(1200, 780)
        page.show()
        try:
            await come_true(lambda: vm.start.state.chosen is not None and bool(vm.start.state.models))
            page.start.form.filter.setText("py-add,py-max")
            page.start.form.filter.textEdited.emit("py-add,py-max")
            page.start.form.most.setValue(64)
            await come_true(lambda: vm.start.state.chosen == 2)
            _button(page, "Begin the run").click()
            await come_true(lambda: vm.place is Place.RUNNING)
            await come_true(lambda: vm.place is Place.VERDICT)
            seen = _seen(page)
            assert "No difference seen yet" in seen
            assert "Fewer than six tasks" in seen
            assert not pool.loaded()
            vm.open_task("py-add")
            seen = _seen(page)
            assert "✓ pass" in seen
            assert "✗ wrong" in seen
            vm.back()
            vm.back()
            await come_true(lambda: len(vm.start.state.runs) == 1)
            assert vm.start.state.runs[0].complete
            assert Path(vm.start.state.runs[0].path).is_relative_to(home)
        finally:
            await bridge.close()
            await pool.close()
            page.hide()
            page.deleteLater()
        assert not bugs

    run(scenario(), 60)


def test_a_window_that_closes_ends_a_run_that_can_be_resumed(
    run: Runner, qapp: QApplication, home: Path
) -> None:
    async def scenario() -> None:
        theme.apply(qapp, dark=False)
        bugs: list[BaseException] = []
        pool, bridge = EnginePool(2), Bridge(bugs.append)
        vm = ResultsVm(AppResults(pool), bridge)
        vm.look()
        await come_true(lambda: vm.start.state.chosen is not None and bool(vm.start.state.models))
        vm.begin()
        await come_true(lambda: bool(vm.running.data and vm.running.data.answers))
        await bridge.close()
        await pool.close()
        assert not bugs
        (listed,) = AppResults(pool).runs()
        assert not listed.complete
        assert not listed.problem
        assert AppResults(pool).read(Path(listed.path)).answers

    assert home
    run(scenario(), 60)
