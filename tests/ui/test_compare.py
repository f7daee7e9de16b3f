"""A real run in a real (offscreen) window: real engines on tiny models, clicked through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QWidget

from playground import app as application
from playground.ui import theme
from playground.ui.compare_state import Phase
from tests.support.tiny_gguf import build
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

_TEXT = "Here you are:\n\n```python\ndef double(x):\n    return 2 * x\n```\n"
_NAMES = {
    *("Prompt", "Run both", "Model A", "Model B", "Answer A", "Answer B"),
    *("Stop A", "Stop B", "Regenerate A", "Regenerate B"),
}
Scenario = Callable[[application.App], Coroutine[Any, Any, None]]
_until = partial(come_true, most_s=40)


@pytest.fixture
def in_window(run: Runner, qapp: QApplication) -> Callable[[Scenario], None]:
    """Run a coroutine beside a whole app and end the app in order."""

    async def drive(scenario: Scenario) -> None:
        window = application.make_window(qapp, "light")
        running = application.App(qapp, window)
        window.show()
        try:
            await scenario(running)
        finally:
            running.end()
            await running.wait()
            running.window.deleteLater()

    return lambda scenario: run(drive(scenario), 60)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scripted") / "scripted.gguf"
    build("llama", path, script=_TEXT)
    return path


def _named(running: application.App, name: str) -> Any:  # noqa: ANN401 -- any widget
    return next(w for w in running.window.findChildren(QWidget) if w.accessibleName() == name)


def test_a_run_is_clicked_through(in_window: Callable[[Scenario], None], scripted: Path) -> None:
    async def scenario(running: application.App) -> None:
        vm = running.vm
        for slot in "AB":
            vm.choose_model(slot, str(scripted))
            await vm.prepared(slot)
        names = {widget.accessibleName() for widget in running.window.findChildren(QWidget)}
        assert names >= _NAMES
        unnamed = [
            b for b in running.window.findChildren(QPushButton) if not (b.accessibleName() or b.text())
        ]
        assert not unnamed
        editor: QPlainTextEdit = _named(running, "Prompt")
        editor.setPlainText("Double it")
        _named(running, "Run both").click()
        assert vm.state.is_running
        await _until(lambda: not vm.state.is_running)
        await asyncio.sleep(0.1)
        for lane in vm.state.lanes:
            assert lane.phase is Phase.DONE, lane.error
            shown = _named(running, f"Answer {lane.slot}").toPlainText()
            assert "Double it" in shown
            assert "return 2 * x" in shown
        assert vm.state.sentence
        _named(running, "Regenerate B").click()
        await _until(lambda: vm.state.lane("B").attempt == 1 and not vm.state.is_running)
        await asyncio.sleep(0.1)
        assert _named(running, "Answer B").toPlainText().count("return 2 * x") == 1
        vm.run("And again")
        await _until(lambda: not vm.state.is_running)
        result = vm.state.lane("A").result
        assert result is not None
        assert result.usage.cached_tokens > 0

    in_window(scenario)


def test_a_broken_model_costs_its_lane_only(
    in_window: Callable[[Scenario], None], scripted: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(scripted.read_bytes())

    async def scenario(running: application.App) -> None:
        vm = running.vm
        vm.choose_model("A", str(scripted))
        vm.choose_model("B", str(broken))
        await vm.prepared("A")
        await vm.prepared("B")
        broken.write_bytes(b"GGUF" + b"\xff" * 64)
        vm.run("Double it")
        await _until(lambda: not vm.state.is_running)
        await asyncio.sleep(0.1)
        assert vm.state.lane("A").phase is Phase.DONE
        assert vm.state.lane("B").phase is Phase.FAILED
        assert "GGUF version" in _named(running, "Answer B").toPlainText()
        assert "B failed" in vm.state.sentence

    in_window(scenario)


def test_themes_change_all_colours(in_window: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App) -> None:
        running.set_theme("dark")
        assert theme.is_dark()
        await asyncio.sleep(0.05)
        colour = running.window.grab().toImage().pixelColor(5, 300)
        assert colour.name() == theme.DARK.panel
        running.set_theme("light")
        assert not theme.is_dark()

    in_window(scenario)


def test_escape_and_ctrl_enter_work_by_keyboard(
    in_window: Callable[[Scenario], None], scripted: Path
) -> None:
    async def scenario(running: application.App) -> None:
        vm = running.vm
        vm.choose_model("A", str(scripted))
        await vm.prepared("A")
        running.window.activateWindow()
        editor = _named(running, "Prompt")
        editor.setFocus()
        QTest.keyClicks(editor, "Hi")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert editor.toPlainText() == "Hi\n"
        QTest.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert vm.state.is_running
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        await _until(lambda: not vm.state.is_running)
        assert vm.state.lane("A").result is not None

    in_window(scenario)
