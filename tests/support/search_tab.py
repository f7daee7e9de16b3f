"""The tab *Search* on a screen, for the tests of its results and of its repositories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from playground.models.hub.repository import Query
from playground.ui.bridge import Bridge
from playground.ui.library import repository_words as words
from playground.ui.library.quant_list import QUANT_ROLE
from playground.ui.library.search_page import SearchPage
from playground.ui.library.search_vm import SearchVm
from tests.support.scripted_library import ScriptedLibrary
from tests.support.waiting import come_true

_QWEN = "unsloth/Qwen3.6-27B-GGUF"


class SearchTab:
    """The tab *Search*, shown, over scripted services, and what it has said."""

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
        await come_true(lambda: self.vm.state.has_searched and not self.vm.state.is_searching)

    async def read(self, ref: str = _QWEN) -> None:
        self.opened.open(ref)
        await come_true(lambda: bool(self.opened.state.fits))

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.page.focusWidget(), key)

    def rows(self) -> list[words.QuantRow]:
        model = self.opened.quants
        return [model.index(place, 0).data(QUANT_ROLE) for place in range(model.rowCount())]

    def words_asked(self) -> list[str]:
        queries = [call[0] for call in self.services.asked("search")]
        return [query.words for query in queries if isinstance(query, Query)]


async def on_search(
    scenario: Callable[[SearchTab], Coroutine[Any, Any, None]], services: ScriptedLibrary
) -> None:
    """Run a scenario on the tab and take it away again."""
    tab = SearchTab(services)
    try:
        await come_true(tab.page.isActiveWindow)
        await scenario(tab)
    finally:
        await tab.bridge.close()
        tab.page.deleteLater()
        tab.vm.deleteLater()
        await asyncio.sleep(0.01)  # Qt deletes when its loop comes round
    assert not tab.bugs
