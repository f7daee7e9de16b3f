"""Scripted services behind the Library: they answer what the test has set, fail as it says, and remember what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from playground.errors import HubError, HubErrorKind, PlaygroundError
from playground.models.catalog.catalog_values import Proposal
from playground.models.disk.inventory_values import Disk, DiskModel
from playground.models.downloads.download import Download, DownloadState
from playground.models.fitness import Fit, Machine
from playground.models.hub.repository import FoundModel, Page, Query, Repository
from playground.ui.library.services import DownloadRules, OnLooking
from tests.support import library_models as made


def hub_error(kind: HubErrorKind = HubErrorKind.OFFLINE, url: str = "") -> HubError:
    """Return a failure of the Hub."""
    return HubError(kind, "The Hub cannot be reached.", hint="Check the connection.", url=url)


class ScriptedLibrary:
    """``failures`` by method name are raised; ``holds`` by method name are waited for; ``calls`` lists what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.failures: dict[str, PlaygroundError] = {}
        self.holds: dict[str, asyncio.Event] = {}
        self.its_machine = made.machine()
        self.its_proposals: tuple[Proposal, ...] = made.proposals()
        self.pages: dict[str, tuple[FoundModel, ...]] = {"": made.found()}  # by cursor
        self.found_by_words: dict[str, tuple[FoundModel, ...]] = {}
        self.repositories: dict[str, Repository] = {}
        self.its_disk = made.disk()
        self.its_downloads: list[Download] = []
        self.its_rules = DownloadRules(2, None, "/hub")
        self.folders: list[str] = []
        self.token = ""
        self.free_bytes = made.bytes_of(312)
        self.cancelled: list[str] = []
        self._tell: Callable[[], None] = lambda: None

    async def machine(self) -> Machine:
        """Return the machine."""
        await self._asked("machine")
        return self.its_machine

    async def proposals(self, n_ctx: int) -> tuple[Proposal, ...]:
        """Return the proposals."""
        await self._asked("proposals", n_ctx)
        return self.its_proposals

    async def search(self, query: Query, cursor: str) -> Page:
        """Return the results for the words, or the page of a cursor; pages are named by numbers."""
        await self._asked("search", query, cursor)
        if query.words:
            return Page(self.found_by_words.get(query.words, ()))
        after = str(int(cursor or 0) + 1)
        return Page(self.pages[cursor], after if after in self.pages else "")

    async def repository(self, ref: str) -> Repository:
        """Return the repository that was set, or a usual one."""
        await self._asked("repository", ref)
        return self.repositories.get(ref) or msgspec.structs.replace(made.repository(), id=ref)

    async def fits(self, repository: Repository, n_ctx: int) -> dict[str, Fit]:
        """Return fits whose cache grows with the context."""
        await self._asked("fits", repository.id, n_ctx)
        cache = 0.9 + n_ctx / 16_384
        return {one.name: made.fit(one.size_bytes / made.GB, cache) for one in repository.models}

    async def disk(self, on_looking: OnLooking) -> Disk:
        """Return the disk."""
        on_looking("the Hub cache")
        await self._asked("disk")
        return self.its_disk

    async def remove(self, models: Sequence[DiskModel]) -> int:
        """Take models off the disk."""
        await self._asked("remove", tuple(model.path for model in models))
        left = tuple(model for model in self.its_disk.models if model not in models)
        self.its_disk = msgspec.structs.replace(self.its_disk, models=left)
        return sum(model.size_bytes for model in models)

    def added_folders(self) -> tuple[str, ...]:
        """Return the folders."""
        return tuple(self.folders)

    def add_folder(self, path: str) -> None:
        """Add a folder."""
        self._fail("add_folder")
        self.folders.append(path)

    def remove_folder(self, path: str) -> None:
        """Take a folder off the list."""
        self.folders.remove(path)

    def downloads(self) -> tuple[Download, ...]:
        """Return the downloads."""
        return tuple(self.its_downloads)

    def set_downloads_listener(self, listener: Callable[[], None]) -> None:
        """Keep the listener."""
        self._tell = listener

    async def download(self, ref: str, quant: str, note: str) -> None:
        """List a download."""
        await self._asked("download", ref, quant, note)
        self.its_downloads.append(made.download(ref, quant, 1.0, 0, DownloadState.QUEUED, note=note))
        self._tell()

    def change(self, id_: str, **values: object) -> None:
        """Change a download as a real one would change by itself."""
        self.its_downloads = [
            msgspec.structs.replace(one, **values) if one.id == id_ else one for one in self.its_downloads
        ]
        self._tell()

    def finish(self, id_: str) -> None:
        """End a download well."""
        self.change(id_, state=DownloadState.DONE, path=f"/hub/{id_}.gguf", ended_at=made.NOW)

    def pause(self, id_: str) -> None:
        """Pause one."""
        self._intent("pause", id_, DownloadState.PAUSED)

    def resume(self, id_: str) -> None:
        """Go on with one."""
        self._intent("resume", id_, DownloadState.ACTIVE)

    def retry(self, id_: str) -> None:
        """Try one again."""
        self._intent("retry", id_, DownloadState.ACTIVE)

    def cancel(self, id_: str) -> None:
        """End one."""
        self._drop("cancel", id_)

    def forget(self, id_: str) -> None:
        """Take one off the list."""
        self._drop("forget", id_)

    def pause_all(self) -> None:
        """Pause all."""
        self._fail("pause_all")
        for one in self.its_downloads:
            self.change(one.id, state=DownloadState.PAUSED)

    def resume_all(self) -> None:
        """Go on with all."""
        for one in self.its_downloads:
            self.change(one.id, state=DownloadState.ACTIVE)

    def rules(self) -> DownloadRules:
        """Return how downloads go."""
        return self.its_rules

    def set_parallel(self, count: int) -> None:
        """Set how many go at once."""
        self.its_rules = DownloadRules(count, self.its_rules.limit_bytes_per_s, self.its_rules.folder)

    def set_limit(self, bytes_per_s: int | None) -> None:
        """Set how fast they go."""
        self.its_rules = DownloadRules(self.its_rules.parallel, bytes_per_s, self.its_rules.folder)

    def disk_free_bytes(self) -> int:
        """Return what is free."""
        return self.free_bytes

    async def token_state(self) -> str:
        """Return where the token is."""
        return "the Hub's own file" if self.token else ""

    async def set_token(self, text: str) -> None:
        """Keep a token."""
        await self._asked("set_token")
        self.token = text

    def asked(self, name: str) -> list[tuple[object, ...]]:
        """Return the arguments of all calls of a method."""
        return [call[1:] for call in self.calls if call[0] == name]

    async def _asked(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.holds:
            try:
                await self.holds[name].wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise
        self._fail(name)

    def _fail(self, name: str) -> None:
        if name in self.failures:
            raise self.failures[name]

    def _intent(self, name: str, id_: str, state: DownloadState) -> None:
        self.calls.append((name, id_))
        self.change(id_, state=state)

    def _drop(self, name: str, id_: str) -> None:
        self.calls.append((name, id_))
        self.its_downloads = [one for one in self.its_downloads if one.id != id_]
        self._tell()
