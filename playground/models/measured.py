"""What loaded models really took, kept between runs: shown beside the estimate. Blocking; one JSON file in the data folder.

A model is known by its content where the Hub cache names it (sha256), else by its file's name and size, so that a moved
file is still known. The file is written whole or not at all; a damaged one is set aside and begun anew.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path
from typing import Protocol

import msgspec

from playground import config, logs
from playground.models.files import ModelFile

SCHEMA = "playground.measured/1"
_MOST = 500
_CELL_STEP = 256
_LIMIT_BYTES = 4 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_log = logs.get("models")
_lock = threading.Lock()


class Setup(msgspec.Struct, frozen=True):
    """How a model was loaded: what its memory depends on."""

    n_ctx: int
    kv_type: str = "f16"
    sequences: int = 1
    gpu_layers: int = 0
    cpu_expert_layers: int = 0
    devices: tuple[str, ...] = ()


class Measured(msgspec.Struct, frozen=True):
    """One load. Bytes: weights, cache and buffers by llama.cpp's own accounting, on all devices; the estimate before it.

    ``resident_bytes``: the process's own memory then. ``measured_at``: seconds of ``time.time``.
    """

    model: str
    name: str
    setup: Setup
    estimated_bytes: int
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    resident_bytes: int = 0
    measured_at: float = 0.0

    @property
    def total_bytes(self) -> int:
        """Return what the model took."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes


class _File(msgspec.Struct, frozen=True):
    schema: str = SCHEMA
    loads: tuple[Measured, ...] = ()


def path() -> Path:
    """Return where the figures lie."""
    return config.folders().data / "measured.json"


class OnDisk(Protocol):
    """A model on disk: a ModelFile, a DiskModel."""

    @property
    def path(self) -> str:
        """Return its first file."""

    @property
    def size_bytes(self) -> int:
        """Return the size of all its files."""


def identity(model: OnDisk) -> str:
    """Return what a model file is known by."""
    real = Path(os.path.realpath(model.path))
    if _SHA256.fullmatch(real.name):
        return f"sha256:{real.name}"
    return f"{Path(model.path).name}:{model.size_bytes}"


def record(measured: Measured) -> None:
    """Keep a load, in place of an earlier one of the same kind. Figures that cannot be kept are logged and forgotten."""
    measured = msgspec.structs.replace(measured, measured_at=measured.measured_at or time.time())
    try:
        with _lock:
            others = (
                load for load in _read() if (load.model, load.setup) != (measured.model, measured.setup)
            )
            _write((*others, measured)[-_MOST:])
    except OSError as error:
        _log.info("measured memory cannot be kept: %s", error.strerror or error)


def recorded(model: ModelFile, n_ctx: int, kv_type: str = "f16") -> Measured | None:
    """Return the last load of a model with this context and cache type, None when there was none."""
    known = identity(model)
    kind = "f16" if kv_type == "auto" else kv_type
    try:
        with _lock:
            found = [load for load in _read() if load.model == known]
    except OSError:
        return None
    for load in reversed(found):
        if (_cells(load.setup.n_ctx), load.setup.kv_type) == (_cells(n_ctx), kind):
            return load
    return None


def latest() -> dict[str, Measured]:
    """Return the last load of each model, by its identity."""
    try:
        with _lock:
            return {load.model: load for load in _read()}
    except OSError:
        return {}


def _cells(n_ctx: int) -> int:
    """Return the cells of a context: it is rounded up when it is made."""
    return -(-n_ctx // _CELL_STEP) * _CELL_STEP


def _read() -> tuple[Measured, ...]:
    """Return the loads that are kept, oldest first; a damaged file is moved aside. Raises OSError."""
    try:
        raw = path().read_bytes()
    except FileNotFoundError:
        return ()
    try:
        found = msgspec.json.decode(raw[: _LIMIT_BYTES + 1], type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        aside = path().with_name("measured.damaged.json")
        path().replace(aside)
        _log.info("%s was damaged and is now %s: %s", path(), aside.name, error)
        return ()
    return found.loads if found.schema == SCHEMA else ()


def _write(loads: tuple[Measured, ...]) -> None:
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(_File(loads=loads))))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
