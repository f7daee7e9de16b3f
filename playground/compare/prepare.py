"""From a reference to a model file that is ready to load; makes what the app can make itself.

The starter is assembled from its package, its smaller copies are quantized in a worker process of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from playground import config
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind, UsageError
from playground.models import hardware, library, starter
from playground.models.files import ModelFile
from playground.models.quants import QUANTIZE_TYPES
from playground.models.reference import Reference, parse, resolve

OnProgress = Callable[[str, float], None]  # what is being done, fraction


async def prepare(ref_text: str, progress: OnProgress) -> ModelFile:
    """Return the model for a reference. Raises PlaygroundError."""
    reference = parse(ref_text)
    if reference.kind == "starter":
        await _prepare_starter(reference, progress)
    return await asyncio.to_thread(resolve, reference)


async def make_copy(source: ModelFile, quant: str, target: Path | None, progress: OnProgress) -> ModelFile:
    """Quantize a model into ``target``, or into the app's data folder. Cancel the task to stop it.

    Raises UsageError for an unknown type or an existing target, EngineError when llama.cpp refuses.
    """
    quant = quant.upper()
    if quant not in QUANTIZE_TYPES:
        raise UsageError(f"{quant} is not a quantization type.", hint=f"Known: {', '.join(QUANTIZE_TYPES)}.")
    target = target or default_target(source, quant)
    if not target.name or "\0" in str(target):
        raise UsageError(f"{target} is no name for a file.", hint="Name another file with -o.")
    if await asyncio.to_thread(os.path.lexists, target):
        raise UsageError(f"{target} exists already.", hint="Use it, delete it, or name another file with -o.")
    await _quantize(Path(source.path), target, quant, lambda fraction: progress(f"Making {quant}", fraction))
    return await asyncio.to_thread(library.describe, target)


def default_target(source: ModelFile, quant: str) -> Path:
    """Return where a smaller copy goes when no other place is named."""
    stem = Path(source.path).stem
    for known in (source.quant, source.quant.lower()):
        stem = stem.removesuffix(f"-{known}").removesuffix(f".{known}")
    return config.folders().models / f"{stem}-{quant}.gguf"


async def _prepare_starter(reference: Reference, progress: OnProgress) -> None:
    progress("Preparing the starter", 0.0)
    source = await asyncio.to_thread(starter.assemble)
    target = starter.copy_path(reference.quant or starter.QUANT)
    if not target.exists():
        quant = str(reference.quant)
        await _quantize(source, target, quant, lambda fraction: progress(f"Making {quant}", fraction))


async def _quantize(source: Path, target: Path, quant: str, on_progress: Callable[[float], None]) -> None:
    engine = EngineProcess()
    try:
        await engine.start()
        await engine.quantize(source, target, quant, hardware.physical_cores(), on_progress)
    except EngineError as error:
        if error.kind is ErrorKind.CRASHED:
            raise EngineError(
                error.kind,
                f"{source.name} made llama.cpp fail while it was quantized.",
                hint="The file is damaged or of a kind that cannot be quantized: choose another.",
                detail=error.detail,
            ) from error
        raise
    finally:
        await engine.kill()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(target.with_name(f"{target.name}.part").unlink, missing_ok=True)
