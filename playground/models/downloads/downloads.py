"""All downloads of this app: the queue, how many at once, pause, resume, cancel, retry; it outlives the app.

One writer: methods are called on the loop's thread and return at once; what happens is seen in ``downloads`` after
``on_change``. Fetching is in ``download_run``, the file in ``download_store``. Knows no window.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine

import msgspec

from playground import config, logs
from playground.errors import DownloadError, HubError
from playground.models.downloads.download import Download, DownloadState, FileProgress
from playground.models.downloads.download_run import DownloadRun, cached_file, ended_badly, is_whole, on_disk
from playground.models.downloads.download_store import DownloadStore
from playground.models.hub.repository import Quant, Repository

MOST_PARALLEL = 4
_MOVING = (DownloadState.ACTIVE, DownloadState.WAITING, DownloadState.VERIFYING)
_OVER = (DownloadState.DONE, DownloadState.FAILED)
_KEPT = (DownloadState.PAUSED, *_OVER)
_log = logs.get("models")
replace = msgspec.structs.replace


class Downloads:
    """The queue. ``parallel``: downloads at once, 1 to 4. ``limit_bytes_per_s``: of all together, 0 for no limit."""

    def __init__(
        self,
        on_change: Callable[[], None],
        *,
        parallel: int = 1,
        limit_bytes_per_s: int = 0,
        store: DownloadStore | None = None,
    ) -> None:
        self._on_change = on_change
        self._parallel = max(1, min(parallel, MOST_PARALLEL))
        self._limit_bytes_per_s = max(0, limit_bytes_per_s)
        self._store = store or DownloadStore(config.folders().data)
        self._all: dict[str, Download] = {}
        self._runs: dict[str, DownloadRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._dropped: dict[
            str, Download
        ] = {}  # cancelled, their parts to be deleted when the fetcher has ended
        self._behind: set[asyncio.Task[None]] = set()  # what the disk does meanwhile
        self._is_started = self._is_saving = self._is_unsaved = False

    @property
    def downloads(self) -> tuple[Download, ...]:
        """Return all downloads in their order."""
        return tuple(self._all.values())

    @property
    def problem(self) -> str:
        """Return why the queue cannot be kept on disk, as a sentence, else nothing."""
        return self._store.problem

    @property
    def parallel(self) -> int:
        """Return how many run at once."""
        return self._parallel

    @parallel.setter
    def parallel(self, number: int) -> None:
        self._parallel = max(1, min(number, MOST_PARALLEL))
        self._fill()

    @property
    def limit_bytes_per_s(self) -> int:
        """Return the speed limit of all together, 0 for none."""
        return self._limit_bytes_per_s

    @limit_bytes_per_s.setter
    def limit_bytes_per_s(self, number: int) -> None:
        self._limit_bytes_per_s = max(0, number)
        self._share_limit()

    def start(self) -> None:
        """Read the queue and go on where it was. Call it once, with the loop running."""
        self._is_started = True
        for saved in self._store.open():
            if saved.state not in _KEPT:
                saved = replace(saved, state=DownloadState.QUEUED)  # noqa: PLW2901
            if not any(_is_same(saved, other) for other in self._all.values()):
                fresh = saved if saved.state is DownloadState.DONE else on_disk(saved)
                self._all[saved.id] = replace(fresh, bytes_per_s=0.0)
        self._changed()
        self._fill()

    async def close(self) -> None:
        """End all fetchers and leave the queue to the next start."""
        self._is_started = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._behind)
        await asyncio.to_thread(self._store.save, self.downloads)
        self._store.close()

    def add(self, repository: Repository, quant: Quant, note: str = "") -> Download:
        """Queue all files of a quantization. One that is under way already, or here and whole, stays the only one."""
        wanted = new_download(repository, quant, note)
        known = next((other for other in self._all.values() if _is_same(other, wanted)), None)
        if known is None:
            self._put(on_disk(wanted))
        elif known.state is DownloadState.FAILED or (
            known.state is DownloadState.DONE and not is_whole(known)
        ):
            self._queue(known.id)
        elif known.state is DownloadState.PAUSED:
            self.resume(known.id)
        self._changed()
        self._fill()
        return self._all[known.id if known else wanted.id]

    def pause(self, download_id: str) -> None:
        """Stop one that waits or runs; what is here is kept."""
        self._pause(download_id)
        self._changed()
        self._fill()

    def resume(self, download_id: str) -> None:
        """Go on with a paused one."""
        self._resume(download_id)
        self._changed()
        self._fill()

    def retry(self, download_id: str) -> None:
        """Try a failed one again; of a split model only what is missing or was wrong."""
        known = self._all.get(download_id)
        if known is not None and known.state is DownloadState.FAILED:
            self._queue(download_id)
            self._changed()
            self._fill()

    def cancel(self, download_id: str, *, keep_part: bool = False) -> None:
        """Take one that is not done from the list and delete its part. Files that are whole stay in the cache."""
        known = self._all.get(download_id)
        if known is None or known.state is DownloadState.DONE:
            return
        del self._all[download_id]
        task = self._tasks.get(download_id)
        if not keep_part:
            self._dropped[download_id] = known
        if task is not None:
            task.cancel()
        else:
            self._discard(download_id)
        self._changed()
        self._fill()

    def forget(self, download_id: str) -> None:
        """Take one that is done or failed from the list; what is on disk stays."""
        known = self._all.get(download_id)
        if known is not None and known.state in _OVER:
            del self._all[download_id]
            self._changed()

    async def forget_gone(self) -> None:
        """Take those that are done off the list whose files are not there any more: somebody has deleted them."""
        done = [known for known in self._all.values() if known.state is DownloadState.DONE]
        whole = await asyncio.to_thread(lambda: [is_whole(known) for known in done])
        gone = {known.id for known, is_there in zip(done, whole, strict=True) if not is_there}
        for known in list(self._all.values()):
            if known.id in gone and known.state is DownloadState.DONE:
                del self._all[known.id]
        if gone:
            self._changed()

    def pause_all(self) -> None:
        """Pause all that wait or run."""
        for download_id in self._all:
            self._pause(download_id)
        self._changed()

    def resume_all(self) -> None:
        """Go on with all that are paused."""
        for download_id in self._all:
            self._resume(download_id)
        self._changed()
        self._fill()

    def _pause(self, download_id: str) -> None:
        known = self._all.get(download_id)
        if known is None or known.state in _KEPT:
            return
        self._put(
            replace(
                known, state=DownloadState.PAUSED, paused_at=time.time(), bytes_per_s=0.0, error="", hint=""
            )
        )
        if download_id in self._tasks:
            self._tasks[download_id].cancel()

    def _resume(self, download_id: str) -> None:
        known = self._all.get(download_id)
        if known is not None and known.state is DownloadState.PAUSED:
            self._queue(download_id)

    def _queue(self, download_id: str) -> None:
        known = replace(
            self._all[download_id], state=DownloadState.QUEUED, error="", hint="", kind="", url=""
        )
        self._put(replace(known, attempt=0, ended_at=0.0, paused_at=0.0))

    def _fill(self) -> None:
        """Start what waits, as long as fewer run than may. One that is ending still counts."""
        if not self._is_started:
            return
        for known in list(self._all.values()):
            if len(self._tasks) >= self._parallel:
                break
            if known.state is DownloadState.QUEUED and known.id not in self._tasks:
                self._begin(known)
        self._share_limit()

    def _begin(self, known: Download) -> None:
        run = DownloadRun(known, self._take)
        self._runs[known.id] = run
        task = asyncio.get_running_loop().create_task(self._run(run), name=f"download {known.id}")
        self._tasks[known.id] = task
        task.add_done_callback(lambda ended: self._ended(known.id, ended))

    async def _run(self, run: DownloadRun) -> None:
        try:
            await run.run()
        except (DownloadError, HubError) as error:
            _log.info("download %s failed: %s (%s)", run.download.id, error.message, error.detail)
            self._take(ended_badly(run.download, error))

    def _take(self, download: Download) -> None:
        """Take a state from a run, unless the user has said something else meanwhile."""
        known = self._all.get(download.id)
        task = self._tasks.get(download.id)
        if known is None or task is None or task.cancelling():
            return
        is_news = known.state is not download.state or _verified(known) != _verified(download)
        self._put(download)
        if is_news:
            self._save()
        self._on_change()

    def _ended(self, download_id: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(download_id, None)
        self._tasks.pop(download_id, None)
        self._discard(download_id)
        error = None if task.cancelled() else task.exception()
        known = self._all.get(download_id)
        if error is not None and known is not None:
            _log.error("download %s ended by a defect", download_id, exc_info=error)
            failed = replace(
                known, error="A defect of the app stopped it.", hint="Try again; the log has more."
            )
            self._put(replace(failed, state=DownloadState.FAILED, bytes_per_s=0.0, ended_at=time.time()))
            self._changed()
        self._fill()

    def _discard(self, download_id: str) -> None:
        dropped = self._dropped.pop(download_id, None)
        if dropped is None or any(_is_same(dropped, other) for other in self._all.values()):
            return
        self._in_background(asyncio.to_thread(_delete_parts, dropped))

    def _share_limit(self) -> None:
        share = self._limit_bytes_per_s // max(1, len(self._runs))
        for run in self._runs.values():
            run.limit(max(1, share) if self._limit_bytes_per_s else 0)

    def _put(self, download: Download) -> None:
        self._all[download.id] = download

    def _changed(self) -> None:
        self._save()
        self._on_change()

    def _save(self) -> None:
        """Have the queue written: in a thread, since a rename waits for a disk that syncs a large file."""
        self._is_unsaved = True
        if self._is_started and not self._is_saving:
            self._is_saving = True
            self._in_background(self._write())

    async def _write(self) -> None:
        while self._is_unsaved:
            self._is_unsaved = False
            await asyncio.to_thread(self._store.save, self.downloads)
        self._is_saving = False

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)


def new_download(repository: Repository, quant: Quant, note: str = "") -> Download:
    """Return a download of all files of a quantization, not begun."""
    return Download(
        id=secrets.token_hex(6),
        repo=repository.id,
        commit=repository.commit,
        branch=repository.branch,
        quant=quant.name,
        files=tuple(FileProgress(file) for file in quant.files),
        added_at=time.time(),
        note=note,
    )


def _delete_parts(download: Download) -> None:
    for item in download.files:
        try:
            place = cached_file(download, item)
            if place is not None:
                place.discard()
        except (OSError, DownloadError, HubError) as error:
            _log.info("the part of %s stays: %s", item.file.path, error)


def _is_same(one: Download, other: Download) -> bool:
    return one.repo == other.repo and [item.file for item in one.files] == [item.file for item in other.files]


def _verified(download: Download) -> list[bool]:
    return [item.is_verified for item in download.files]
