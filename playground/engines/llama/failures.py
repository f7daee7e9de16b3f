"""What llama.cpp's failures mean, in words: the cause is only in its log."""

from __future__ import annotations

from pathlib import Path

from playground.engines import death
from playground.engines.llama.library import log
from playground.errors import EngineError, ErrorKind, one_line

_EMPTY = ("failed to load model", "error loading model")
_SAYS_NOTHING = "failed to load model from"


def is_memory(causes: list[str]) -> bool:
    """Return whether one of the causes is a lack of memory."""
    return any(death.is_memory(cause) for cause in causes)


def load_error(path: Path, *, on_devices: bool) -> EngineError:
    """Return why a file could not be loaded. ``on_devices``: some of its layers were to go to devices."""
    causes = log.errors()
    if is_memory(causes):
        where = " on the devices" if on_devices else ""
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"There is not enough memory{where} to load {path.name}.",
            hint="Choose fewer GPU layers, or auto."
            if on_devices
            else "Close other models or choose a smaller one.",
            detail="\n".join(causes),
        )
    causes = [cause for cause in causes if cause not in _EMPTY]
    telling = [cause for cause in causes if _SAYS_NOTHING not in cause]
    cause = next((c for c in telling if "error loading model" in c), telling[0] if telling else "")
    cause = cause.removeprefix("error loading model: ").removeprefix("error loading model ")
    cause = one_line(cause, 300).rstrip(".")
    again = "Download the file again, or choose another model."
    return EngineError(
        ErrorKind.LOAD_FAILED,
        f"{path.name} cannot be loaded: {cause or 'llama.cpp gave no reason'}.",
        hint="Choose the split mode layer." if "split buffers" in cause else again,
        detail="\n".join(causes),
    )


def context_error(n_ctx: int, kv_type: str) -> EngineError:
    """Return why a context could not be made."""
    causes = log.errors()
    if is_memory(causes):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"There is not enough memory for a context of {n_ctx:,} tokens.",
            hint="Choose a smaller context or a smaller cache type.",
            detail="\n".join(causes),
        )
    return EngineError(
        ErrorKind.LOAD_FAILED,
        f"A context of {n_ctx:,} tokens with a {kv_type} cache cannot be made: "
        f"{causes[-1] if causes else 'llama.cpp gave no reason'}.",
        hint="Choose other lane settings.",
        detail="\n".join(causes),
    )


def decode_error(status: int) -> EngineError:
    """Return why tokens could not be evaluated."""
    causes = log.errors()
    if is_memory(causes) or status == -2:  # GGML_STATUS_ALLOC_FAILED
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            "The memory ran out while the model answered.",
            hint="Choose a smaller context, or fewer layers on the GPU.",
            detail="\n".join(causes),
        )
    telling = [cause for cause in causes if "failed to decode" not in cause]
    cause = f": {one_line(telling[-1], 300).rstrip('.')}" if telling else ""
    return EngineError(
        ErrorKind.INTERNAL,
        f"llama.cpp could not evaluate the prompt (status {status}){cause}.",
        hint="Try again, load the model with other settings, or choose another model.",
        detail="\n".join(causes),
    )
