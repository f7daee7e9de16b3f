"""A smaller copy of a model: llama.cpp's own quantization, into a part file that is renamed when complete."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from playground.engines.llama.library import L, log
from playground.engines.protocol import Quantized
from playground.errors import EngineError, ErrorKind

_PREFIXES = ("LLAMA_FTYPE_MOSTLY_", "LLAMA_FTYPE_ALL_")
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
    _check_space(source, target)
    part = part_path(target)
    started = time.perf_counter()
    params = L.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.allow_requantize = threads, ftype, True
    log.clear()
    log.on_line = lambda line: _step(line, on_progress)
    try:
        status = L.llama_model_quantize(str(source).encode(), str(part).encode(), ctypes.byref(params))
        if status != 0:
            causes = log.errors()
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"{source.name} cannot be quantized to {quant}: "
                f"{causes[-1] if causes else 'llama.cpp gave no reason'}.",
                hint="Choose another type or another model.",
                detail="\n".join(causes),
            )
        _sync(part)
        part.replace(target)
    except OSError as error:
        raise EngineError(ErrorKind.LOAD_FAILED, f"{target} cannot be written: {error.strerror}.") from error
    finally:
        log.on_line = None
        part.unlink(missing_ok=True)
    return Quantized(target.stat().st_size, time.perf_counter() - started)


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
            f"There are {free / 1e9:.1f} GB free in {target.parent}, and the copy may need {needed / 1e9:.1f} GB.",
            hint="Free some space, or choose another folder.",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
