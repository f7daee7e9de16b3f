"""*Downloads*: words for every state, rows that are kept, keys, and how often they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton

from playground.errors import DownloadError, DownloadErrorKind
from playground.models.downloads.download import DownloadState
from playground.ui.library import downloads_words as words
from playground.ui.library.downloads_page import DownloadsPage
from playground.ui.library.downloads_vm import DownloadsVm
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


class _Tab:
    def __init__(self, services: ScriptedLibrary) -> None:
        self.services = services
        self.now_s = made.NOW
        self.vm = DownloadsVm(services, clock=lambda: self.now_s)
        self.said: list[object] = []
        self.vm.use_wanted.connect(lambda slot, path: self.said.append((slot, path)))
        self.vm.finished.connect(lambda fresh: self.said.append([one.id for one in fresh]))
        self.page = DownloadsPage(self.vm)
        self.page.resize(1000, 700)
        self.page.show()
        self.page.activateWindow()

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.page.focusWidget(), key)


Scenario = Callable[[_Tab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a shown tab with one download of every state."""

    async def drive(scenario: Scenario, services: ScriptedLibrary) -> None:
        tab = _Tab(services)
        try:
            await come_true(tab.page.isActiveWindow)
            await scenario(tab)
        finally:
            tab.page.deleteLater()
            tab.vm.deleteLater()
            await asyncio.sleep(0.01)  # Qt deletes when its loop comes round

    def play(scenario: Scenario, services: ScriptedLibrary | None = None) -> None:
        used = services or ScriptedLibrary()
        if services is None:
            used.its_downloads = list(made.downloads())
        run(drive(scenario, used), 20)

    return play


def test_every_state_has_words_figures_and_a_next_step() -> None:
    rows = [words.row(one, made.NOW) for one in made.downloads()]
    assert [(row.pill, row.share, row.figures, [act[1] for act in row.acts]) for row in rows] == [
        (("Downloading", "run"), "63%", ("9.04 of 14.40 GB", "48.2 MB/s over the last seconds", "1 min 51 s left"), ["Pause"]),
        (("Retry 2 in 6 s", "warn"), "36%", ("21.40 of 59.10 GB", "The connection was reset."), ["Retry now", "Pause"]),
        (("Verifying sha256", "run"), "71%", ("8.86 of 8.86 GB received", "checked 6.3 GB"), []),
        (("Queued", "plain"), "0%", ("0.00 of 15.90 GB", "waits for its turn"), ["Pause"]),
        (("Paused", "plain"), "20%", rows[4].figures, ["Resume"]),
        (("Failed", "bad"), "", (), ["Download again"]),
        (("Done", "ok"), "", ("2.6 GB in 58 s", "sha256 matches"), ["Use as A", "Use as B"]),
    ]  # fmt: skip
    assert rows[1].note == "part 2 of 3"
    assert rows[4].figures[0] == "3.11 of 15.80 GB kept"
    assert rows[4].figures[1].startswith("paused ")
    assert rows[5].why.endswith("set aside. Download it again.")
    assert words.caption("active", made.downloads()) == "ACTIVE, 48.2 MB/S IN ALL"
    assert words.status(made.downloads()) == "Downloading 1, checking 1, retrying 1, queued 1"
    assert words.status(()) == ""


def test_what_will_be_left_on_the_disk_is_told() -> None:
    state = words.DownloadsState(made.downloads(), made.bytes_of(312))
    assert words.disk_words(state) == (
        "312 GB free in the models folder",
        "71.7 GB still to come  ·  240 GB left after that",
    )
    short = words.DownloadsState(made.downloads(), made.bytes_of(50.05))
    assert words.disk_words(short)[1] == "71.7 GB still to come  ·  21.6 GB too little"
    assert words.disk_words(words.DownloadsState((), made.bytes_of(50)))[1] == ""


def test_rows_stay_while_their_figures_change(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        views = dict(tab.page.views)
        first = tab.services.its_downloads[0]
        more = made.download(received=12.0).files
        tab.services.change(first.id, files=more, bytes_per_s=30e6)
        view = tab.page.views[first.id]
        assert view.accessibleName() == "Qwen3.6-27B IQ4_XS, Downloading 83%"
        assert tab.page.views == views
        await asyncio.sleep(0.3)
        tab.services.change(first.id, state=DownloadState.PAUSED, paused_at=made.NOW)
        assert tab.page.views == views
        assert view.buttons[0].text() == "Resume"

    play(scenario)


def test_many_changes_in_a_short_time_are_shown_four_times_a_second(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        shown: list[object] = []
        tab.vm.changed.connect(shown.append)
        first = tab.services.its_downloads[0]
        for step in range(200):
            tab.services.change(first.id, bytes_per_s=1e6 + step)
        assert len(shown) == 1
        await come_true(lambda: tab.vm.state.downloads[0].bytes_per_s == 1e6 + 199)
        assert len(shown) == 2

    play(scenario)


def test_buttons_and_keys_do_the_same(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        ids = [one.id for one in tab.services.its_downloads]
        tab.page.focus_first()
        tab.key(Qt.Key.Key_Space)
        assert tab.services.asked("pause") == [(ids[0],)]
        tab.key(Qt.Key.Key_Return)
        assert tab.services.asked("resume") == [(ids[0],)]
        assert tab.page.views[ids[0]].hasFocus()
        tab.key(Qt.Key.Key_Down)
        assert tab.page.views[ids[1]].hasFocus()
        tab.key(Qt.Key.Key_Return)
        assert tab.services.asked("retry") == [(ids[1],)]
        tab.page.views[ids[6]].setFocus()
        tab.page.views[ids[6]].buttons[1].click()
        tab.key(Qt.Key.Key_Return)
        assert tab.said == [("B", "/hub/qwen4.gguf"), ("A", "/hub/qwen4.gguf")]
        tab.key(Qt.Key.Key_Delete)
        assert tab.services.asked("forget") == [(ids[6],)]
        assert ids[6] not in tab.page.views

    play(scenario)


def test_what_has_arrived_is_deleted_only_after_a_question(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        ids = [one.id for one in tab.services.its_downloads]
        tab.page.views[ids[0]].remove.click()
        dialog = tab.page.findChildren(QDialog)[0]
        assert dialog.windowTitle() == "Delete what has arrived of Qwen3.6-27B IQ4_XS?"
        dialog.reject()
        assert tab.services.asked("cancel") == []
        tab.page.views[ids[3]].remove.click()
        assert tab.services.asked("cancel") == [(ids[3],)]
        tab.page.views[ids[0]].setFocus()
        tab.key(Qt.Key.Key_Delete)
        dialog = next(one for one in tab.page.findChildren(QDialog) if one.isVisible())
        next(b for b in dialog.findChildren(QPushButton) if b.text() == "Delete").click()
        assert tab.services.asked("cancel") == [(ids[3],), (ids[0],)]

    play(scenario)


def test_all_can_be_paused_and_go_on(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.its_downloads = tab.services.its_downloads[:2]
        tab.vm.look()
        tab.page.pause.click()
        assert {one.state for one in tab.vm.state.downloads} == {DownloadState.PAUSED}
        assert tab.page.pause.text() == "Resume all"
        tab.page.pause.click()
        assert {one.state for one in tab.vm.state.downloads} == {DownloadState.ACTIVE}
        tab.page.limit.choose(5_000_000)
        tab.page.parallel.choose(1)
        assert tab.services.its_rules.limit_bytes_per_s == 5_000_000
        assert (tab.page.limit.text(), tab.page.parallel.text()) == ("Limit: 5 MB/s", "At once: 1")

    play(scenario)


def test_a_refused_intent_is_told(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.failures["pause_all"] = DownloadError(
            DownloadErrorKind.BUSY, "Another window holds the downloads."
        )
        tab.page.pause.click()
        assert tab.page._problem.text == "Another window holds the downloads."

    play(scenario)


def test_one_that_becomes_whole_is_announced_once(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        first = tab.services.its_downloads[0].id
        tab.services.finish(first)
        await asyncio.sleep(0.3)
        tab.services.change(first, note="x")
        assert tab.said == [[first]]

    play(scenario)


def test_the_wait_for_the_next_try_counts_down(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        view = tab.page.views["split"]
        assert view.row is not None
        assert view.row.pill[0] == "Retry 2 in 6 s"
        tab.now_s += 4
        await come_true(lambda: view.row is not None and view.row.pill[0] == "Retry 2 in 2 s")

    play(scenario)


def test_an_empty_list_leads_to_search(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        wanted: list[int] = []
        tab.page.search_wanted.connect(lambda: wanted.append(1))
        tab.page.focus_first()
        tab.page._plate.other.click()
        assert wanted == [1]
        assert not tab.page.pause.isEnabled()

    play(scenario, ScriptedLibrary())


def test_a_list_that_cannot_be_kept_is_told(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        sentence = "The list of downloads cannot be written: Read-only file system."
        tab.services.its_rules = replace(tab.services.its_rules, problem=sentence)
        tab.vm.look()
        assert tab.page._problem.text == sentence

    play(scenario)
