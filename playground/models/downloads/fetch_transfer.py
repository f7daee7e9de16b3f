"""Brings one file into the cache: what is there already, the lock, try after try, the check, the link.

Blocking; meant for a process of its own that can be killed at any moment. Knows the order of things; the network is in
``hub_web``, the disk in ``fetch_part`` and ``cache_layout``, how long to try in ``fetch_patience``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from playground.errors import DownloadError, DownloadErrorKind, HubError, HubErrorKind
from playground.models.downloads import hub_web
from playground.models.downloads.cache_layout import CachedFile, check_room, disk_error
from playground.models.downloads.fetch_answers import check_answer, check_facts
from playground.models.downloads.fetch_messages import Checking, Event, Job, Progress, Waiting
from playground.models.downloads.fetch_part import Part, is_content
from playground.models.downloads.fetch_patience import Patience, Setback, lie, setting
from playground.models.downloads.file_lock import FileLock
from playground.models.downloads.hub_web import Answer, FileFacts, Web
from playground.models.hub import hub

TICK_S = 0.1  # between two reports of progress
_FOR_GOOD = (HubErrorKind.NOT_FOUND, HubErrorKind.GATED, HubErrorKind.TOKEN, HubErrorKind.BAD_ANSWER)


class Transfer:
    """One job. ``tell`` gets its events; ``limit_bytes_per_s`` may be changed while it runs, 0 for no limit."""

    def __init__(self, job: Job, token: str, tell: Callable[[Event], None]) -> None:
        self._job, self._tell = job, tell
        self.limit_bytes_per_s = job.limit_bytes_per_s
        self._web = Web(job.endpoint, token, setting("STALL_S", 30.0))
        self._patience = Patience(self._tell_waiting)
        self._facts: FileFacts | None = None
        self._told_at = 0.0

    def run(self) -> Path:
        """Return the file's path in the cache. Raises DownloadError, HubError."""
        etag = self._job.sha256 or self._known_facts().etag
        entry = CachedFile(Path(self._job.cache), self._job.repo, self._job.commit, self._job.path, etag)
        entry.prepare()
        lock = FileLock(entry.lock)
        try:
            self._take(lock, entry)
            path = self._from_disk(entry) or self._from_hub(entry)
            entry.write_ref(self._job.branch)
        except OSError as error:
            raise disk_error(error, entry.snapshot) from error
        finally:
            lock.give_back()
        return path

    def _take(self, lock: FileLock, entry: CachedFile) -> None:
        """Wait for another process that has the lock as long as it gets on."""
        patience_s, size_bytes, since = setting("BUSY_S", 600.0), -1, time.monotonic()
        while not lock.take():
            now_bytes = entry.collected_bytes()
            if now_bytes != size_bytes:
                size_bytes, since = now_bytes, time.monotonic()
            if time.monotonic() - since > patience_s:
                raise _busy(self._job.path, "It does not get on: end it, then try again.")
            waiting = _busy(self._job.path, "This one goes on when the other ends.")
            self._tell(Waiting(waiting.message, waiting.hint, 1.0, 0))
            time.sleep(0.5)

    def _from_disk(self, entry: CachedFile) -> Path | None:
        size_bytes = self._job.size_bytes
        for path in entry.candidates():
            if is_content(path, entry.etag, size_bytes, self._tell_checking):
                return entry.link() if path == entry.blob else path
            if path == entry.blob and path.stat().st_size == size_bytes:
                path.unlink()  # its name says what it should hold: nobody may load it, whatever comes of this try
        return None

    def _from_hub(self, entry: CachedFile) -> Path:
        part = Part(entry.part, entry.etag, self._job.size_bytes)
        try:
            part.resume(self._tell_checking)
            self._collect(part)
            if not part.is_right():
                part.restart()
                self._patience.begin_again()
                self._collect(part)
                if not part.is_right():
                    part.restart()
                    raise _corrupt(self._job.path)
            part.sync()
        finally:
            part.close()
        return entry.publish()

    def _collect(self, part: Part) -> None:
        """Get all that is missing."""
        check_room(part.path.parent, part.missing_bytes, self._job.path)
        while part.missing_bytes:
            try:
                self._try(part)
            except Setback as setback:
                if not setback.keeps_address:
                    self._facts = None
                if setback.is_range and self._patience.lies == 1:
                    part.restart()
                self._patience.wait(setback)
        self._tell(Progress(part.received_bytes))

    def _try(self, part: Part) -> None:
        facts = self._known_facts()
        try:
            with self._web.get(facts.address, part.size_bytes) as answer:
                check_answer(answer, self._job, part.size_bytes)
                if answer.status == 200 and part.size_bytes:
                    part.restart()  # the range was ignored: this is the whole file
                self._receive(answer, part)
        except HubError as error:
            raise Setback(error, is_lie=True) from error
        except (OSError, HTTPException, ValueError) as error:
            host = urlsplit(facts.address).netloc
            raise self._setback(error, host, keeps_address=self._patience.attempt < 2) from error
        finally:
            part.flush()

    def _known_facts(self) -> FileFacts:
        while self._facts is None:
            if hub.is_offline():
                raise hub.offline_error()
            try:
                self._facts = self._asked()
            except Setback as setback:
                self._patience.wait(setback)
        return self._facts

    def _asked(self) -> FileFacts:
        try:
            facts = self._web.facts(self._job.repo, self._job.commit, self._job.path)
        except HubError as error:
            if error.kind in _FOR_GOOD:
                raise
            raise Setback(error, pause_s=error.retry_after_s) from error
        except (OSError, HTTPException, ValueError) as error:
            raise self._setback(error, self._web.host, keeps_address=False) from error
        check_facts(facts, self._job)
        return facts

    def _receive(self, answer: Answer, part: Part) -> None:
        began, had = time.monotonic(), part.received_bytes
        while room := part.room():
            if self.limit_bytes_per_s:
                room = room[: self.limit_bytes_per_s // 10 + 1]
            length = answer.read_into(room)
            if length == 0:
                raise self._cut_off(answer, made_progress=part.received_bytes > had)
            part.received(length)
            self._patience.progress(part.received_bytes)
            now = time.monotonic()
            if now - self._told_at >= TICK_S:
                part.flush()
                self._tell_sometimes(Progress(part.received_bytes))
            if self.limit_bytes_per_s:
                began, had = self._slow_down(began, had, part.received_bytes)

    def _slow_down(self, began: float, had: int, received: int) -> tuple[float, int]:
        """Sleep so that what came since ``began`` keeps to the limit; return where to count from."""
        now = time.monotonic()
        ahead_s = (received - had) / self.limit_bytes_per_s - (now - began)
        time.sleep(min(max(0.0, ahead_s), 1.0))
        return (now, received) if now - began > 2.0 else (began, had)

    def _cut_off(self, answer: Answer, *, made_progress: bool) -> Setback:
        if not answer.is_cut_off and not made_progress:
            return lie("it sends nothing where there should be more")
        error = DownloadError(
            DownloadErrorKind.NETWORK,
            f"The connection ends again and again before {self._job.path} is whole.",
            hint="Try again later; what is here is kept.",
        )
        return Setback(error, keeps_address=True)

    def _setback(self, error: BaseException, host: str, *, keeps_address: bool) -> Setback:
        known = hub_web.network_error(error, host)
        if hub_web.is_certificate_error(error):
            raise known from error
        return Setback(known, keeps_address=keeps_address)

    def _tell_waiting(self, setback: Setback, pause_s: float, attempt: int) -> None:
        self._tell(Waiting(setback.error.message, setback.error.hint, round(pause_s, 1), attempt))

    def _tell_checking(self, checked_bytes: int) -> None:
        self._tell_sometimes(Checking(checked_bytes))

    def _tell_sometimes(self, event: Event) -> None:
        now = time.monotonic()
        if now - self._told_at >= TICK_S:
            self._told_at = now
            self._tell(event)


def _busy(path: str, hint: str) -> DownloadError:
    return DownloadError(DownloadErrorKind.BUSY, f"Another program is fetching {path}.", hint=hint)


def _corrupt(path: str) -> DownloadError:
    return DownloadError(
        DownloadErrorKind.CORRUPT,
        f"{path} came twice with another content than the Hub's sha256 says.",
        hint="Try again later, from another network if you can. The wrong part was deleted.",
    )
