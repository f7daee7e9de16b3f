"""The Library as a whole: tabs, keys, the token, what one tab learns for another, themes, sizes, and its frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)

from playground.errors import HubErrorKind
from playground.ui import theme
from playground.ui.bridge import Bridge
from playground.ui.library import page as tabs
from playground.ui.library.page import LibraryPage
from playground.ui.library.result_rows import ROW_HEIGHT
from playground.ui.library.token import TokenDialog
from playground.ui.library.vm import LibraryVm
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary, hub_error
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
_ALT, _CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


class _Screen:
    def __init__(self, services: ScriptedLibrary) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = LibraryVm(services, self.bridge)
        self.page = LibraryPage(self.vm)
        self.said: list[tuple[str, ...]] = []
        self.page.use_model.connect(lambda slot, ref: self.said.append((slot, ref)))
        self.page.compare_pair.connect(lambda a, b: self.said.append(("compare", a, b)))
        self.status: list[str] = []
        self.page.status.connect(self.status.append)
        self.page.resize(946, 600)
        self.page.show()
        self.page.activateWindow()

    async def ready(self) -> None:
        await come_true(lambda: bool(self.vm.pairs.state.proposals) and not self.vm.disk.state.is_looking)
        await come_true(lambda: not self.vm.pairs.state.is_loading and self.page.isActiveWindow())
        await come_true(lambda: len(self.page.pairs.cards) == len(self.vm.pairs.state.proposals))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.page.focusWidget() or self.page, key, modifiers)


Scenario = Callable[[_Screen], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner, qapp: QApplication) -> Play:
    """Run a scenario on a shown Library over scripted services."""

    async def drive(scenario: Scenario, services: ScriptedLibrary) -> None:
        screen = _Screen(services)
        theme.apply(qapp, dark=False)
        try:
            await screen.ready()
            await scenario(screen)
        finally:
            await screen.bridge.close()
            screen.page.deleteLater()
            screen.vm.deleteLater()
            await asyncio.sleep(0.01)  # Qt deletes when its loop comes round
        assert not screen.bugs

    return lambda scenario, services=None: run(drive(scenario, services or ScriptedLibrary()), 30)


def test_keys_reach_every_tab_and_put_the_focus_where_one_goes_on(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        page = screen.page
        assert screen.services.asked("search") == []
        screen.key(Qt.Key.Key_K, _CTRL)
        assert page.search.field.hasFocus()
        assert len(screen.vm.search.state.query.words) == 0
        await come_true(lambda: screen.vm.search.state.has_searched)
        screen.key(Qt.Key.Key_4, _ALT)
        assert page.disk.table.hasFocus()
        assert page.disk.again.isVisible()
        assert not page.pairs.tools[0].isVisible()
        screen.key(Qt.Key.Key_1, _ALT)
        assert page.pairs.cards["story"].button.hasFocus()
        screen.key(Qt.Key.Key_3, _ALT)
        assert page.downloads._plate.other.hasFocus()
        screen.key(Qt.Key.Key_Return)
        assert page.search.field.hasFocus()
        before = len(screen.services.asked("disk"))
        screen.key(Qt.Key.Key_4, _ALT)
        screen.key(Qt.Key.Key_F5)
        await come_true(lambda: len(screen.services.asked("disk")) == before + 1)

    play(scenario)


def test_a_pair_goes_to_compare_when_it_is_whole_and_the_library_in_sight(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.page.pairs.cards["best"].button.click()
        await come_true(lambda: len(screen.services.its_downloads) == 2)
        await come_true(lambda: screen.page.tabs.tabText(tabs.DOWNLOADS) == "Downloads  2")
        assert screen.status[-1] == "Queued 2"
        ids = [one.id for one in screen.services.its_downloads]
        for id_ in ids:
            screen.services.finish(id_)
        await come_true(lambda: bool(screen.said))
        assert screen.said == [("compare", f"/hub/{ids[0]}.gguf", f"/hub/{ids[1]}.gguf")]
        assert screen.page.tabs.tabText(tabs.DOWNLOADS) == "Downloads"
        assert len(screen.services.asked("disk")) > 1

    play(scenario)


def test_a_pair_that_is_whole_while_nobody_looks_waits_for_a_click(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.page.pairs.cards["best"].button.click()
        await come_true(lambda: len(screen.services.its_downloads) == 2)
        screen.page.hide()
        for one in list(screen.services.its_downloads):
            screen.services.finish(one.id)
        await come_true(lambda: screen.page.pairs.cards["best"].button.text() == "Compare")
        assert screen.said == []
        screen.page.show()
        screen.page.pairs.cards["best"].button.click()
        assert screen.said[0][0] == "compare"

    play(scenario)


def test_a_token_is_asked_for_checked_and_what_needed_it_is_read_again(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        services, page = screen.services, screen.page
        services.failures["repository"] = hub_error(HubErrorKind.GATED, "https://huggingface.co/a/b")
        page.go_to(tabs.SEARCH)
        await come_true(lambda: screen.vm.search.opened.state.trouble is not None)
        page.search.card._plate.token.click()
        dialog = page.findChildren(TokenDialog)[0]
        assert dialog.field.echoMode() is QLineEdit.EchoMode.Password
        services.failures["set_token"] = hub_error(HubErrorKind.TOKEN)
        QTest.keyClicks(dialog.field, " hf_x ")
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        await come_true(lambda: dialog.problem == "The Hub cannot be reached. Check the connection.")
        assert dialog.isVisible()
        services.failures.clear()
        dialog.save.click()
        await come_true(lambda: bool(screen.vm.search.opened.state.fits))
        assert page.findChildren(TokenDialog) == []
        assert services.token == "hf_x"
        assert "hf_x" not in repr(screen.vm.search.opened.state)

    play(scenario)


def test_offline_leads_to_what_is_on_disk(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.services.failures["search"] = hub_error(HubErrorKind.OFFLINE)
        screen.page.go_to(tabs.SEARCH)
        await come_true(screen.page.search._plate.isVisible)
        screen.page.search._plate.other.click()
        assert screen.page.tabs.currentIndex() == tabs.DISK
        screen.page.disk.table.selectRow(4)
        screen.page.disk.use[0].click()
        assert screen.said[0][0] == "A"

    play(scenario)


def _unnamed(page: QWidget) -> list[str]:
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit, QSlider)
    inner = (one for kind in kinds for one in page.findChildren(kind))
    mine = (one for one in inner if one.isVisibleTo(page) and one.focusPolicy() != Qt.FocusPolicy.NoFocus)
    return [f"{type(one).__name__} {one.objectName()}" for one in mine if not one.accessibleName()]


def _cut_off(page: QWidget) -> list[str]:
    buttons = (one for one in page.findChildren(QPushButton) if one.isVisibleTo(page))
    return [one.text() for one in buttons if one.width() < one.sizeHint().width()]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [946, 1202])
def test_every_tab_fits_its_window_and_has_names(
    play: Play, qapp: QApplication, dark: bool, width: int
) -> None:
    services = ScriptedLibrary()
    services.its_downloads = list(made.downloads())
    services.folders = ["/data/models"]

    async def scenario(screen: _Screen) -> None:
        theme.apply(qapp, dark)
        screen.page.resize(width, 600)
        for index in range(len(tabs.TABS)):
            screen.page.go_to(index)
            await asyncio.sleep(0.25)
            assert screen.page.minimumSizeHint().width() <= width
            assert screen.page.width() == width
            assert not screen.page.grab().isNull()
            assert _unnamed(screen.page) == []
            assert _cut_off(screen.page) == []
        theme.apply(qapp, dark=False)

    play(scenario, services)


def test_tab_goes_through_everything_that_can_be_used(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        for index in range(len(tabs.TABS)):
            screen.page.go_to(index)
            await asyncio.sleep(0.25)
            seen: list[QWidget] = []
            while (focused := screen.page.focusWidget()) is not None and focused not in seen:
                seen.append(focused)
                screen.key(Qt.Key.Key_Tab)
            usable = [
                one
                for one in screen.page.findChildren(QPushButton)
                if one.isVisibleTo(screen.page) and one.isEnabled()
            ]
            assert [one.text() for one in usable if one not in seen] == []

    play(scenario)


async def _paint_cost(screen: _Screen, count: int) -> float:
    """Return the median time, seconds of the processor's, to paint rows in the middle of so many results."""
    screen.services.pages = {"": made.many(count)}
    screen.vm.search.retry()
    await come_true(lambda: screen.vm.search.results.rowCount() == count)
    view, spent = screen.page.search.list, []
    for step in range(40):
        view.verticalScrollBar().setValue(ROW_HEIGHT * (count - 20) * step // 40)
        started = time.thread_time()
        view.viewport().repaint()
        spent.append(time.thread_time() - started)
    return sorted(spent)[20]


def test_hundreds_of_results_are_painted_as_fast_as_a_few(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.page.go_to(tabs.SEARCH)
        await come_true(lambda: screen.vm.search.state.has_searched)
        few = await _paint_cost(screen, 40)
        assert await _paint_cost(screen, 800) < 2.5 * few

    play(scenario)


def test_a_changed_download_costs_no_new_widgets(play: Play) -> None:
    async def scenario(screen: _Screen) -> None:
        screen.page.go_to(tabs.DOWNLOADS)
        await asyncio.sleep(0)
        before = set(map(id, screen.page.findChildren(QWidget)))
        first = screen.services.its_downloads[0]
        item = msgspec.structs.replace(first.files[0], received_bytes=made.bytes_of(11))
        screen.services.change(first.id, files=(item,))
        assert set(map(id, screen.page.findChildren(QWidget))) == before

    services = ScriptedLibrary()
    services.its_downloads = list(made.downloads())
    play(scenario, services)
