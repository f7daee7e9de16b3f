"""*On disk* without widgets: looking for models, what is marked, deleting, fetching what is missing, folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from playground.errors import PlaygroundError
from playground.models.disk.inventory_values import DiskModel
from playground.ui.bridge import Bridge
from playground.ui.library import disk_words as words
from playground.ui.library.disk_table import DiskFilter, DiskTable
from playground.ui.library.disk_words import DiskView
from playground.ui.library.services import LibraryServices
from playground.ui.library.trouble import trouble_of

if TYPE_CHECKING:
    import asyncio


class DiskVm(QObject):
    """``rows`` are the models that pass the filters. ``found`` carries what a look has found."""

    changed = Signal(object)
    found = Signal(object)
    use_wanted = Signal(str, str)
    downloads_wanted = Signal()

    def __init__(self, services: LibraryServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.state = DiskView(added_folders=services.added_folders())
        self.table = DiskTable(self)
        self.table.check_wanted.connect(self.check)
        self.rows = DiskFilter(self.table, self)
        self._looking: asyncio.Task[None] | None = None

    # ---- intents

    def refresh(self) -> None:
        """Look again; what is shown stays until then."""
        if self._looking is not None:
            self._looking.cancel()
        self._set(replace(self.state, is_looking=True, looking="", trouble=None))
        self._looking = self._bridge.spawn(self._look(), self, self._failed)

    def check(self, path: str, on: bool) -> None:
        """Mark a model for deleting, or not."""
        deletable = {model.path for model in self.state.models if model.can_delete}
        checked = (self.state.checked | {path}) & deletable if on else self.state.checked - {path}
        self._set(replace(self.state, checked=checked, notice=""))

    def toggle(self, path: str) -> None:
        """Mark a model that is not marked, and the other way round."""
        self.check(path, path not in self.state.checked)

    def go_to(self, path: str) -> None:
        """Take the row that the table is at."""
        self._set(replace(self.state, current=path))

    def set_filter(self, chip: str, text: str) -> None:
        """Show other rows."""
        self._set(replace(self.state, chip=chip, words=text))

    def remove(self, models: tuple[DiskModel, ...]) -> None:
        """Delete models; the page has asked."""
        if models and not self.state.is_removing:
            self._set(replace(self.state, is_removing=True, problem="", notice=""))
            self._bridge.spawn(self._remove(models), self, self._refused)

    def fetch_missing(self) -> None:
        """Queue what is missing of the marked models, or of the row that the table is at."""
        wanted = [model for model in self.state.meant() if words.can_fetch(model)]
        if wanted:
            self._set(replace(self.state, problem=""))
            self._bridge.spawn(self._fetch(wanted), self, self._refused)

    def use(self, slot: str) -> None:
        """Put the row that is meant into a pane of Compare."""
        meant = self.state.meant()
        if len(meant) == 1 and words.can_use(meant[0]):
            self.use_wanted.emit(slot, meant[0].ref or meant[0].path)

    def add_folder(self, path: str) -> None:
        """Look into one more folder."""
        self._change_folders(lambda: self._services.add_folder(path))

    def remove_folder(self, path: str) -> None:
        """Look no longer into a folder."""
        self._change_folders(lambda: self._services.remove_folder(path))

    # ---- work

    async def _look(self) -> None:
        disk = await self._services.disk(lambda where: self._set(replace(self.state, looking=where)))
        disk = msgspec.structs.replace(disk, models=words.ordered(disk.models))
        here = frozenset(model.path for model in disk.models if model.can_delete)
        folders = self._services.added_folders()
        state = replace(
            self.state, disk=disk, is_looking=False, looking="", checked=self.state.checked & here
        )
        chips = {key for key, _ in words.chips(replace(state, disk=disk))}
        chip = state.chip if state.chip in chips else words.ALL
        self._set(replace(state, added_folders=folders, chip=chip))
        self.found.emit(disk)

    async def _remove(self, chosen: tuple[DiskModel, ...]) -> None:
        try:
            freed = await self._services.remove(chosen)
            self._set(replace(self.state, notice=words.freed(freed), checked=frozenset()))
        finally:
            self._set(replace(self.state, is_removing=False))
            self.refresh()

    async def _fetch(self, models: list[DiskModel]) -> None:
        for model in models:
            await self._services.download(model.repo, model.quant, "missing parts")
        self.downloads_wanted.emit()

    def _change_folders(self, intent: Callable[[], None]) -> None:
        try:
            intent()
        except PlaygroundError as error:
            self._refused(error)
            return
        self._set(replace(self.state, added_folders=self._services.added_folders(), problem=""))
        self.refresh()

    def _refused(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, problem=error.sentence()))

    def _failed(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, is_looking=False, looking="", trouble=trouble_of(error)))

    def _set(self, state: DiskView) -> None:
        if state != self.state:
            self.state = state
            self.table.show_models(state.models, state.checked)
            self.rows.set_filter(state.chip, state.words)
            self.changed.emit(state)
