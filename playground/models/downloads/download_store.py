"""The queue on disk: ``downloads.json`` in the data folder, written whole and put in place by one rename.

Each file has one writer, the process that holds its lock. A second app keeps a queue of its own (``downloads-2.json``), so
neither can destroy the other's; the next app that starts takes over the queues that nobody holds any more. Not synced to
the disk: a killed app loses nothing by that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from playground import logs
from playground.models.downloads.download import Download
from playground.models.downloads.file_lock import FileLock

_MOST_APPS = 16
_log = logs.get("models")


class _Saved(msgspec.Struct):
    version: int
    downloads: list[msgspec.Raw]


class DownloadStore:
    """The queue file of this process. ``problem`` is a sentence when it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._lock: FileLock | None = None
        self.problem = ""

    def open(self) -> list[Download]:
        """Take a file, and what is in it and in those that nobody holds. Never raises: the queue is then in memory only."""
        found: list[Download] = []
        left: list[FileLock] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, _MOST_APPS + 1):
                found += self._take(number, left)
            self.save(found)
            for lock in left:  # only now: what was taken over is written down
                lock.path.with_suffix(".json").unlink(missing_ok=True)
        except OSError as error:
            self.problem = f"The list of downloads cannot be kept in {self._folder}: {error.strerror}."
            _log.info("%s", self.problem)
        finally:
            for lock in left:
                lock.give_back()
        return found

    def save(self, downloads: Iterable[Download]) -> None:
        """Write the queue. Never raises."""
        if self._path is None:
            return
        data = msgspec.json.encode({"version": 1, "downloads": list(downloads)})
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            fresh.write_bytes(data)
            fresh.replace(self._path)
        except OSError as error:
            self.problem = f"The list of downloads cannot be written: {error.strerror}."
            _log.info("%s", self.problem)
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the file to the next app."""
        if self._lock is not None:
            self._lock.give_back()
        self._path = self._lock = None

    def _take(self, number: int, left: list[FileLock]) -> list[Download]:
        """Return what is in a file that nobody holds: the first is ours from now on, others are emptied into it."""
        path = self._folder / (f"downloads-{number}.json" if number > 1 else "downloads.json")
        if self._path is not None and not path.exists():
            return []
        lock = FileLock(path.with_suffix(".lock"))
        if not lock.take():
            return []
        found = self._read(path)
        if self._path is None:
            self._path, self._lock = path, lock
            return found
        left.append(lock)
        return found

    def _read(self, path: Path) -> list[Download]:
        try:
            saved = msgspec.json.decode(path.read_bytes(), type=_Saved)
        except FileNotFoundError:
            return []
        except (msgspec.DecodeError, OSError) as error:
            aside = path.with_suffix(".broken")
            self.problem = f"The list of downloads was damaged and is now {aside}; parts on disk are kept."
            _log.info("%s (%s)", self.problem, error)
            with contextlib.suppress(OSError):
                path.replace(aside)
            return []
        return [item for raw in saved.downloads if (item := _decoded(raw)) is not None]


def _decoded(raw: msgspec.Raw) -> Download | None:
    try:
        return msgspec.json.decode(raw, type=Download)
    except msgspec.DecodeError as error:
        _log.info("one download of the list is damaged: %s", error)
        return None
