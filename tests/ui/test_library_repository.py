"""A repository in *Search*: what its quantizations need, fetching one, terms and tokens, what cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl

from playground.errors import DownloadError, DownloadErrorKind, HubErrorKind, ModelError
from playground.models.downloads.download import DownloadState
from playground.models.hub.repository import Repository
from playground.ui.library import repository_words as words
from playground.ui.library.repository_card import open_page
from playground.ui.library.search_state import RepositoryState
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary, hub_error
from tests.support.search_tab import SearchTab, on_search
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
_QWEN = "unsloth/Qwen3.6-27B-GGUF"


Scenario = Callable[[SearchTab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a shown tab over scripted services."""
    return lambda scenario, services=None: run(on_search(scenario, services or ScriptedLibrary()), 20)


def test_a_pasted_address_opens_that_repository(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        tab.page.field.setText(f"https://huggingface.co/{_QWEN}/blob/main/x.gguf")
        await come_true(lambda: tab.opened.state.ref == _QWEN and bool(tab.opened.state.fits))
        assert tab.vm.results.rowCount() == 1
        tab.page.field.clear()
        await come_true(lambda: tab.vm.results.rowCount() == 10)

    play(scenario)


def test_a_repository_says_what_each_quantization_needs(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
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
    async def scenario(tab: SearchTab) -> None:
        await tab.read()
        slider = tab.page.card.slider
        assert slider.maximum() == 7
        slider.setFocus()
        tab.key(Qt.Key.Key_Right)
        tab.key(Qt.Key.Key_Right)
        await come_true(lambda: not tab.opened.state.is_fitting and "8.9" in tab.rows()[5].sum)
        assert [call[1] for call in tab.services.asked("fits")] == [32_768, 131_072]
        assert len(tab.services.asked("repository")) == 1
        assert tab.page.card._context.text() == "128k"

    play(scenario)


def test_a_pick_by_hand_stays_and_enter_downloads_it(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.read()
        view = tab.page.card.quants
        view.setFocus()
        tab.key(Qt.Key.Key_Down)
        assert tab.opened.state.picked == "Q4_0"
        tab.opened.set_context(2048)
        await come_true(lambda: not tab.opened.state.is_fitting and len(tab.services.asked("fits")) == 2)
        assert tab.opened.state.picked == "Q4_0"
        tab.key(Qt.Key.Key_Return)
        await come_true(
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
    async def scenario(tab: SearchTab) -> None:
        tab.opened.set_on_disk(tab.services.its_disk.models)
        await tab.read()
        assert next(row for row in tab.rows() if row.is_picked).mark == ("On disk", "ok")
        tab.page.card.get.click()
        assert tab.said == [("A", "/hub/Qwen3.6-27B-Q4_K_M.gguf")]
        assert tab.services.asked("download") == []

    play(scenario)


def test_a_download_that_is_refused_says_why(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        tab.services.failures["download"] = DownloadError(DownloadErrorKind.DISK_FULL, "The disk is full.")
        await tab.read()
        tab.page.card.get.click()
        await come_true(lambda: tab.opened.state.problem == "The disk is full.")
        assert tab.page.card._problem.isVisible()
        assert tab.page.card.get.isEnabled()

    play(scenario)


def test_a_gated_repository_offers_its_terms_and_a_token(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
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
        await come_true(lambda: tab.opened.state.token != "" and bool(tab.opened.state.fits))
        assert "the Hub's own file" in card._gate.text
        assert "hf_secret" not in repr(tab.opened.state)

    play(scenario)


def test_a_repository_that_cannot_be_read_without_terms_says_where(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        url = f"https://huggingface.co/{_QWEN}"
        tab.services.failures["repository"] = hub_error(HubErrorKind.GATED, url)
        tab.opened.open(_QWEN)
        await come_true(lambda: tab.opened.state.trouble is not None)
        plate = tab.page.card._plate
        assert plate.link.isVisible()
        assert plate._url == url
        plate.token.click()
        assert tab.said == [("token",)]
        del tab.services.failures["repository"]
        plate.retry.click()
        await come_true(lambda: bool(tab.opened.state.fits))

    play(scenario)


def test_a_repository_without_gguf_leads_to_one_that_has(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        tab.services.repositories["Qwen/Qwen3.6-27B"] = Repository("Qwen/Qwen3.6-27B", "0" * 40)
        tab.opened.open("Qwen/Qwen3.6-27B")
        await come_true(tab.page.card._plate.other.isVisible)
        assert tab.services.asked("fits") == [] or tab.services.asked("fits")[-1][0] != "Qwen/Qwen3.6-27B"
        tab.page.card._plate.other.click()
        assert tab.page.field.text() == "Qwen3.6-27B"

    play(scenario)


def test_sizes_stay_where_the_header_cannot_be_read(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        tab.services.failures["fits"] = ModelError("The header is damaged.")
        tab.opened.open(_QWEN)
        await come_true(lambda: tab.opened.state.fits_trouble is not None)
        assert tab.page.card._fits_note.text == "How it fits is not known: The header is damaged."
        assert all(row.size and not row.total for row in tab.rows())
        assert words.foot(tab.opened.state).can_act
        assert tab.opened.state.picked == "Q4_K_M"

    play(scenario)


def test_another_repository_cancels_the_one_before(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        tab.services.holds["repository"] = asyncio.Event()
        tab.opened.open("a/slow")
        await come_true(lambda: tab.services.asked("repository") == [("a/slow",)])
        del tab.services.holds["repository"]
        await tab.read()
        assert tab.services.cancelled == ["repository"]
        assert tab.opened.state.ref == _QWEN

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
