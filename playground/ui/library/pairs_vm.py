"""*For this machine* without widgets: the catalog's pairs, how they fit, and the way from a pair to a comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from playground.errors import PlaygroundError
from playground.models.catalog.catalog_values import Proposal
from playground.models.downloads.download import Download, DownloadState
from playground.ui.bridge import Bridge
from playground.ui.library import pairs_words as words
from playground.ui.library.pairs_state import PairsState
from playground.ui.library.services import LibraryServices
from playground.ui.library.trouble import trouble_of

if TYPE_CHECKING:
    import asyncio

DEFAULT_CONTEXT = 8192


class PairsVm(QObject):
    """``pair_ready`` carries both models' paths once a pair that was asked for is here and checked."""

    changed = Signal(object)
    pair_ready = Signal(str, str)
    compare_wanted = Signal(str, str)
    use_wanted = Signal(str)
    downloads_wanted = Signal()

    def __init__(self, services: LibraryServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._loading: asyncio.Task[None] | None = None
        self.state = PairsState(n_ctx=DEFAULT_CONTEXT)

    def refresh(self) -> None:
        """Read the machine's memory and the pairs again; what is shown stays until then."""
        if self._loading is not None:
            self._loading.cancel()
        self._set(replace(self.state, is_loading=True, trouble=None))
        self._loading = self._bridge.spawn(self._load(), self, self._failed)

    def set_context(self, n_ctx: int) -> None:
        """Reckon with another context."""
        if n_ctx != self.state.n_ctx:
            self._set(replace(self.state, n_ctx=n_ctx))
            self.refresh()

    def set_downloads(self, downloads: tuple[Download, ...]) -> None:
        """Take how downloads stand; a pair that has become whole is announced."""
        pace = sum(one.bytes_per_s for one in downloads if one.state is DownloadState.ACTIVE)
        self._set(
            replace(self.state, downloads=downloads, speed_bytes_per_s=pace or self.state.speed_bytes_per_s)
        )
        self._announce()

    def act(self, pair_id: str) -> None:
        """Do what a card's button says."""
        proposal = self.state.proposal(pair_id)
        act = words.card(self.state, proposal, is_primary=False).act
        if act == "compare":
            self.compare_wanted.emit(self.state.path(proposal.compact), self.state.path(proposal.larger))
        elif act == "use_compact":
            self.use_wanted.emit(self.state.path(words.needed_sides(proposal)[0]))
        elif act == "show_downloads":
            self.downloads_wanted.emit()
        elif act in ("fetch", "retry") and pair_id not in self.state.starting:
            self._begin(pair_id)

    def _begin(self, pair_id: str) -> None:
        problems = tuple(item for item in self.state.problems if item[0] != pair_id)
        wanted = (
            self.state.wanted | {pair_id}
            if words.is_pair(self.state.proposal(pair_id))
            else self.state.wanted
        )
        starting = self.state.starting | {pair_id}
        self._set(replace(self.state, problems=problems, wanted=wanted, starting=starting))
        self._bridge.spawn(self._fetch(pair_id), self, lambda error: self._refuse(pair_id, error))

    async def _fetch(self, pair_id: str) -> None:
        proposal = self.state.proposal(pair_id)
        try:
            for side in words.needed_sides(proposal):
                found = self.state.download(side)
                if found is not None and found.state is DownloadState.FAILED:
                    self._services.retry(found.id)
                elif found is not None and found.state is DownloadState.PAUSED:
                    self._services.resume(found.id)
                elif found is None and not self.state.path(side):
                    note = f"pair with {_other(proposal, side.model.name)}" if words.is_pair(proposal) else ""
                    await self._services.download(side.model.repo, side.quant.name, note)
        finally:
            self._set(replace(self.state, starting=self.state.starting - {pair_id}))

    def _refuse(self, pair_id: str, error: PlaygroundError) -> None:
        problems = (
            *(item for item in self.state.problems if item[0] != pair_id),
            (pair_id, error.sentence()),
        )
        self._set(replace(self.state, problems=problems, wanted=self.state.wanted - {pair_id}))

    def _announce(self) -> None:
        for proposal in self.state.proposals:
            paths = [self.state.path(side) for side in (proposal.compact, proposal.larger)]
            if proposal.pair.id in self.state.wanted and all(paths):
                self._set(replace(self.state, wanted=self.state.wanted - {proposal.pair.id}))
                self.pair_ready.emit(*paths)

    async def _load(self) -> None:
        machine = await self._services.machine()
        free = self._services.disk_free_bytes()
        self._set(replace(self.state, machine=machine, disk_free_bytes=free))
        proposals = await self._services.proposals(self.state.n_ctx)
        self._set(replace(self.state, proposals=proposals, is_loading=False, trouble=None))
        self._announce()

    def _failed(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, is_loading=False, trouble=trouble_of(error)))

    def _set(self, state: PairsState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def _other(proposal: Proposal, name: str) -> str:
    names = (proposal.compact.model.name, proposal.larger.model.name)
    return names[1] if name == names[0] else names[0]
