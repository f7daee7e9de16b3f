"""What was once learned from a file, kept on disk for as long as the file stays as it was. Knows not what it is.

Losing it costs time only: a damaged file of notes is forgotten, and one that cannot be written is not an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from playground import config

_MOST_FILES = 20_000
_LIMIT_BYTES = 64 << 20

State = tuple[int, int]  # bytes, nanoseconds of the last change


def state_of(status: os.stat_result) -> State:
    """Return what tells a file from what it was before."""
    return status.st_size, status.st_mtime_ns


class FileNotes:
    """JSON values by path and state. ``save`` joins what another process has saved meanwhile."""

    def __init__(self, name: str) -> None:
        self.path = config.folders().cache / f"{name}.json"
        self._known = self._read()
        self._new: dict[str, list[object]] = {}

    def get(self, path: Path, state: State) -> object | None:
        """Return what is known about a file in this state, None when nothing is."""
        match self._new.get(str(path)) or self._known.get(str(path)):
            case [int(size), int(changed), value] if (size, changed) == state:
                return value
        return None

    def put(self, path: Path, state: State, value: object) -> None:
        """Note a JSON value about a file."""
        self._new[str(path)] = [*state, value]

    def save(self) -> None:
        """Write what is new, atomically."""
        if not self._new:
            return
        known = {**self._read(), **self._new}
        kept = dict(list(known.items())[-_MOST_FILES:])
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps(kept).encode("ascii"))
            self._known, self._new = kept, {}

    def _read(self) -> dict[str, object]:
        try:
            with self.path.open("rb") as file:
                found = json.loads(file.read(_LIMIT_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step; a reader sees the old or the new one. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
