"""The sha256 of model files: what it is, remembered for as long as the file stays as it was, and what it should be."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from playground.errors import ModelError, NotFoundError
from playground.models import starter
from playground.models.disk import hub_cache, ollama
from playground.models.disk.file_kinds import is_file
from playground.models.disk.file_notes import FileNotes, state_of

_NOTES = "sha256"
_BLOCK_BYTES = 1 << 20
_HEX_DIGITS = 64

OnBytes = Callable[[int], None]  # how many bytes of the file are hashed


class HashingStoppedError(ModelError):
    """Somebody asked to stop."""


def file_sha256(
    path: Path,
    on_progress: OnBytes | None = None,
    *,
    again: bool = False,
    cancel: threading.Event | None = None,
) -> str:
    """Return the sha256 of a file's content in hexadecimal. Blocking, about a second per gigabyte.

    A file that was hashed before and has kept its size and time of change is not read, unless ``again``. Raises
    ModelError when it cannot be read or changes meanwhile, HashingStoppedError after ``cancel``.
    """
    notes = FileNotes(_NOTES)
    try:
        state = state_of(path.stat())
        known = None if again else _text(notes.get(path, state))
        if known is None:
            known = _hash(path, on_progress, cancel or threading.Event())
            if state_of(path.stat()) != state:
                raise ModelError(
                    f"{path.name} changed while it was read.", hint="Try again when it is at rest."
                )
            notes.put(path, state, known)
            notes.save()
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.", hint="Check the path.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"{path} cannot be read: {why}.", hint="Check its permissions.") from error
    return known


def known_sha256(path: Path, notes: FileNotes) -> str:
    """Return a sha256 without reading the file: by its name, else from ``notes``; empty when it is not known."""
    if named := expected_sha256(path):
        return named
    try:
        return _text(notes.get(path, state_of(path.stat()))) or ""
    except (OSError, ValueError):
        return ""


def size_bytes(path: Path) -> int:
    """Return a file's size, 0 for one that cannot be looked at."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def kept_notes() -> FileNotes:
    """Return what was hashed before."""
    return FileNotes(_NOTES)


def expected_sha256(path: Path) -> str:
    """Return what a file's sha256 should be, empty where nothing says so.

    The Hub cache and Ollama name their blobs by it; the starter's is known.
    """
    if path == starter.source_path():
        return starter.SHA256
    return hub_cache.blob_sha256(path) or ollama.blob_sha256(path)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) == _HEX_DIGITS else None


def _hash(path: Path, on_progress: OnBytes | None, cancel: threading.Event) -> str:
    digest, done = hashlib.sha256(), 0
    block = bytearray(_BLOCK_BYTES)
    if not is_file(path):  # a pipe would wait for ever
        raise ModelError(f"{path} is not a file.", hint="Name a .gguf file.")
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while count := file.readinto(block):
            if cancel.is_set():
                raise HashingStoppedError(f"Hashing {path.name} was stopped.")
            digest.update(memoryview(block)[:count])
            done += count
            if on_progress:
                on_progress(done)
    return digest.hexdigest()
