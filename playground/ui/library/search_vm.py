"""*Search* without widgets: what was typed becomes a query, its answers a list; late answers are dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from playground.errors import PlaygroundError
from playground.models.fitness import Machine
from playground.models.hub.repository import FoundModel, Query, Sort
from playground.ui.bridge import Bridge
from playground.ui.library import search_words as words
from playground.ui.library.repository_vm import RepositoryVm
from playground.ui.library.result_list import ResultList
from playground.ui.library.search_state import FitWish, SearchState
from playground.ui.library.services import LibraryServices
from playground.ui.library.trouble import trouble_of

if TYPE_CHECKING:
    import asyncio

TYPING_MS = 250  # between the last key and the question
OPENING_MS = 180  # arrow keys pass over rows without asking for each


class SearchVm(QObject):
    """``results`` lists what was found; ``opened`` is the repository of the selected one."""

    changed = Signal(object)

    def __init__(self, services: LibraryServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.state = SearchState()
        self.results = ResultList(self)
        self.results.more_wanted.connect(self._more)
        self.opened = RepositoryVm(services, bridge, self)
        self.opened.known.connect(self.results.set_known)
        self._searching: asyncio.Task[None] | None = None
        self._typing = _timer(self, TYPING_MS, self._search)
        self._opening = _timer(self, OPENING_MS, self._open)

    # ---- intents

    def start(self) -> None:
        """Show what the Hub has, the first time that this is looked at."""
        if not self.state.has_searched and not self.state.is_searching:
            self._search()

    def type(self, text: str) -> None:
        """Take what is being typed; a pasted address opens that repository."""
        if repository := words.address(text):
            self._typing.stop()
            self._stop()
            found = (FoundModel(repository),)
            self._set(
                replace(
                    self.state, is_searching=False, trouble=None, found=found, cursor="", has_searched=True
                )
            )
            self.select(repository, at_once=True)
            return
        query = words.with_text(self.state.query, text)
        if query != self.state.query or self.state.trouble is not None or words.address(self.state.selected):
            self._set(replace(self.state, query=query))
        self._typing.start()

    def search_now(self) -> None:
        """Do not wait for more keys."""
        self._search()

    def set_sort(self, sort: Sort) -> None:
        """Sort in another way."""
        self._narrow(msgspec.structs.replace(self.state.query, sort=sort))

    def set_licence(self, licence: str) -> None:
        """Find models of one licence; "": of any; "open": those that ask for no terms."""
        gated = False if licence == "open" else None
        self._narrow(
            msgspec.structs.replace(
                self.state.query, licence="" if licence == "open" else licence, gated=gated
            )
        )

    def set_size(self, span: tuple[int | None, int | None]) -> None:
        """Find models with so many weights."""
        self._narrow(msgspec.structs.replace(self.state.query, min_params=span[0], max_params=span[1]))

    def set_fit_wish(self, wish: FitWish) -> None:
        """Find models that will probably fit this machine, or all."""
        if wish != self.state.fit_wish:
            self._set(replace(self.state, fit_wish=wish))
            self._search()

    def set_machine(self, machine: Machine | None) -> None:
        """Take what models can be put into."""
        if machine is not None:
            free = sum(device.free_bytes for device in machine.devices) or machine.free_bytes
            self._set(replace(self.state, free_bytes=free))
            self.results.set_free(free)

    def select(self, id_: str, *, at_once: bool = False) -> None:
        """Open a result's repository, when the selection has come to rest."""
        if id_ != self.state.selected or at_once:
            self._set(replace(self.state, selected=id_))
            self._opening.start(0 if at_once else OPENING_MS)

    def is_waiting(self) -> bool:
        """Return whether what was typed has not been asked for yet."""
        return self._typing.isActive()

    def retry(self) -> None:
        """Ask again after a failure."""
        self._search()

    # ---- work

    def _narrow(self, query: Query) -> None:
        if query != self.state.query:
            self._set(replace(self.state, query=query))
            self._search()

    def _stop(self) -> None:
        if self._searching is not None:
            self._searching.cancel()
            self._searching = None

    def _search(self) -> None:
        self._typing.stop()
        self._stop()
        self._set(replace(self.state, is_searching=True, is_loading_more=False, trouble=None))
        self._searching = self._bridge.spawn(self._ask(""), self, self._failed)

    def _more(self) -> None:
        if self.state.cursor and not self.state.is_searching and not self.state.is_loading_more:
            self._set(replace(self.state, is_loading_more=True, trouble=None))
            self._searching = self._bridge.spawn(self._ask(self.state.cursor), self, self._failed)

    async def _ask(self, cursor: str) -> None:
        page = await self._services.search(self._asked(), cursor)
        found = page.found
        if cursor:
            here = {one.id for one in self.state.found}
            found = (*self.state.found, *(one for one in page.found if one.id not in here))
        state = replace(
            self.state, found=found, cursor=page.cursor, is_searching=False, is_loading_more=False
        )
        self._set(replace(state, has_searched=True))

    def _asked(self) -> Query:
        """Return the query with what the wish to fit makes of it."""
        query = self.state.query
        if self.state.fit_wish == "any" or not self.state.free_bytes:
            return query
        most = words.most_params(self.state.free_bytes)
        limit = most if query.max_params is None else min(most, query.max_params)
        return msgspec.structs.replace(query, max_params=limit)

    def _failed(self, error: PlaygroundError) -> None:
        more = self.state.is_loading_more
        found = self.state.found if more else ()
        state = replace(
            self.state, found=found, is_searching=False, is_loading_more=False, trouble=trouble_of(error)
        )
        self._set(replace(state, has_searched=True))

    def _open(self) -> None:
        self.opened.open(self.state.selected)

    def _set(self, state: SearchState) -> None:
        if state != self.state:
            old, self.state = self.state, state
            if state.found is not old.found or state.cursor != old.cursor:
                self.results.show_found(state.found, has_more=bool(state.cursor))
            self.changed.emit(state)


def _timer(owner: QObject, wait_ms: int, rings: Any) -> QTimer:  # noqa: ANN401 -- a slot
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(wait_ms)
    timer.timeout.connect(rings)
    return timer
