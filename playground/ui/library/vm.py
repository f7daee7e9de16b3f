"""The Library behind its page: the four tabs' view-models, and what one tab learns that others need."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from playground.errors import PlaygroundError
from playground.models.disk.inventory_values import Disk
from playground.ui.bridge import Bridge
from playground.ui.library.disk_vm import DiskVm
from playground.ui.library.downloads_vm import DownloadsVm
from playground.ui.library.downloads_words import DownloadsState
from playground.ui.library.pairs_state import PairsState
from playground.ui.library.pairs_vm import PairsVm
from playground.ui.library.search_vm import SearchVm
from playground.ui.library.services import LibraryServices


class LibraryVm(QObject):
    """``token_saved`` and ``token_refused`` answer ``save_token``."""

    token_saved = Signal()
    token_refused = Signal(str)

    def __init__(self, services: LibraryServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.pairs = PairsVm(services, bridge, self)
        self.search = SearchVm(services, bridge, self)
        self.downloads = DownloadsVm(services, self)
        self.disk = DiskVm(services, bridge, self)
        self.downloads.changed.connect(self._take_downloads)
        self.downloads.finished.connect(lambda _fresh: self.disk.refresh())
        self.disk.found.connect(self._take_disk)
        self.pairs.changed.connect(self._take_pairs)
        self._take_downloads(self.downloads.state)

    def start(self) -> None:
        """Look at the machine and its disk; the Hub is asked when *Search* is opened."""
        self.pairs.refresh()
        self.disk.refresh()

    def save_token(self, text: str) -> None:
        """Check a token, keep it, and read again what needed it."""

        def refused(error: PlaygroundError) -> None:
            self.token_refused.emit(error.sentence())

        self._bridge.spawn(self._save_token(text), self, refused)

    async def _save_token(self, text: str) -> None:
        await self._services.set_token(text)
        self.token_saved.emit()
        if self.search.state.trouble is not None:
            self.search.retry()
        if self.search.opened.state.ref:
            self.search.opened.retry()

    def _take_downloads(self, state: DownloadsState) -> None:
        takers: tuple[Callable[..., None], ...] = (self.pairs.set_downloads, self.search.opened.set_downloads)
        for take in takers:
            take(state.downloads)

    def _take_disk(self, disk: Disk) -> None:
        self.search.opened.set_on_disk(disk.models)
        self.downloads.set_disk(disk.total_bytes)
        if self.pairs.state.proposals:
            self.pairs.refresh()  # what is here decides what a pair still needs

    def _take_pairs(self, state: PairsState) -> None:
        self.search.set_machine(state.machine)
