"""One repository of the Hub without widgets: its quantizations, how each fits at a context, and fetching one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from playground.errors import PlaygroundError
from playground.models.disk.inventory_values import DiskModel
from playground.models.downloads.download import Download
from playground.ui.bridge import Bridge
from playground.ui.library import repository_words as words
from playground.ui.library.quant_list import QuantList
from playground.ui.library.search_state import DEFAULT_CONTEXT, RepositoryState
from playground.ui.library.services import LibraryServices
from playground.ui.library.trouble import trouble_of
from playground.ui.library.words import contexts_up_to

if TYPE_CHECKING:
    import asyncio

SLIDING_MS = 60  # a slider passes over contexts faster than all quantizations are reckoned


class RepositoryVm(QObject):
    """``quants`` lists the quantizations; ``known`` tells what the best of them needs."""

    changed = Signal(object)
    known = Signal(str, object)
    use_wanted = Signal(str, str)
    downloads_wanted = Signal()

    def __init__(self, services: LibraryServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.state = RepositoryState()
        self.quants = QuantList(self)
        self._reading: asyncio.Task[None] | None = None
        self._fitting: asyncio.Task[None] | None = None
        self._wanted_context = DEFAULT_CONTEXT
        self._sliding = QTimer(self)
        self._sliding.setSingleShot(True)
        self._sliding.setInterval(SLIDING_MS)
        self._sliding.timeout.connect(self._fit)

    # ---- intents

    def open(self, ref: str) -> None:
        """Read a repository; what was open before goes."""
        self._stop()
        old = self.state
        state = RepositoryState(ref, is_loading=bool(ref), n_ctx=old.n_ctx, token=old.token)
        self._set(replace(state, downloads=old.downloads, on_disk=old.on_disk))
        if ref:
            self._reading = self._bridge.spawn(self._read(ref), self, self._failed)

    def retry(self) -> None:
        """Read it again."""
        self.open(self.state.ref)

    def retry_fits(self) -> None:
        """Read the header again."""
        self._fit()

    def set_context(self, n_ctx: int) -> None:
        """Reckon with another context, soon."""
        self._wanted_context = n_ctx
        if n_ctx != self.state.n_ctx:
            self._set(replace(self.state, n_ctx=n_ctx))
            self._sliding.start()

    def pick(self, quant: str) -> None:
        """Choose a quantization."""
        if quant != self.state.picked:
            self._set(replace(self.state, picked=quant, picked_by_hand=True, problem=""))

    def act(self) -> None:
        """Do what the card's main button says."""
        act = words.foot(self.state).act
        found = self.state.download(self.state.picked)
        if act == "use":
            self.use("A")
        elif act == "show_downloads":
            self.downloads_wanted.emit()
        elif act == "retry" and found is not None:
            self._retry(found.id)
        elif act == "fetch" and self.state.repository is not None and not self.state.starting:
            quant = self.state.picked
            self._set(replace(self.state, starting=quant, problem=""))
            work = self._fetch(self.state.repository.id, quant)
            self._bridge.spawn(
                work, self, lambda error: self._set(replace(self.state, problem=error.sentence()))
            )

    def use(self, slot: str) -> None:
        """Put the quantization into a pane of Compare, when it is here."""
        if path := self.state.path(self.state.picked):
            self.use_wanted.emit(slot, path)

    def set_downloads(self, downloads: tuple[Download, ...]) -> None:
        """Take how downloads stand."""
        self._set(replace(self.state, downloads=downloads))

    def set_on_disk(self, models: tuple[DiskModel, ...]) -> None:
        """Take what is on this disk."""
        self._set(replace(self.state, on_disk=models))

    # ---- work

    def _stop(self) -> None:
        self._sliding.stop()
        for task in (self._reading, self._fitting):
            if task is not None:
                task.cancel()

    async def _read(self, ref: str) -> None:
        token = await self._services.token_state()
        self._set(replace(self.state, token=token))
        repository = await self._services.repository(ref)
        steps = contexts_up_to(repository.n_ctx_train)
        n_ctx = max((step for step in steps if step <= self._wanted_context), default=steps[0])
        state = replace(self.state, repository=repository, is_loading=False, trouble=None, n_ctx=n_ctx)
        self._set(replace(state, picked=words.first_pick(repository)))
        if repository.models:
            self._fit()

    def _fit(self) -> None:
        if self.state.repository is None:
            return
        if self._fitting is not None:
            self._fitting.cancel()
        self._set(replace(self.state, is_fitting=True, fits_trouble=None))
        self._fitting = self._bridge.spawn(self._reckon(), self, self._not_fitted)

    async def _reckon(self) -> None:
        repository, n_ctx = self.state.repository, self.state.n_ctx
        assert repository is not None
        fits = await self._services.fits(repository, n_ctx)
        state = replace(self.state, fits=fits, is_fitting=False)
        best = words.best(repository, fits)
        if best and not state.picked_by_hand:
            state = replace(state, picked=best)
        self._set(state)
        if known := words.known(repository, fits):
            self.known.emit(repository.id, known)

    def _retry(self, id_: str) -> None:
        problem = ""
        try:
            self._services.retry(id_)
        except PlaygroundError as error:
            problem = error.sentence()
        self._set(replace(self.state, problem=problem))

    async def _fetch(self, repo: str, quant: str) -> None:
        try:
            await self._services.download(repo, quant, "")
        finally:
            self._set(replace(self.state, starting=""))

    def _failed(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, is_loading=False, trouble=trouble_of(error)))

    def _not_fitted(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, is_fitting=False, fits_trouble=trouble_of(error)))

    def _set(self, state: RepositoryState) -> None:
        if state != self.state:
            self.state = state
            self.quants.show_rows(words.quant_rows(state))
            self.changed.emit(state)
