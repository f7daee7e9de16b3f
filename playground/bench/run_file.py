"""The file of a run: one JSON object per line, appended as things happen. Owns its format, lock and repair.

A line is written whole or not at all: what a full disk or a power cut leaves of one is cut off again. Knows no engine.
"""

from __future__ import annotations

import errno
import os
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from playground.bench.record import SCHEMA, Answer, Entry, Header, LaneEnd
from playground.bench.run_data import RunData
from playground.errors import PlaygroundError, SuiteError, UsageError

_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()
_FAMILY = SCHEMA.partition("/")[0]
_KEPT = (Header, Answer, LaneEnd)  # what cannot be made again is on the disk before the run goes on


class _Beginning(msgspec.Struct):
    """What every first line of every version has."""

    schema: str


def read(path: Path) -> RunData:
    """Return what a run file says; a last line that was cut is left out, and a note says so. Blocking.

    Raises SuiteError for a file that is no run, damaged in the middle, or of a newer version.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SuiteError(f"The run file {path} cannot be read: {reason}.", hint="Check the path.") from error
    except ValueError as error:  # a NUL in the name
        raise SuiteError(f"{path} is no name of a file.", hint="Check the path.") from error
    *lines, rest = raw.split(b"\n")
    notes: tuple[str, ...] = ()
    if rest:
        notes = (f"The last line of {path.name} was cut off and is left out.",)
    if not lines:
        raise SuiteError(f"{path.name} holds no run.", hint="Choose a file that playground bench wrote.")
    header = _header(path, lines[0])
    entries = [_entry(path, number, line) for number, line in enumerate(lines[1:], 2) if line.strip()]
    return RunData(header, notes=notes).with_entries(entries)


def begins_run(path: Path) -> bool:
    """Return whether a file begins as runs do, of whatever version. Blocking."""
    try:
        with path.open("rb") as file:
            start = file.readline(1 << 22)
        return msgspec.json.decode(start, type=_Beginning).schema.startswith(f"{_FAMILY}/")
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError):
        return False


def _header(path: Path, line: bytes) -> Header:
    try:
        schema = msgspec.json.decode(line, type=_Beginning).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SuiteError(
            f"{path.name} is no run file: {_reason(error)}.",
            hint="Choose a file that playground bench wrote.",
        ) from error
    family, _, version = schema.partition("/")
    if family != _FAMILY or not version.isdigit():
        raise SuiteError(
            f"{path.name} is no run file: its schema is {schema}.",
            hint="Choose a file that playground bench wrote.",
        )
    if schema != SCHEMA:
        raise SuiteError(
            f"{path.name} was written by a newer Playground ({schema}; {SCHEMA} is known).",
            hint="Update Playground to open it.",
        )
    found = _entry(path, 1, line)
    if not isinstance(found, Header):
        raise SuiteError(f"{path.name}, line 1, is not the beginning of a run.", hint="Choose another file.")
    if len({lane.slot for lane in found.lanes}) < len(found.lanes):
        raise _damaged(path, 1, "two lanes have the same letter")
    return found


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        found: Entry = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, number, _reason(error)) from error
    return found


def _damaged(path: Path, number: int, reason: str) -> SuiteError:
    more = ", or delete that line: what it held is then answered again with --resume" if number > 1 else ""
    return SuiteError(f"{path.name}, line {number}, is damaged: {reason}.", hint=f"Restore the file{more}.")


def _reason(error: Exception) -> str:
    return str(error)[:200].rstrip(".") or type(error).__name__


class RunWriter:
    """Appends to a run file that nobody else may write meanwhile.

    ``create`` and ``resume`` open one. ``unsaved`` holds what a full disk has not taken; ``flush`` tries again.
    """

    def __init__(self, path: Path, descriptor: int, data: RunData) -> None:
        self.path = path
        self.data = data
        self.unsaved: deque[Entry] = deque()
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, header: Header) -> RunWriter:
        """Begin a file. Raises UsageError when it exists, PlaygroundError when it cannot be written. Blocking."""
        descriptor = _open(path, os.O_CREAT | os.O_EXCL)
        writer = cls(path, descriptor, RunData(header))
        try:
            _lock(path, descriptor)
            writer.add(header)
        except BaseException:
            writer.close()
            path.unlink(missing_ok=True)
            raise
        return writer

    @classmethod
    def resume(cls, path: Path) -> RunWriter:
        """Go on with a file; a last line that was cut is removed.

        Raises SuiteError as ``read`` does, PlaygroundError when it cannot be written or somebody else does. Blocking.
        """
        descriptor = _open(path, 0)
        try:
            _lock(path, descriptor)
            data = read(path)
            if data.notes:
                end = path.read_bytes().rfind(b"\n") + 1
                os.ftruncate(descriptor, end)
            os.lseek(descriptor, 0, os.SEEK_END)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, data)

    def add(self, entry: Entry) -> None:
        """Append one line. Raises PlaygroundError when the disk does not take it; it is then ``unsaved``. Blocking."""
        if not isinstance(entry, Header):
            self.data = self.data.with_entries([entry])
        self.unsaved.append(entry)
        self.flush()

    def flush(self) -> None:
        """Write what has not been written yet, oldest first. Raises PlaygroundError. Blocking."""
        while self.unsaved:
            entry = self.unsaved[0]
            self._write(_line(entry), sync=isinstance(entry, _KEPT))
            self.unsaved.popleft()

    def close(self) -> None:
        """Close the file and let others write it. What is unsaved is lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, line: bytes, *, sync: bool) -> None:
        start = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(self._descriptor, view) :]
            if sync:
                os.fsync(self._descriptor)
        except OSError as error:
            _cut(self._descriptor, start)
            raise _unwritable(self.path, error) from error


def _open(path: Path, how: int) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    except ValueError as error:
        raise UsageError(f"{path} is no name of a file.", hint="Name another file with --out.") from error
    try:
        return os.open(
            path, os.O_RDWR | how | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o644
        )
    except FileExistsError as error:
        raise UsageError(
            f"{path} exists already.", hint="Go on with it by --resume, or name another file with --out."
        ) from error
    except FileNotFoundError as error:
        if how:
            raise _unwritable(path, error) from error
        raise SuiteError(f"There is no run file {path}.", hint="Check the path.") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    except ValueError as error:
        raise UsageError(f"{path} is no name of a file.", hint="Name another file with --out.") from error


def _lock(path: Path, descriptor: int) -> None:
    """Take the file for this process; the lock ends with the descriptor, however the process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # far behind the data, which others may read
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            raise PlaygroundError(
                f"{path} is being written by another run.", hint="Wait for it, or name another file."
            ) from error
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):  # some network disks have no locks
            raise _unwritable(path, error) from error


def _cut(descriptor: int, size: int) -> None:
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        return  # a reader leaves the cut line out


def _unwritable(path: Path, error: OSError) -> PlaygroundError:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    reason = "the disk is full" if is_full else error.strerror or str(error)
    hint = "Free some space, then go on with --resume." if is_full else "Name another file with --out."
    return PlaygroundError(f"The run file {path} cannot be written: {reason}.", hint=hint)


def _line(entry: Entry) -> bytes:
    try:
        return _encoder.encode(entry) + b"\n"
    except UnicodeEncodeError:  # half a character, which a program may well print
        return _encoder.encode(_whole(msgspec.to_builtins(entry))) + b"\n"


def _whole(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, (list, tuple)) else value
