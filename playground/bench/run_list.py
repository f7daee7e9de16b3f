"""The run files of a folder, as far as a list needs them: the first line of each, and how it ends. Starts nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec

from playground import config
from playground.bench.record import SCHEMA, End, Entry, Header

_TAIL_BYTES = 64 << 10
_LONGEST_HEADER_BYTES = 64 << 20
_decoder = msgspec.json.Decoder(Entry)


class RunFile(msgspec.Struct, frozen=True):
    """One run file. ``header`` None: it cannot be read, and ``problem`` says why. ``complete``: nothing is left to do."""

    path: str
    header: Header | None
    size_bytes: int
    changed_s: float  # seconds since the epoch
    complete: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """Return the file's name."""
        return Path(self.path).name


def folder() -> Path:
    """Return where runs are kept that were given no place of their own. It need not exist."""
    return config.folders().data / "runs"


def listed(place: Path | None = None) -> tuple[RunFile, ...]:
    """Return the run files of a folder, newest first. Blocking. A damaged one is listed as damaged."""
    where = place or folder()
    try:
        files = [file for file in where.iterdir() if file.suffix == ".jsonl" and file.is_file()]
    except OSError:
        return ()
    return tuple(sorted(map(described, files), key=_begun, reverse=True))


def described(path: Path) -> RunFile:
    """Return what a list says of one file. Blocking; never raises."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            first = file.readline(_LONGEST_HEADER_BYTES)
            file.seek(max(len(first), status.st_size - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
    except OSError as error:
        return RunFile(str(path), None, 0, 0.0, problem=f"It cannot be read: {error.strerror or error}.")
    found = _header(first)
    if isinstance(found, str):
        return RunFile(str(path), None, status.st_size, status.st_mtime, problem=found)
    return RunFile(str(path), found, status.st_size, status.st_mtime, complete=_is_complete(tail))


def _header(line: bytes) -> Header | str:
    try:
        found = msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "It is no run file, or damaged."
    return found if found.schema == SCHEMA else f"It was written by another version ({found.schema})."


def _is_complete(tail: bytes) -> bool:
    last = tail.rstrip(b"\n").rpartition(b"\n")[2]
    try:
        entry = _decoder.decode(last)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(entry, End) and entry.complete


def _begun(run: RunFile) -> tuple[str, float]:
    begun = run.header.started_at if run.header is not None else ""
    return begun or _iso(run.changed_s), run.changed_s


def _iso(seconds: float) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
