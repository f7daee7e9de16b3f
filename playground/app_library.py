"""The real services behind the Library screen. Heavy modules are imported when they are first needed. Knows no Qt."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from playground.engines.pool import EnginePool
from playground.errors import DownloadError, HubError, HubErrorKind
from playground.models.catalog.catalog_values import Proposal
from playground.models.disk.inventory_values import Disk, DiskModel
from playground.models.downloads.download import Download
from playground.models.downloads.downloads import Downloads
from playground.models.fitness import Fit, Machine
from playground.models.gguf import GgufHeader
from playground.models.hub.repository import Page, Query, Repository
from playground.ui.library.services import DownloadRules, OnLooking

_MOST_HEADERS = 64
_TOKEN_PLACES = {"none": "", "environment": "the environment", "file": "the Hub's own file"}


class AppLibrary:
    """What ``playground.ui.library.services.LibraryServices`` asks for. ``chosen``: files of the lanes' models."""

    def __init__(self, pool: EnginePool, chosen: Callable[[], Collection[str]] = tuple) -> None:
        self._pool, self._chosen = pool, chosen
        self._listener: Callable[[], None] = _nobody
        self._watcher: Callable[[], None] = _nobody
        self._downloads = Downloads(self._changed)
        self._headers: dict[tuple[str, str], GgufHeader] = {}
        self._has_fitted = False
        self._on_disk: Mapping[tuple[str, str], str] = {}

    def start(self, watcher: Callable[[], None]) -> None:
        """Go on with the downloads of the last time; ``watcher`` is called whenever one has changed, page or none."""
        self._watcher = watcher
        self._downloads.start()

    async def close(self) -> None:
        """End the fetchers; what is here is kept."""
        await self._downloads.close()

    # ---- the machine and what fits it

    async def machine(self) -> Machine:
        """Return this machine's memory as it is now."""
        from playground.compare.machine_now import machine_now

        return machine_now(await self._pool.known_devices(fresh=True))

    async def proposals(self, n_ctx: int) -> tuple[Proposal, ...]:
        """Return the catalog's pairs on this machine, the most fitting first."""
        from playground.models.catalog.proposals import proposals

        machine = await self.machine()
        return await asyncio.to_thread(proposals, machine, n_ctx, self._on_disk)

    async def fits(self, repository: Repository, n_ctx: int) -> dict[str, Fit]:
        """Return by quantization how each one fits."""
        from playground.models.pair_fit import fit

        if not repository.models:
            return {}
        header = await self._header(repository)
        machine = await self.machine()

        def fits() -> dict[str, Fit]:
            return {quant.name: fit(header, quant.size_bytes, n_ctx, machine) for quant in repository.models}

        found = await asyncio.to_thread(fits)  # each takes a millisecond
        if not self._has_fitted:
            self._has_fitted = True
            gc.freeze()  # what was imported so far stays: a collection that looks at all of it takes 50 ms
        return found

    async def _header(self, repository: Repository) -> GgufHeader:
        """Return what the formulas need; all quantizations of a repository are of one shape."""
        from playground.models.hub import hub_api
        from playground.models.hub.grouping import default_quant

        key = repository.id, repository.commit
        if key not in self._headers:
            first = (default_quant(repository.quants) or repository.models[0]).files[0]
            found = await hub_api.header(repository.id, repository.commit, first.path, first.size_bytes)
            while len(self._headers) >= _MOST_HEADERS:
                self._headers.pop(next(iter(self._headers)))
            self._headers[key] = found
        return self._headers[key]

    # ---- the Hub

    async def search(self, query: Query, cursor: str) -> Page:
        """Return results from a cursor on."""
        from playground.models.hub import hub_api

        return await hub_api.search(query, cursor)

    async def repository(self, ref: str) -> Repository:
        """Return a repository by its name, reference or address."""
        from playground.models.hub import hub_api

        return await hub_api.repository(ref)

    async def token_state(self) -> str:
        """Return where a Hub token was found, empty without one."""
        from playground.models.hub import hub

        found = await asyncio.to_thread(hub.token_state)
        return _TOKEN_PLACES[found.value]

    async def set_token(self, text: str) -> None:
        """Check a token and keep it where the Hub's tools do; empty: forget it."""
        from playground.models.hub import hub, hub_api

        if not text.strip():
            await asyncio.to_thread(hub.forget_token)
            return
        before = await asyncio.to_thread(_kept_token)
        await asyncio.to_thread(hub.set_token, text.strip())
        try:
            await hub_api.account()
        except HubError as error:
            if error.kind is HubErrorKind.TOKEN:  # offline, it is kept unchecked
                restore = hub.forget_token if not before else lambda: hub.set_token(before)
                await asyncio.to_thread(restore)
            raise

    # ---- this disk

    async def disk(self, on_looking: OnLooking) -> Disk:
        """Look for all models on this disk."""
        from playground.models.catalog.proposals import on_disk
        from playground.models.disk.inventory import found_on_disk

        found = await found_on_disk(lambda model: on_looking(model.name))
        await self._downloads.forget_gone()
        self._on_disk = on_disk(found)
        return await asyncio.to_thread(_with_measured, found)

    async def remove(self, models: Sequence[DiskModel]) -> int:
        """Delete models and return how many bytes that has freed."""
        from playground.models.disk.removal import remove

        files = {path for model in models for path in model.files}
        await self._pool.unload_files(
            files - set(self._chosen())
        )  # kept warm, though no lane wants it any more
        in_use = tuple(self._pool.paths())
        return await asyncio.to_thread(remove, models, in_use)

    def added_folders(self) -> tuple[str, ...]:
        """Return the folders that the user has added."""
        from playground.models.disk import folders

        return tuple(str(path) for path in folders.added().paths)

    def add_folder(self, path: str) -> None:
        """Look into one more folder from now on."""
        from playground.models.disk import folders

        folders.add(Path(path))

    def remove_folder(self, path: str) -> None:
        """Look no longer into an added folder."""
        from playground.models.disk import folders

        folders.remove(Path(path))

    def disk_free_bytes(self) -> int:
        """Return what is free on the disk of the Hub cache."""
        from playground.models.disk import hub_cache
        from playground.models.downloads.cache_layout import free_bytes_at

        try:
            return free_bytes_at(hub_cache.folder())
        except DownloadError:  # a disk that went away
            return 0

    # ---- downloads

    def downloads(self) -> tuple[Download, ...]:
        """Return all downloads that are listed."""
        return self._downloads.downloads

    def set_downloads_listener(self, listener: Callable[[], None]) -> None:
        """Have this called whenever a download has changed."""
        self._listener = listener

    async def download(self, ref: str, quant: str, note: str) -> None:
        """Queue a quantization, or what is missing of it."""
        from playground.models.hub import hub_api
        from playground.models.hub.grouping import chosen

        repository = await hub_api.repository(ref)
        self._downloads.add(repository, chosen(repository, quant), note)

    def pause(self, id_: str) -> None:
        """Pause a download."""
        self._downloads.pause(id_)

    def resume(self, id_: str) -> None:
        """Go on with a paused one."""
        self._downloads.resume(id_)

    def cancel(self, id_: str) -> None:
        """End a download and delete what has arrived."""
        self._downloads.cancel(id_)

    def retry(self, id_: str) -> None:
        """Try a failed or waiting one at once."""
        self._downloads.retry(id_)

    def forget(self, id_: str) -> None:
        """Take one that is done off the list."""
        self._downloads.forget(id_)

    def pause_all(self) -> None:
        """Pause all downloads."""
        self._downloads.pause_all()

    def resume_all(self) -> None:
        """Go on with all paused ones."""
        self._downloads.resume_all()

    def rules(self) -> DownloadRules:
        """Return how downloads go."""
        from playground.models.disk import hub_cache

        queue = self._downloads
        limit, folder = queue.limit_bytes_per_s or None, str(hub_cache.folder())
        return DownloadRules(queue.parallel, limit, folder, queue.problem)

    def set_parallel(self, count: int) -> None:
        """Set how many go at once."""
        self._downloads.parallel = count

    def set_limit(self, bytes_per_s: int | None) -> None:
        """Set how fast all go together."""
        self._downloads.limit_bytes_per_s = bytes_per_s or 0

    def _changed(self) -> None:
        self._listener()
        self._watcher()


def _with_measured(disk: Disk) -> Disk:
    """Return what lies on disk with what its models took when they were last loaded."""
    from playground.models import measured

    loads = measured.latest()
    if not loads:
        return disk
    models = []
    for model in disk.models:
        load = loads.get(measured.identity(model))
        known = (load.total_bytes, load.estimated_bytes, load.setup.n_ctx) if load else (0, 0, 0)
        names = ("measured_bytes", "estimated_bytes", "measured_n_ctx")
        models.append(msgspec.structs.replace(model, **dict(zip(names, known, strict=True))))
    return msgspec.structs.replace(disk, models=tuple(models))


def _kept_token() -> str:
    """Return the token that is in the Hub's own file, empty without one."""
    from playground.models.hub import hub

    try:
        return hub.token_path().read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _nobody() -> None:
    """Listen to nothing."""
