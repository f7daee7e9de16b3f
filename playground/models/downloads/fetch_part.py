"""The part of a file that is here: appended to, hashed in a second thread while it is written, kept when all else fails.

Owns the file and its hash. Knows neither the network nor the cache's layout. Raises DownloadError for what the disk says.
"""

from __future__ import annotations

import hashlib
import io
import os
import queue
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from playground.errors import DownloadError, DownloadErrorKind
from playground.models.downloads.cache_layout import disk_error

BUFFER_BYTES = 1 << 20
_BUFFERS = 4


class Hash(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more data."""

    def hexdigest(self) -> str:
        """Return the hash so far."""


def hash_for(etag: str, size_bytes: int) -> Hash:
    """Return an empty hash of the kind that an etag is: sha256, or git's for a small text."""
    if len(etag) == 64:
        return hashlib.sha256()
    begun = hashlib.sha1(usedforsecurity=False)
    begun.update(b"blob %d\0" % size_bytes)
    return begun


def is_content(path: Path, etag: str, size_bytes: int, tell: Callable[[int], None]) -> bool:
    """Return whether a file is what an etag says; ``tell`` gets how much was hashed. Raises OSError."""
    made = hash_for(etag, size_bytes)
    with path.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size != size_bytes:
            return False
        _hash_all(file.fileno(), made, tell)
    return made.hexdigest() == etag


def _hash_all(descriptor: int, made: Hash, tell: Callable[[int], None]) -> int:
    view, done = memoryview(bytearray(BUFFER_BYTES)), 0
    with io.FileIO(descriptor, closefd=False) as file:
        while length := file.readinto(view):
            made.update(view[:length])
            done += length
            tell(done)
    return done


class _HashThread:
    """Hashes buffers in the order in which they come. ``take`` gives one that is free."""

    def __init__(self, made: Hash) -> None:
        self._made = made
        self._full: queue.SimpleQueue[tuple[memoryview, int] | None] = queue.SimpleQueue()
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(memoryview(bytearray(BUFFER_BYTES)))
        self._thread = threading.Thread(target=self._work, name="hash", daemon=True)
        self._thread.start()

    def take(self) -> memoryview:
        """Return a free buffer, after a wait when the network is faster than the hash."""
        return self._free.get()

    def give(self, buffer: memoryview, length: int) -> None:
        """Have the first bytes of a buffer hashed."""
        self._full.put((buffer, length))

    def end(self) -> str:
        """Return the hash of all that was given."""
        self._full.put(None)
        self._thread.join()
        return self._made.hexdigest()

    def _work(self) -> None:
        while (item := self._full.get()) is not None:
            buffer, length = item
            self._made.update(buffer[:length])
            self._free.put(buffer)


class Part:
    """An open part. ``size_bytes`` is what it holds on disk; what waits in the buffer comes by ``flush``."""

    def __init__(self, path: Path, etag: str, whole_bytes: int) -> None:
        self.path, self._etag, self._whole_bytes = path, etag, whole_bytes
        self.size_bytes = self._filled = 0
        self._hash: _HashThread | None = None
        self._buffer = memoryview(b"")
        self._descriptor = self._open()

    def resume(self, tell: Callable[[int], None]) -> None:
        """Hash what is here from earlier; a part that is too long is thrown away."""
        try:
            if os.fstat(self._descriptor).st_size > self._whole_bytes:
                os.ftruncate(self._descriptor, 0)
            made = hash_for(self._etag, self._whole_bytes)
            self.size_bytes = _hash_all(self._descriptor, made, tell)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._begin(made)

    def restart(self) -> None:
        """Throw away what is here."""
        self._end()
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.size_bytes = self._filled = 0
        self._begin(hash_for(self._etag, self._whole_bytes))

    @property
    def missing_bytes(self) -> int:
        """Return how much is still to come."""
        return self._whole_bytes - self.size_bytes - self._filled

    @property
    def received_bytes(self) -> int:
        """Return how much has come."""
        return self.size_bytes + self._filled

    def room(self) -> memoryview:
        """Return where the next bytes go, at most as many as are missing."""
        return self._buffer[self._filled : self._filled + min(self.missing_bytes, BUFFER_BYTES)]

    def received(self, length: int) -> None:
        """Count bytes that were put into the room; a full buffer is written."""
        self._filled += length
        if self._filled == len(self._buffer):
            self.flush()

    def flush(self) -> None:
        """Write what waits in the buffer, and have it hashed."""
        if not self._filled or self._hash is None:
            return
        buffer, length, written = self._buffer, self._filled, 0
        self._filled = 0
        try:
            while written < length:
                written += os.write(self._descriptor, buffer[written:length])
        except OSError as error:
            raise disk_error(error, self.path) from error
        finally:
            self.size_bytes += written
        self._hash.give(buffer, length)
        self._buffer = self._hash.take()

    def is_right(self) -> bool:
        """Return whether the whole file is what the etag says. Only ``restart`` and ``close`` may follow."""
        return self._end() == self._etag

    def sync(self) -> None:
        """Wait until the disk has it."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise disk_error(error, self.path) from error

    def close(self) -> None:
        """Close the file. It stays."""
        self._end()
        os.close(self._descriptor)

    def _begin(self, made: Hash) -> None:
        self._hash = _HashThread(made)
        self._buffer = self._hash.take()

    def _end(self) -> str:
        digest = self._hash.end() if self._hash is not None else ""
        self._hash = None
        return digest

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT
        for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
            flags |= getattr(os, name, 0)
        try:
            descriptor = os.open(self.path, flags, 0o644)
        except OSError as error:
            if self.path.is_symlink():
                raise self._strange() from error
            raise disk_error(error, self.path) from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            os.close(descriptor)
            raise self._strange()
        return descriptor

    def _strange(self) -> DownloadError:
        return DownloadError(
            DownloadErrorKind.PERMISSION,
            f"{self.path} is not a file of its own but a link or a device.",
            hint="Remove it and try again; nothing was written to it.",
        )
