"""*Search*: typing, late answers, further pages, filters, keys, and every way a search can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from playground.errors import HubErrorKind
from playground.models.hub.repository import Query
from playground.ui.library.result_list import KNOWN_ROLE
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary, hub_error
from tests.support.search_tab import SearchTab, on_search
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


Scenario = Callable[[SearchTab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a shown tab over scripted services."""
    return lambda scenario, services=None: run(on_search(scenario, services or ScriptedLibrary()), 20)


def test_results_are_listed_with_what_is_likely_and_then_with_what_is_known(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        model = tab.vm.results
        assert (
            model.index(1, 0).data()
            == "Qwen3.8-27B by unsloth, 27B, Likely fits, Q4 about 16.5 GB, 2.7M downloads"
        )
        assert "gated" in model.index(3, 0).data()
        assert tab.page._caption.text() == "10 MODELS WITH GGUF FILES"
        await come_true(lambda: model.index(0, 0).data(KNOWN_ROLE).pill == ("Runs well", "ok"))
        assert model.index(0, 0).data(KNOWN_ROLE).words == "Q4_K_M, 15.7 GB"

    play(scenario)


def test_typing_asks_once_and_late_answers_are_dropped(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        tab.services.found_by_words = {"old": made.many(3), "new": made.many(2)}
        tab.services.holds["search"] = asyncio.Event()
        QTest.keyClicks(tab.page.field, "old")
        await come_true(lambda: "old" in tab.words_asked())
        assert tab.words_asked() == ["", "old"]
        del tab.services.holds["search"]
        tab.page.field.setText("new")
        await come_true(lambda: tab.words_asked() == ["", "old", "new"] and not tab.vm.state.is_searching)
        assert len(tab.vm.state.found) == 2
        assert tab.services.cancelled == ["search"]

    play(scenario)


def test_further_pages_come_when_the_end_is_in_sight_and_rows_stay(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        tab.services.pages = {"": made.many(60), "1": (*made.many(1), *made.many(40, 60))}
        await tab.found()
        model, view = tab.vm.results, tab.page.list
        assert tab.page._caption.text() == "60+ MODELS WITH GGUF FILES"
        resets: list[int] = []
        model.modelReset.connect(lambda: resets.append(1))
        view.scrollToBottom()
        await come_true(lambda: model.rowCount() == 100)
        assert not resets
        assert not model.canFetchMore(view.rootIndex())
        assert [call[1] for call in tab.services.asked("search")] == ["", "1"]

    play(scenario)


def test_a_further_page_that_fails_keeps_what_is_there(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        tab.services.pages = {"": made.many(60), "1": made.many(5, 60)}
        await tab.found()
        tab.services.failures["search"] = hub_error(HubErrorKind.RATE_LIMITED)
        tab.page.list.scrollToBottom()
        await come_true(lambda: tab.vm.state.trouble is not None)
        assert tab.vm.results.rowCount() == 60
        assert tab.page._note.text == "The Hub cannot be reached. Check the connection."

    play(scenario)


def test_filters_narrow_the_query(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        page = tab.page
        page.sorts.choose("newest")
        page.licences.choose("mit")
        page.sizes.choose((None, 4_500_000_000))
        await come_true(lambda: not tab.vm.state.is_searching)
        query = tab.services.asked("search")[-1][0]
        assert query == Query(sort="newest", licence="mit", max_params=4_500_000_000)
        page.licences.choose("open")
        page.sizes.choose((None, None))
        page.fits.choose("fits")
        await come_true(lambda: not tab.vm.state.is_searching)
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


@pytest.mark.parametrize("kind", list(HubErrorKind))
def test_a_search_that_fails_says_how_and_can_be_tried_again(play: Play, kind: HubErrorKind) -> None:
    async def scenario(tab: SearchTab) -> None:
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
        await come_true(lambda: tab.vm.results.rowCount() == 10)
        assert not plate.isVisible()

    play(scenario)


def test_nothing_found_says_for_what(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        tab.page.field.setText("zebra")
        await come_true(tab.page._plate.isVisible)
        assert "for “zebra”" in tab.page._plate.accessibleDescription()

    play(scenario)


def test_keys_go_from_the_field_through_results_to_quantizations(play: Play) -> None:
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        tab.page.focus_first()
        tab.key(Qt.Key.Key_Down)
        tab.key(Qt.Key.Key_Down)
        assert tab.page.list.currentIndex().row() == 2
        assert tab.page.field.hasFocus()
        await come_true(
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
    async def scenario(tab: SearchTab) -> None:
        await tab.found()
        await come_true(lambda: bool(tab.opened.state.fits))
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
