"""One download on its way: its files one after another, each by a fetcher of its own, as a row of frozen values.

Owns what becomes of a fetcher's events. Which downloads run, and what is kept of them, is in ``downloads``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from playground.errors import DownloadError, DownloadErrorKind, HubError
from playground.models.downloads import fetch_process
from playground.models.downloads.cache_layout import CachedFile, check_room
from playground.models.downloads.download import Download, DownloadState, FileProgress
from playground.models.downloads.download_speed import Speed
from playground.models.downloads.fetch_messages import Checking, Event, Job, Progress, Waiting
from playground.models.downloads.fetch_process import FetchProcess
from playground.models.hub import hub

replace = msgspec.structs.replace


def cached_file(download: Download, progress: FileProgress) -> CachedFile | None:
    """Return where a file lies, None for one whose hash is not known before the Hub is asked. Raises DownloadError."""
    if not progress.file.sha256:
        return None
    return CachedFile(
        hub.cache_folder(), download.repo, download.commit, progress.file.path, progress.file.sha256
    )


def on_disk(download: Download) -> Download:
    """Return a download with what is on disk of it. Looks at sizes only; blocking, but short."""
    return replace(download, files=tuple(_on_disk(download, item) for item in download.files))


def _on_disk(download: Download, item: FileProgress) -> FileProgress:
    try:
        place = cached_file(download, item)
        if place is None:
            return item
        size_bytes = item.file.size_bytes
        if any(path.stat().st_size == size_bytes for path in place.candidates()):
            return replace(item, received_bytes=size_bytes)
        part_bytes = place.part.stat().st_size if place.part.exists() else 0
    except (OSError, DownloadError, HubError):
        part_bytes = 0  # the fetcher will say why
    return replace(item, received_bytes=min(part_bytes, item.file.size_bytes), is_verified=False)


def is_whole(download: Download) -> bool:
    """Return whether all files were verified and are still there."""
    return all(item.is_verified for item in on_disk(download).files)


class DownloadRun:
    """Fetches what is missing of one download; ``tell`` gets its every change."""

    def __init__(
        self, download: Download, tell: Callable[[Download], None], limit_bytes_per_s: int = 0
    ) -> None:
        self.download, self._tell = download, tell
        self._limit_bytes_per_s = limit_bytes_per_s
        self._speed, self._process = Speed(), FetchProcess()

    def limit(self, bytes_per_s: int) -> None:
        """Change the speed, 0 for no limit."""
        self._limit_bytes_per_s = bytes_per_s
        self._process.limit(bytes_per_s)

    async def run(self) -> Download:
        """Return it done. A file that comes wrong does not keep the others. Raises DownloadError, HubError."""
        self._change(
            on_disk(self.download), state=DownloadState.ACTIVE, error="", hint="", kind="", url="", attempt=0
        )
        missing_bytes = self.download.total_bytes - self.download.received_bytes
        check_room(hub.cache_folder(), missing_bytes, f"{self.download.repo} {self.download.quant}")
        wrong: DownloadError | None = None
        token = await fetch_process.token()
        for index, item in enumerate(self.download.files):
            if item.is_verified:
                continue
            try:
                await self._fetch(index, token)
            except DownloadError as error:
                if error.kind is not DownloadErrorKind.CORRUPT:
                    raise
                wrong = wrong or error
                self._set_file(index, received_bytes=0)
        if wrong is not None:
            raise wrong
        self._change(
            self.download, state=DownloadState.DONE, ended_at=time.time(), bytes_per_s=0.0, error="", hint=""
        )
        return self.download

    async def _fetch(self, index: int, token: str) -> None:
        file = self.download.files[index].file
        job = Job(
            repo=self.download.repo,
            commit=self.download.commit,
            branch=self.download.branch,
            path=file.path,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            cache=str(hub.cache_folder()),
            endpoint=hub.endpoint(),
            limit_bytes_per_s=self._limit_bytes_per_s,
        )
        self._process = FetchProcess()
        path = await self._process.run(job, token, lambda event: self._take(index, event))
        self._set_file(index, received_bytes=file.size_bytes, is_verified=True)
        self._change(
            self.download, state=DownloadState.ACTIVE, path=path if index == 0 else self.download.path
        )

    def _take(self, index: int, event: Event) -> None:
        if isinstance(event, Checking):
            self._change(self.download, state=DownloadState.VERIFYING, checked_bytes=event.checked_bytes)
        elif isinstance(event, Progress):
            self._set_file(index, received_bytes=event.received_bytes)
            speed = self._speed.add(time.monotonic(), self.download.received_bytes)
            self._change(
                self.download, state=DownloadState.ACTIVE, bytes_per_s=speed, attempt=0, error="", hint=""
            )
        elif isinstance(event, Waiting):
            self._speed.reset()
            self._change(
                self.download,
                state=DownloadState.WAITING,
                bytes_per_s=0.0,
                attempt=event.attempt,
                retry_at=time.time() + event.seconds,
                error=event.reason,
                hint=event.hint,
            )

    def _set_file(self, index: int, **values: int | bool) -> None:
        files = list(self.download.files)
        files[index] = replace(files[index], **values)
        self.download = replace(self.download, files=tuple(files))

    def _change(self, download: Download, **values: object) -> None:
        self.download = replace(download, **values)
        self._tell(self.download)


def ended_badly(download: Download, error: DownloadError | HubError) -> Download:
    """Return a download that failed, with the reason."""
    return replace(
        download,
        state=DownloadState.FAILED,
        bytes_per_s=0.0,
        ended_at=time.time(),
        error=error.message,
        hint=error.hint,
        kind=str(error.kind),
        url=error.url if isinstance(error, HubError) else "",
    )
