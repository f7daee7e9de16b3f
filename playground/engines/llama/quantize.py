"""A smaller copy of a model: llama.cpp's own quantization, into a part file that is renamed when complete."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from playground.engines.llama.library import L, log
from playground.engines.protocol import Quantized
from playground.errors import EngineError, ErrorKind, one_line

_PREFIXES = ("LLAMA_FTYPE_MOSTLY_", "LLAMA_FTYPE_ALL_")
_CANNOT_WRITE = "iostream error"
_STEP = re.compile(r"\[ *(\d+)/ *(\d+)\]")


def part_path(target: Path) -> Path:
    """Return where a copy is written before it is complete."""
    return target.with_name(f"{target.name}.part")


def quantize(
    source: Path, target: Path, quant: str, threads: int, on_progress: Callable[[float], None]
) -> Quantized:
    """Write a copy of ``source`` quantized to ``quant`` (``Q2_K``). Raises EngineError; leaves no part file."""
    ftype = next((getattr(L, p + quant) for p in _PREFIXES if hasattr(L, p + quant)), None)
    if ftype is None:
        raise EngineError(ErrorKind.LOAD_FAILED, f"{quant} is not a quantization that llama.cpp can write.")
    started = time.perf_counter()
    try:
        _check_space(source, target)
        _write(source, part_path(target), ftype, threads, on_progress)
        _sync(part_path(target))
        part_path(target).replace(target)
    except OSError as error:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"{target} cannot be written: {error.strerror}.",
            hint="Free some space, or choose another folder.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part_path(target).unlink(missing_ok=True)
    return Quantized(target.stat().st_size, time.perf_counter() - started)


def _write(source: Path, part: Path, ftype: int, threads: int, on_progress: Callable[[float], None]) -> None:
    """Raise OSError when the file cannot be written, EngineError when llama.cpp refuses."""
    params = L.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.allow_requantize = threads, ftype, True
    log.clear()
    log.on_line = lambda line: _step(line, on_progress)
    try:
        status = L.llama_model_quantize(str(source).encode(), str(part).encode(), ctypes.byref(params))
    finally:
        log.on_line = None
    if status == 0:
        return
    causes = log.errors()
    if any(_CANNOT_WRITE in cause for cause in causes):
        raise OSError(errno.ENOSPC, "the disk is full, or the folder takes no such file")
    cause = one_line(causes[-1], 300).rstrip(".") if causes else "llama.cpp gave no reason"
    raise EngineError(
        ErrorKind.LOAD_FAILED,
        f"{source.name} cannot be quantized: {cause}.",
        hint="Choose another type or another model.",
        detail="\n".join(causes),
    )


def _step(line: str, on_progress: Callable[[float], None]) -> None:
    match = _STEP.search(line)
    if match and int(match[2]):
        on_progress(int(match[1]) / int(match[2]))


def _check_space(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(target.parent).free, source.stat().st_size
    if free < needed:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"There are {free / 1e6:,.0f} MB free in {target.parent}, and the copy may need {needed / 1e6:,.0f} MB.",
            hint="Free some space, or choose another folder.",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
