"""*Search*: typing, late answers, further pages, a repository with its quantizations, and every way it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from playground.errors import DownloadError, DownloadErrorKind, HubErrorKind, ModelError
from playground.models.download import DownloadState
from playground.models.repository import Query, Repository
from playground.ui import library_repository_words as words
from playground.ui.bridge import Bridge
from playground.ui.library_quant_list import QUANT_ROLE
from playground.ui.library_repository_card import open_page
from playground.ui.library_result_list import KNOWN_ROLE
from playground.ui.library_search_page import SearchPage
from playground.ui.library_search_state import RepositoryState
from playground.ui.library_search_vm import SearchVm
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary, hub_error, until
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
_QWEN = "unsloth/Qwen3.6-27B-GGUF"


class _Tab:
    def __init__(self, services: ScriptedLibrary) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = SearchVm(services, self.bridge)
        self.vm.set_machine(services.its_machine)
        self.opened = self.vm.opened
        services.set_downloads_listener(lambda: self.opened.set_downloads(services.downloads()))
        self.said: list[tuple[str, ...]] = []
        self.opened.use_wanted.connect(lambda slot, path: self.said.append((slot, path)))
        self.page = SearchPage(self.vm)
        self.page.token_wanted.connect(lambda: self.said.append(("token",)))
        self.page.disk_wanted.connect(lambda: self.said.append(("disk",)))
        self.page.resize(1100, 700)
        self.page.show()
        self.page.activateWindow()

    async def found(self) -> None:
        self.vm.start()
        await until(lambda: self.vm.state.has_searched and not self.vm.state.is_searching)

    async def read(self, ref: str = _QWEN) -> None:
        self.opened.open(ref)
        await until(lambda: bool(self.opened.state.fits))

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.page.focusWidget(), key)

    def rows(self) -> list[words.QuantRow]:
        model = self.opened.quants
        return [model.index(place, 0).data(QUANT_ROLE) for place in range(model.rowCount())]

    def words_asked(self) -> list[str]:
        queries = [call[0] for call in self.services.asked("search")]
        return [query.words for query in queries if isinstance(query, Query)]


Scenario = Callable[[_Tab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a shown tab over scripted services."""

    async def drive(scenario: Scenario, services: ScriptedLibrary) -> None:
        tab = _Tab(services)
        try:
            await until(tab.page.isActiveWindow)
            await scenario(tab)
        finally:
            await tab.bridge.close()
            tab.page.deleteLater()
            tab.vm.deleteLater()
            await asyncio.sleep(0.01)  # Qt deletes when its loop comes round
        assert not tab.bugs

    return lambda scenario, services=None: run(drive(scenario, services or ScriptedLibrary()), 20)


def test_results_are_listed_with_what_is_likely_and_then_with_what_is_known(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        model = tab.vm.results
        assert (
            model.index(1, 0).data()
            == "Qwen3.8-27B by unsloth, 27B, Likely fits, Q4 about 16.5 GB, 2.7M downloads"
        )
        assert "gated" in model.index(3, 0).data()
        assert tab.page._caption.text() == "10 MODELS WITH GGUF FILES"
        await until(lambda: model.index(0, 0).data(KNOWN_ROLE).pill == ("Runs well", "ok"))
        assert model.index(0, 0).data(KNOWN_ROLE).words == "Q4_K_M, 15.7 GB"

    play(scenario)


def test_typing_asks_once_and_late_answers_are_dropped(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.services.found_by_words = {"old": made.many(3), "new": made.many(2)}
        tab.services.holds["search"] = asyncio.Event()
        QTest.keyClicks(tab.page.field, "old")
        await until(lambda: "old" in tab.words_asked())
        assert tab.words_asked() == ["", "old"]
        del tab.services.holds["search"]
        tab.page.field.setText("new")
        await until(lambda: tab.words_asked() == ["", "old", "new"] and not tab.vm.state.is_searching)
        assert len(tab.vm.state.found) == 2
        assert tab.services.cancelled == ["search"]

    play(scenario)


def test_further_pages_come_when_the_end_is_in_sight_and_rows_stay(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.pages = {"": made.many(60), "1": (*made.many(1), *made.many(40, 60))}
        await tab.found()
        model, view = tab.vm.results, tab.page.list
        assert tab.page._caption.text() == "60+ MODELS WITH GGUF FILES"
        resets: list[int] = []
        model.modelReset.connect(lambda: resets.append(1))
        view.scrollToBottom()
        await until(lambda: model.rowCount() == 100)
        assert not resets
        assert not model.canFetchMore(view.rootIndex())
        assert [call[1] for call in tab.services.asked("search")] == ["", "1"]

    play(scenario)


def test_a_further_page_that_fails_keeps_what_is_there(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.pages = {"": made.many(60), "1": made.many(5, 60)}
        await tab.found()
        tab.services.failures["search"] = hub_error(HubErrorKind.RATE_LIMITED)
        tab.page.list.scrollToBottom()
        await until(lambda: tab.vm.state.trouble is not None)
        assert tab.vm.results.rowCount() == 60
        assert tab.page._note.text == "The Hub cannot be reached. Check the connection."

    play(scenario)


def test_filters_narrow_the_query(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        page = tab.page
        page.sorts.choose("newest")
        page.licences.choose("mit")
        page.sizes.choose((None, 4_500_000_000))
        await until(lambda: not tab.vm.state.is_searching)
        query = tab.services.asked("search")[-1][0]
        assert query == Query(sort="newest", licence="mit", max_params=4_500_000_000)
        page.licences.choose("open")
        page.sizes.choose((None, None))
        page.fits.choose("fits")
        await until(lambda: not tab.vm.state.is_searching)
        asked = tab.services.asked("search")[-1][0]
        assert isinstance(asked, Query)
        assert (asked.gated, asked.licence) == (False, "")
        assert asked.max_params is not None
        assert 32e9 < asked.max_params < 33e9
        assert [made_.text() for made_ in (page.fits, page.sizes, page.licences, page.sorts)] == [
            "Fits: fits this machine",
            "Size: any",
            "Licence: any, not gated",
            "Newest",
        ]

    play(scenario)


def test_a_pasted_address_opens_that_repository(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.field.setText(f"https://huggingface.co/{_QWEN}/blob/main/x.gguf")
        await until(lambda: tab.opened.state.ref == _QWEN and bool(tab.opened.state.fits))
        assert tab.vm.results.rowCount() == 1
        tab.page.field.clear()
        await until(lambda: tab.vm.results.rowCount() == 10)

    play(scenario)


def test_a_repository_says_what_each_quantization_needs(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.read()
        rows = tab.rows()
        assert [row.name for row in rows][:3] == ["Q8_0", "Q6_K", "UD-Q5_K_XL"]
        picked = next(row for row in rows if row.is_picked)
        assert (picked.name, picked.size, picked.total, picked.sum) == (
            "Q4_K_M",
            "15.7 GB",
            "19.6",
            "15.7 + 2.9 + 1.0",
        )
        assert picked.pill == ("Runs well", "ok")
        assert rows[0].pill == ("Partly on the CPU", "warn")
        assert rows[0].spoken() == "Q8_0, 26.6 GB, 30.5 GB of memory, Partly on the CPU"
        assert all(sum(share for share, _ in row.parts) <= 1.0 + 1e-9 for row in rows)
        assert words.foot(tab.opened.state).text == "Q4_K_M, 15.7 GB  ·  2.8 GB to spare"
        repository = tab.opened.state.repository
        assert repository is not None
        assert words.others(repository) == "Also here: mmproj-F16 900 MB (for images)"
        assert words.badges(repository) == ("27B", "qwen35", "up to 256k", "images")

    play(scenario)


def test_the_slider_reckons_again_without_asking_the_hub_again(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.read()
        slider = tab.page.card.slider
        assert slider.maximum() == 7
        slider.setFocus()
        tab.key(Qt.Key.Key_Right)
        tab.key(Qt.Key.Key_Right)
        await until(lambda: not tab.opened.state.is_fitting and "8.9" in tab.rows()[5].sum)
        assert [call[1] for call in tab.services.asked("fits")] == [32_768, 131_072]
        assert len(tab.services.asked("repository")) == 1
        assert tab.page.card._context.text() == "128k"

    play(scenario)


def test_a_pick_by_hand_stays_and_enter_downloads_it(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.read()
        view = tab.page.card.quants
        view.setFocus()
        tab.key(Qt.Key.Key_Down)
        assert tab.opened.state.picked == "Q4_0"
        tab.opened.set_context(2048)
        await until(lambda: not tab.opened.state.is_fitting and len(tab.services.asked("fits")) == 2)
        assert tab.opened.state.picked == "Q4_0"
        tab.key(Qt.Key.Key_Return)
        await until(
            lambda: tab.services.asked("download") == [(_QWEN, "Q4_0", "")] and not tab.opened.state.starting
        )
        assert tab.page.card.get.text() == "Show download"
        id_ = tab.services.its_downloads[0].id
        tab.services.change(id_, state=DownloadState.FAILED, error="It broke off.")
        assert tab.page.card.get.text() == "Try again"
        tab.key(Qt.Key.Key_Return)
        assert tab.services.asked("retry") == [(id_,)]
        tab.services.finish(id_)
        assert tab.page.card.get.text() == "Use as A"
        tab.page.card.use.click()
        tab.key(Qt.Key.Key_Return)
        assert tab.said == [("B", f"/hub/{id_}.gguf"), ("A", f"/hub/{id_}.gguf")]

    play(scenario)


def test_what_is_on_disk_is_not_fetched_again(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.opened.set_on_disk(tab.services.its_disk.models)
        await tab.read()
        assert next(row for row in tab.rows() if row.is_picked).mark == ("On disk", "ok")
        tab.page.card.get.click()
        assert tab.said == [("A", "/hub/Qwen3.6-27B-Q4_K_M.gguf")]
        assert tab.services.asked("download") == []

    play(scenario)


def test_a_download_that_is_refused_says_why(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.failures["download"] = DownloadError(DownloadErrorKind.DISK_FULL, "The disk is full.")
        await tab.read()
        tab.page.card.get.click()
        await until(lambda: tab.opened.state.problem == "The disk is full.")
        assert tab.page.card._problem.isVisible()
        assert tab.page.card.get.isEnabled()

    play(scenario)


@pytest.mark.parametrize("kind", list(HubErrorKind))
def test_a_search_that_fails_says_how_and_can_be_tried_again(play: Play, kind: HubErrorKind) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.failures["search"] = hub_error(kind)
        await tab.found()
        plate = tab.page._plate
        assert plate.isVisible()
        assert plate.other.isVisible() == (kind in (HubErrorKind.OFFLINE, HubErrorKind.TIMEOUT))
        if plate.other.isVisible():
            plate.other.click()
            assert tab.said == [("disk",)]
        del tab.services.failures["search"]
        plate.retry.click()
        await until(lambda: tab.vm.results.rowCount() == 10)
        assert not plate.isVisible()

    play(scenario)


def test_nothing_found_says_for_what(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.field.setText("zebra")
        await until(tab.page._plate.isVisible)
        assert "for “zebra”" in tab.page._plate.accessibleDescription()

    play(scenario)


def test_a_gated_repository_offers_its_terms_and_a_token(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        gated = made.gated_repository()
        tab.services.repositories[gated.id] = gated
        await tab.read(gated.id)
        card = tab.page.card
        assert (
            card._gate.text
            == "Gated: accept its terms on huggingface.co, then enter a token of that account."
        )
        assert card.accept.isVisible()
        card.token.click()
        assert tab.said == [("token",)]
        assert not card._open_words.isVisible()
        tab.services.token = "hf_secret"
        tab.opened.retry()
        await until(lambda: tab.opened.state.token != "" and bool(tab.opened.state.fits))
        assert "the Hub's own file" in card._gate.text
        assert "hf_secret" not in repr(tab.opened.state)

    play(scenario)


def test_a_repository_that_cannot_be_read_without_terms_says_where(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        url = f"https://huggingface.co/{_QWEN}"
        tab.services.failures["repository"] = hub_error(HubErrorKind.GATED, url)
        tab.opened.open(_QWEN)
        await until(lambda: tab.opened.state.trouble is not None)
        plate = tab.page.card._plate
        assert plate.link.isVisible()
        assert plate._url == url
        plate.token.click()
        assert tab.said == [("token",)]
        del tab.services.failures["repository"]
        plate.retry.click()
        await until(lambda: bool(tab.opened.state.fits))

    play(scenario)


def test_a_repository_without_gguf_leads_to_one_that_has(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.services.repositories["Qwen/Qwen3.6-27B"] = Repository("Qwen/Qwen3.6-27B", "0" * 40)
        tab.opened.open("Qwen/Qwen3.6-27B")
        await until(tab.page.card._plate.other.isVisible)
        assert tab.services.asked("fits") == [] or tab.services.asked("fits")[-1][0] != "Qwen/Qwen3.6-27B"
        tab.page.card._plate.other.click()
        assert tab.page.field.text() == "Qwen3.6-27B"

    play(scenario)


def test_sizes_stay_where_the_header_cannot_be_read(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.failures["fits"] = ModelError("The header is damaged.")
        tab.opened.open(_QWEN)
        await until(lambda: tab.opened.state.fits_trouble is not None)
        assert tab.page.card._fits_note.text == "How it fits is not known: The header is damaged."
        assert all(row.size and not row.total for row in tab.rows())
        assert words.foot(tab.opened.state).can_act
        assert tab.opened.state.picked == "Q4_K_M"

    play(scenario)


def test_another_repository_cancels_the_one_before(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.holds["repository"] = asyncio.Event()
        tab.opened.open("a/slow")
        await until(lambda: tab.services.asked("repository") == [("a/slow",)])
        del tab.services.holds["repository"]
        await tab.read()
        assert tab.services.cancelled == ["repository"]
        assert tab.opened.state.ref == _QWEN

    play(scenario)


def test_keys_go_from_the_field_through_results_to_quantizations(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.focus_first()
        tab.key(Qt.Key.Key_Down)
        tab.key(Qt.Key.Key_Down)
        assert tab.page.list.currentIndex().row() == 2
        assert tab.page.field.hasFocus()
        await until(
            lambda: tab.opened.state.ref == "ggml-org/gpt-oss-20b-GGUF" and bool(tab.opened.state.fits)
        )
        assert [call[0] for call in tab.services.asked("repository")] == ["ggml-org/gpt-oss-20b-GGUF"]
        tab.key(Qt.Key.Key_Return)
        assert tab.page.card.quants.hasFocus()
        tab.page.field.setFocus()
        tab.page.field.setText("x")
        tab.key(Qt.Key.Key_Escape)
        assert tab.page.field.text() == ""

    play(scenario)


def test_assistive_technology_reads_results_and_quantizations(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        await until(lambda: bool(tab.opened.state.fits))
        for view, name, first in (
            (
                tab.page.list,
                "Results",
                "Qwen3.6-27B by unsloth, 27B, Runs well, Q4_K_M, 15.7 GB, 4.1M downloads",
            ),
            (tab.page.card.quants, "Quantizations", "Q8_0, 26.6 GB, 30.5 GB of memory, Partly on the CPU"),
        ):
            listed = QAccessible.queryAccessibleInterface(view)
            assert listed is not None
            assert listed.text(QAccessible.Text.Name) == name
            child = listed.child(0)
            assert child is not None
            assert child.text(QAccessible.Text.Name) == first

    play(scenario)


def test_only_pages_of_the_hub_are_opened() -> None:
    opened: list[QUrl] = []
    for url in (
        "https://huggingface.co/a/b",
        "http://huggingface.co/a",
        "file:///etc/passwd",
        "https://huggingface.co.evil.org/",
    ):
        open_page(url, opened.append)
    assert [url.toString() for url in opened] == ["https://huggingface.co/a/b"]


def test_the_best_quantization_is_the_largest_that_runs_well() -> None:
    repository = made.repository(quants={"F16": 53.0, "Q8_0": 26.6, "Q4_K_M": 15.7, "Q2_K": 11.0})
    sizes = {one.name: one.size_bytes / made.GB for one in repository.models}
    assert words.best(repository, {name: made.fit(gb) for name, gb in sizes.items()}) == "Q4_K_M"
    assert words.best(repository, {name: made.fit(gb, free=80) for name, gb in sizes.items()}) == "Q8_0"
    assert words.best(repository, {name: made.fit(gb, free=8) for name, gb in sizes.items()}) == "Q2_K"
    assert words.best(repository, {}) == ""
    assert words.quant_rows(RepositoryState()) == ()
