"""The Compare page over scripted services: keys, ways on from a failure, the picker in its place, what fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

from playground.chat.options import LoadOptions
from playground.compare.events import Lane, LaneDone, LaneText, RunEvent
from playground.engines.protocol import DeviceUse, MemoryUse
from playground.ui import theme
from playground.ui.bridge import Bridge
from playground.ui.compare_page import ComparePage
from playground.ui.compare_state import LaneSetup, Phase
from playground.ui.compare_vm import CompareVm
from playground.ui.lane_settings import LaneSettings
from playground.ui.main_window import MainWindow
from tests.support import scripted
from tests.support.scripted import REASON, ScriptedServices, fails
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
_W = TypeVar("_W", bound=QWidget)
_CODE = "Look:\n\n```python\nx = {}\n```\n"
_CTRL = Qt.KeyboardModifier.ControlModifier
_CTRL_SHIFT = _CTRL | Qt.KeyboardModifier.ShiftModifier


class _Screen:
    """A window with the page, and the scripted services behind it."""

    def __init__(self, services: ScriptedServices) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = CompareVm(services, self.bridge)
        self.page = ComparePage()
        self.page.connect_to(self.vm, (), ("Q2_K", "Q8_0"), 4)
        self.window = MainWindow(self.page, "light")
        self.vm.changed.connect(self.window.render_state)
        self.window.resize(1024, 640)
        self.window.show()
        self.window.activateWindow()

    async def ready(self) -> None:
        self.vm.refresh_models()
        for slot in "AB":
            self.vm.choose_model(slot, self.services.models[0].ref)
            await self.vm.prepared(slot)
        while self.vm.models.rowCount() < len(self.services.models):  # noqa: ASYNC110 -- no event for it
            await asyncio.sleep(0.01)

    async def asked(self, text: str = "Hi") -> None:
        self.vm.run(text)
        await self.done()

    async def done(self) -> None:
        while self.vm.state.is_running:  # noqa: ASYNC110 -- the view-model has no event for a test to wait on
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.08)  # the page's timer shows the last steps

    def find(self, name: str, kind: type[_W]) -> _W:
        return next(w for w in self.window.findChildren(kind) if w.accessibleName() == name)

    def button(self, name: str) -> QPushButton:
        return self.find(name, QPushButton)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifiers)


Scenario = Callable[[_Screen], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner, qapp: QApplication) -> Play:
    """Run a scenario on a shown window, with services and their scripts."""

    async def drive(scenario: Scenario, services: ScriptedServices) -> None:
        theme.apply(qapp, dark=False)
        screen = _Screen(services)
        theme.apply(qapp, dark=False)
        try:
            await screen.ready()
            await scenario(screen)
        finally:
            await screen.bridge.close()
            screen.window.close_now()
            screen.window.deleteLater()
        assert not screen.bugs

    def play(scenario: Scenario, services: ScriptedServices | None = None) -> None:
        used = services or ScriptedServices([scripted.model(), scripted.model("Other", "Q2_K")])
        run(drive(scenario, used), 30)

    return play


def _writes(code: str) -> scripted.Script:
    def script(lane: Lane) -> list[RunEvent]:
        text = _CODE.format(code)
        return [LaneText(lane.slot, text, "", 9, 0.1), LaneDone(lane.slot, scripted.result(lane, text))]

    return script


@pytest.mark.parametrize(("keys", "slot"), [(_CTRL, "A"), (_CTRL_SHIFT, "B")])
def test_a_model_is_chosen_by_keyboard(play: Play, keys: Qt.KeyboardModifier, slot: str) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.key(Qt.Key.Key_L, keys)
        field = screen.find(f"Filter models {slot}", QLineEdit)
        assert screen.window.focusWidget() is field
        QTest.keyClicks(field, "other")
        screen.key(Qt.Key.Key_Return)
        await screen.vm.prepared(slot)
        chosen = screen.vm.state.lane(slot).model
        assert chosen is not None
        assert chosen.name == "Other"
        assert screen.window.focusWidget() is screen.page.prompt.editor

    play(scenario)


def test_escape_in_the_picker_does_not_stop_the_run_of_the_other_lane(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.button("Model A").click()
        assert screen.window.findChildren(QLineEdit)
        screen.key(Qt.Key.Key_Escape)
        await asyncio.sleep(0)
        QApplication.sendPostedEvents()
        shown = [edit for edit in screen.window.findChildren(QLineEdit) if edit.isVisible()]
        assert not shown
        screen.button("Model A").click()
        screen.key(Qt.Key.Key_F6)
        assert not [edit for edit in screen.window.findChildren(QLineEdit) if edit.isVisible()]
        assert screen.window.focusWidget() is screen.page.lanes["A"].transcript

    play(scenario)


def test_f6_goes_from_pane_to_pane(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        panes = [
            screen.page.lanes["A"].transcript,
            screen.page.lanes["B"].transcript,
            screen.page.prompt.editor,
        ]
        screen.page.prompt.editor.setFocus()
        seen = []
        for _ in range(4):
            screen.key(Qt.Key.Key_F6)
            seen.append(screen.window.focusWidget())
        assert seen == [*panes, panes[0]]

    play(scenario)


def test_the_last_code_of_the_lane_in_focus_is_copied(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        screen.page.prompt.editor.setFocus()
        screen.key(Qt.Key.Key_C, _CTRL_SHIFT)
        assert QGuiApplication.clipboard().text() == "x = 1"
        screen.page.lanes["B"].transcript.setFocus()
        screen.key(Qt.Key.Key_C, _CTRL_SHIFT)
        assert QGuiApplication.clipboard().text() == "x = 2"

    services = ScriptedServices([scripted.model()], A=_writes("1"), B=_writes("2"))
    play(scenario, services)


def test_both_are_regenerated_and_forgotten_by_keyboard(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        screen.key(Qt.Key.Key_R, _CTRL)
        await screen.done()
        assert [lane.attempt for lane in screen.vm.state.lanes] == [1, 1]
        assert screen.page.lanes["A"].transcript.toPlainText().count("Yes.") == 1
        screen.key(Qt.Key.Key_N, _CTRL)
        await screen.done()
        assert screen.page.lanes["A"].transcript.toPlainText() == ""

    play(scenario)


def test_a_failed_lane_offers_its_ways_on(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        foot = screen.page.lanes["A"].foot
        assert not any(way.isVisible() for way in foot.ways)
        await screen.asked()
        smaller, again = screen.button("Use a smaller context A"), screen.button("Try again A")
        assert smaller.isVisible()
        assert again.isVisible()
        assert "4,096 tokens" in smaller.toolTip()
        screen.services.scripts.clear()
        smaller.click()
        await screen.done()
        assert screen.services.asked[-1][0].load.n_ctx == 4096
        assert screen.vm.state.lane("A").phase is Phase.DONE
        assert not smaller.isVisible()
        assert "There is not enough" not in screen.page.lanes["A"].transcript.toPlainText()

    services = ScriptedServices([scripted.model()], A=fails("out_of_memory", "There is not enough memory."))
    play(scenario, services)


def test_a_model_that_is_gone_leads_to_the_picker(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        screen.button("Choose another model B").click()
        assert screen.window.focusWidget() is screen.find("Filter models B", QLineEdit)

    play(scenario, ScriptedServices([scripted.model()], B=fails("not_found", "There is no such file.")))


def test_settings_of_a_lane_are_opened_and_saved(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.vm.set_options("B", LaneSetup(LoadOptions(n_ctx=2048), system="Be brief."))
        screen.button("Settings B").click()
        dialog = screen.window.findChildren(LaneSettings)[0]
        dialog.both.click()
        dialog.save.click()
        assert screen.vm.state.lane("A").system == "Be brief."
        assert screen.vm.state.lane("A").load.n_ctx == 2048

    play(scenario)


def test_the_reason_of_the_plan_is_at_the_sentence_and_the_plan(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        sentence = screen.find("2 results", QLabel)
        assert REASON in sentence.toolTip()
        assert REASON in screen.button("Plan: automatic").toolTip()
        assert screen.button("Plan: automatic").accessibleDescription() == REASON

    play(scenario)


def test_tool_tips_name_the_keys(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        for name, keys in (
            ("Model A", "Ctrl+L"),
            ("Model B", "Ctrl+Shift+L"),
            ("Regenerate A", "Ctrl+R"),
            ("Stop A", "Esc"),
            ("New", "Ctrl+N"),
            ("Run both", "Ctrl+Enter"),
        ):
            assert keys in screen.button(name).toolTip(), name

    play(scenario)


@pytest.mark.parametrize("sizes", [(1, 1), (100, 1000)], ids=["equal", "narrow A"])
def test_nothing_in_a_lanes_header_is_cut_off(play: Play, sizes: tuple[int, int]) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        screen.page.panes.setSizes([size * 1000 for size in sizes])
        await asyncio.sleep(0.05)
        header = screen.page.lanes["A"].header
        shown = [w for w in header.findChildren(QLabel) if w.isVisible() and w.text()]
        assert "shared" in {found.text() for found in shown}
        for found in shown:
            right = found.mapTo(header, QPoint(found.width(), 0)).x()
            assert right <= header.width(), found.text()
            assert found.width() >= found.minimumSizeHint().width(), found.text()

    def shares(lane: Lane) -> list[RunEvent]:
        return [LaneDone(lane.slot, scripted.result(lane, shared=True))]

    long = scripted.model("A model with a name that no header can hold", base=True)
    play(scenario, ScriptedServices([long], A=shares, B=shares))


def test_a_name_that_fits_is_whole(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await asyncio.sleep(0.05)
        assert screen.button("Model A").text() == "Gemma 3 270M"
        assert "base model" in {found.text() for found in screen.page.lanes["A"].header.findChildren(QLabel)}

    play(scenario, ScriptedServices([scripted.model("Gemma 3 270M", base=True)]))


def test_a_prompt_that_does_not_fit_is_told_before_it_is_sent(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.services.sizes = {"A": (9120, 8192), "B": (1240, 8192)}
        size = screen.find("Size of the prompt", QLabel)
        assert size.isVisible()
        assert size.text() == ""
        QTest.keyClicks(screen.page.prompt.editor, "Hi")
        assert not screen.services.counted, "typing has not stopped yet"
        async with asyncio.timeout(10):
            while not size.text():  # noqa: ASYNC110 -- no event for it
                await asyncio.sleep(0.01)
        assert size.text() == ("A: 9,120 tokens do not fit its context of 8,192 · B 1,240 of 8,192 tokens")
        assert size.accessibleName() == f"Size of the prompt: {size.text()}"
        assert size.property("role") == "smallwarn"
        assert [lane.conversation.turns[-1].text for lane in screen.services.counted] == ["Hi", "Hi"]
        screen.page.prompt.clear()
        assert size.text() == ""
        assert size.property("role") == "small"

    play(scenario)


def test_memory_by_device_is_the_tool_tip_of_its_metric(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        value = screen.find("MEMORY 500 MB", QLabel)
        caption = next(w for w in screen.page.lanes["A"].header.findChildren(QLabel) if w.text() == "MEMORY")
        for part in (value, caption):
            assert part.toolTip() == part.accessibleDescription() == "CPU: weights 400 MB"

    def script(lane: Lane) -> list[RunEvent]:
        memory = MemoryUse(resident_bytes=500_000_000, devices=(DeviceUse("CPU", 400_000_000),))
        return [LaneDone(lane.slot, msgspec.structs.replace(scripted.result(lane), memory=memory))]

    play(scenario, ScriptedServices([scripted.model()], A=script))


def test_the_settings_are_a_way_on_from_a_lost_device(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        await screen.asked()
        screen.button("Change settings A").click()
        assert screen.window.findChildren(LaneSettings)[0].isVisible()
        screen.window.findChildren(LaneSettings)[0].reject()

    play(scenario, ScriptedServices([scripted.model()], A=fails("device_lost", "It went away.")))
