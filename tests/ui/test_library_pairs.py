"""*For this machine*: what the cards say, and the way from a pair to a comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from playground.errors import DownloadError, DownloadErrorKind, ResourceError
from playground.models.downloads.download import DownloadState
from playground.ui.bridge import Bridge
from playground.ui.library import pairs_words as words
from playground.ui.library.pairs_page import PairsPage
from playground.ui.library.pairs_state import PairCard
from playground.ui.library.pairs_vm import PairsVm
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
_COMPACT, _LARGER = "unsloth/Qwen3.5-4B-GGUF", "unsloth/Qwen3.6-27B-GGUF"


class _Tab:
    def __init__(self, services: ScriptedLibrary) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = PairsVm(services, self.bridge)
        services.set_downloads_listener(lambda: self.vm.set_downloads(services.downloads()))
        self.said: list[tuple[str, ...]] = []
        self.vm.pair_ready.connect(lambda a, b: self.said.append(("ready", a, b)))
        self.vm.compare_wanted.connect(lambda a, b: self.said.append(("compare", a, b)))
        self.vm.use_wanted.connect(lambda path: self.said.append(("use", path)))
        self.vm.downloads_wanted.connect(lambda: self.said.append(("downloads",)))

    async def ready(self) -> None:
        self.vm.refresh()
        await come_true(lambda: not self.vm.state.is_loading)

    def card(self, id_: str) -> PairCard:
        return next(card for card in words.cards(self.vm.state) if card.id == id_)


Scenario = Callable[[_Tab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a tab over scripted services."""

    async def drive(scenario: Scenario, services: ScriptedLibrary) -> None:
        tab = _Tab(services)
        try:
            await scenario(tab)
        finally:
            await tab.bridge.close()
            tab.vm.deleteLater()
            await asyncio.sleep(0.01)  # Qt deletes when its loop comes round
        assert not tab.bugs

    return lambda scenario, services=None: run(drive(scenario, services or ScriptedLibrary()), 20)


def test_cards_say_how_a_pair_fits(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        best, story, families = (tab.card(id_) for id_ in ("best", "story", "families"))
        assert best.how == ("Together", "ok")
        assert best.button == "Download both and compare"
        assert best.is_primary
        assert best.foot == "17.0 GB to fetch"
        assert best.bars.note == "2.6 + 0.5 cache   ·   14.4 + 0.5 cache   ·   2.0 buffers"
        assert [row.end for row in best.bars.rows] == ["20.0 GB"]
        assert best.bars.spoken() == "Memory: A + B 20.0 GB; 22.4 GB free"
        assert (story.is_wide, story.button, story.is_primary) == (True, "Download A", False)
        assert story.remark == "The larger one needs 128 GB, or an endpoint."
        assert [(row.end, row.is_over) for row in story.bars.rows] == [("17.2 GB", False), ("101 GB", True)]
        assert families.button == "Download B and compare"
        assert families.sides[0].pill == ("On disk", "ok")
        assert "SWE-bench Verified 77.2 (its maker, 2026-11-20, https://" in best.sides[0].tip
        assert sum(card.is_primary for card in words.cards(tab.vm.state)) == 1

    play(scenario)


def test_one_click_fetches_both_and_the_pair_is_announced_when_both_are_whole(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        tab.vm.act("best")
        assert tab.card("best").button == "Starting…"
        assert not tab.card("best").can_act
        await come_true(lambda: len(tab.services.its_downloads) == 2 and not tab.vm.state.starting)
        assert tab.services.asked("download") == [
            (_COMPACT, "Q4_K_M", "pair with Qwen3.6-27B"),
            (_LARGER, "IQ4_XS", "pair with Qwen3.5-4B"),
        ]
        assert tab.card("best").act == "show_downloads"
        first, second = (one.id for one in tab.services.its_downloads)
        moving = made.download(_LARGER, "IQ4_XS", 1.0, 0.5).files
        tab.services.change(second, files=moving, state=DownloadState.ACTIVE, bytes_per_s=50e6)
        assert tab.card("best").foot == "0.5 of 2.0 GB  ·  50.0 MB/s  ·  30 s left"
        assert tab.card("best").fraction == 0.25
        assert tab.card("best").sides[1].pill == ("50%", "run")
        tab.services.finish(first)
        assert tab.said == []
        tab.services.finish(second)
        assert tab.said == [("ready", f"/hub/{first}.gguf", f"/hub/{second}.gguf")]
        assert tab.card("best").button == "Compare"
        tab.services.change(second, note="again")
        assert len(tab.said) == 1
        tab.vm.act("best")
        assert tab.said[-1][0] == "compare"

    play(scenario)


def test_only_what_is_missing_is_fetched(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        tab.vm.act("families")
        await come_true(lambda: bool(tab.services.its_downloads) and not tab.vm.state.starting)
        assert tab.services.asked("download") == [
            ("unsloth/gemma-4-12b-it-GGUF", "Q4_K_M", "pair with Qwen3.5-9B")
        ]

    play(scenario)


def test_a_paused_half_goes_on_when_the_pair_is_wanted(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        tab.services.its_downloads = [made.download(_COMPACT, "Q4_K_M", 2.6, 1.0, DownloadState.PAUSED)]
        tab.vm.set_downloads(tab.services.downloads())
        assert tab.card("best").sides[0].pill == ("Paused", "plain")
        tab.vm.act("best")
        await come_true(lambda: len(tab.services.its_downloads) == 2 and not tab.vm.state.starting)
        assert tab.services.asked("resume") == [(tab.services.its_downloads[0].id,)]
        assert tab.services.asked("download") == [(_LARGER, "IQ4_XS", "pair with Qwen3.5-4B")]

    play(scenario)


def test_where_only_the_compact_one_fits_only_that_is_fetched(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        tab.vm.act("story")
        await come_true(lambda: bool(tab.services.its_downloads) and not tab.vm.state.starting)
        assert tab.services.asked("download") == [(_LARGER, "Q4_K_M", "")]
        tab.services.finish(tab.services.its_downloads[0].id)
        assert tab.said == []
        assert tab.card("story").button == "Use as A"
        tab.vm.act("story")
        assert tab.said[0][0] == "use"

    play(scenario)


def test_a_refusal_stands_on_its_card_and_can_be_tried_again(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        error = DownloadError(DownloadErrorKind.DISK_FULL, "The disk is full.", hint="Free 3 GB.")
        tab.services.failures["download"] = error
        tab.vm.act("best")
        await come_true(lambda: tab.card("best").problem != "")
        assert tab.card("best").problem == "The disk is full. Free 3 GB."
        assert tab.card("newest").problem == ""
        del tab.services.failures["download"]
        tab.vm.act("best")
        await come_true(lambda: len(tab.services.its_downloads) == 2 and not tab.vm.state.starting)
        assert tab.card("best").problem == ""
        failed = tab.services.its_downloads[0].id
        tab.services.change(failed, state=DownloadState.FAILED, error="It broke off.", hint="")
        assert (tab.card("best").button, tab.card("best").problem) == ("Try again", "It broke off.")
        tab.vm.act("best")
        await come_true(lambda: tab.services.asked("retry") == [(failed,)])

    play(scenario)


def test_a_disk_that_is_too_small_is_told_before(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        assert tab.card("best").foot == "17.0 GB to fetch, 4.0 GB free on the disk"
        assert not tab.card("best").can_act

    services = ScriptedLibrary()
    services.free_bytes = made.bytes_of(4)
    play(scenario, services)


def test_another_context_is_reckoned_and_an_older_answer_is_dropped(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.ready()
        tab.services.holds["proposals"] = asyncio.Event()
        tab.vm.set_context(16_384)
        await come_true(lambda: len(tab.services.asked("proposals")) == 2)
        del tab.services.holds["proposals"]
        tab.vm.set_context(32_768)
        await come_true(lambda: not tab.vm.state.is_loading)
        assert tab.services.asked("proposals") == [(8192,), (16_384,), (32_768,)]
        assert tab.services.cancelled == ["proposals"]

    play(scenario)


def test_the_page_shows_waiting_failure_and_cards(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.failures["proposals"] = ResourceError("The catalog is damaged.")
        page = PairsPage(tab.vm)
        page.resize(1000, 700)
        page.show()
        assert page._stack.currentIndex() == 0
        await tab.ready()
        assert page._plate.accessibleDescription() == "The catalog is damaged."
        del tab.services.failures["proposals"]
        page._plate.retry.click()
        await come_true(lambda: page._stack.currentIndex() == 2)
        assert len(page.cards) == len(tab.vm.state.proposals)
        assert (
            page.cards["best"].accessibleName()
            == "Best start on this machine: Qwen3.5-4B and Qwen3.6-27B, Together"
        )
        before = dict(page.cards)
        tab.vm.refresh()
        await come_true(lambda: not tab.vm.state.is_loading)
        assert page.cards == before
        page.deleteLater()

    play(scenario)


def test_arrow_keys_go_from_card_to_card_and_space_acts(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        page = PairsPage(tab.vm)
        page.resize(1000, 500)
        page.show()
        page.activateWindow()
        await come_true(page.isActiveWindow)
        await tab.ready()
        await come_true(lambda: page._stack.currentIndex() == 2)
        page.focus_first()
        assert page.cards["story"].button.hasFocus()
        QTest.keyClick(page.cards["story"].button, Qt.Key.Key_Down)
        assert page.cards["best"].button.hasFocus()
        for id_ in ("newest", "families"):
            QTest.keyClick(page.focusWidget(), Qt.Key.Key_Right)
            assert page.cards[id_].button.hasFocus()
        QTest.keyClick(page.focusWidget(), Qt.Key.Key_Up)
        QTest.keyClick(page.focusWidget(), Qt.Key.Key_Up)
        QTest.keyClick(page.focusWidget(), Qt.Key.Key_Space)
        await come_true(lambda: len(tab.services.asked("download")) == 2)
        assert tab.services.asked("download")[0][0] == _COMPACT
        page.deleteLater()

    play(scenario)


def test_a_machine_without_a_gpu_is_told_by_its_own_memory() -> None:
    name, free = words.machine_words(made.machine(11.2, gpu=False), made.bytes_of(312))
    assert (name, free) == ("This machine", "RAM 11.2 of 16.8 GB free  ·  no GPU in use  ·  Disk 312 GB free")
    name, free = words.machine_words(made.machine(), made.bytes_of(31))
    assert (name, free) == (
        "RTX 4090",
        "22.4 of 24.0 GB free  ·  RAM 51.0 of 64.0 GB free  ·  Disk 31.0 GB free",
    )
