"""Locks between processes by a file, the same ones that the Hub's tools take (``filelock``): flock, or one byte on Windows.

The system gives a lock back when its process ends, however it ends. Lock files stay where they are: deleting one would
let two processes hold different files of the same name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_MODE = 0o664  # accounts that share a cache wait for each other


class FileLock:
    """One lock. The folder must exist. A symbolic link in place of the file is refused (OSError)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock unless another process, or another object, has it. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self.path, flags, _MODE)
        try:
            if _lock(descriptor) and (os.name == "nt" or os.fstat(descriptor).st_nlink):
                self._descriptor, descriptor = descriptor, -1
                return True
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return False

    def give_back(self) -> None:
        """Give it back; nothing without it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
