"""A queue of downloads that is watched: waits for a state, keeps all states that were seen."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from playground.models.downloads.download import Download, DownloadState
from playground.models.downloads.download_store import DownloadStore
from playground.models.downloads.downloads import Downloads
from playground.models.hub.repository import HubFile, Quant, Repository
from tests.support.fake_hub import FakeHub

_LONGEST_S = 40.0
_numbers = itertools.count(1)


class Queue:
    """Downloads with their own folder."""

    def __init__(self, folder: Path, parallel: int = 1) -> None:
        self.downloads = Downloads(self._changed, parallel=parallel, store=DownloadStore(folder))
        self.seen: list[Download] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Event]] = []

    def _changed(self) -> None:
        self.seen += self.downloads.downloads
        for condition, reached in self._waiting:
            if not reached.is_set() and condition():
                reached.set()

    def of(self, download_id: str) -> Download:
        """Return one download as it is now."""
        return next(item for item in self.downloads.downloads if item.id == download_id)

    def states(self, download_id: str) -> list[DownloadState]:
        """Return the states that one was in, in order."""
        found: list[DownloadState] = []
        for item in self.seen:
            if item.id == download_id and (not found or found[-1] is not item.state):
                found.append(item.state)
        return found

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a condition holds after a change."""
        reached = asyncio.Event()
        self._waiting.append((condition, reached))
        if condition():
            reached.set()
        async with asyncio.timeout(_LONGEST_S):
            await reached.wait()

    async def reach(self, download_id: str, state: DownloadState) -> Download:
        """Return a download when it is in a state."""
        await self.until(lambda: self.of(download_id).state is state)
        return self.of(download_id)

    async def receive(self, download_id: str, size_bytes: int) -> None:
        """Return when so much of a download is here."""
        await self.until(lambda: self.of(download_id).received_bytes >= size_bytes)


@asynccontextmanager
async def queue(folder: Path, parallel: int = 1) -> AsyncIterator[Queue]:
    """Lend a queue that is started, and close it."""
    made = Queue(folder, parallel)
    made.downloads.start()
    try:
        yield made
    finally:
        await made.downloads.close()


def fresh_name() -> str:
    """Return a repository's name that no other test uses: the Hub cache is the session's."""
    return f"acme/model{next(_numbers)}"


def page(hub: FakeHub, repo: str, quant: str = "Q4_K_M") -> tuple[Repository, Quant]:
    """Return what the Hub would say about all GGUF files of a repository: one model in parts."""
    held = hub.repos[repo]
    files = tuple(
        HubFile(name, file.size, file.sha256)
        for name, file in sorted(held.files.items())
        if name.endswith(".gguf")
    )
    made = Quant(quant, files)
    return Repository(repo, held.sha, quants=(made,)), made
