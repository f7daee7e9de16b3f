"""Whether a lane's model and context fit into what is free: the estimate against the machine."""

from __future__ import annotations

from pathlib import Path

from playground.compare.events import Lane
from playground.errors import EngineError, ErrorKind, ModelError
from playground.models import hardware
from playground.models.fit import MemoryEstimate, estimate, largest_context
from playground.models.gguf import GgufHeader, read_header
from playground.models.placement import Placed

DEFAULT_CONTEXT_TOKENS = 8192


def context_tokens(lane: Lane) -> int:
    """Return the context that the lane will get: as asked, else the model's own, at most 8,192."""
    return lane.load.n_ctx or min(lane.model.n_ctx_train or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)


def needed_bytes(lane: Lane) -> int:
    """Return the estimated memory of a lane; for a file that cannot be read, its size."""
    try:
        header = read_header(Path(lane.model.path))
    except ModelError:
        return lane.model.size_bytes
    needed = _estimate(header, lane)
    return lane.model.size_bytes + needed.private_bytes  # all parts of a split model


def refuse_what_cannot_fit(lane: Lane, header: GgufHeader, placed: Placed) -> None:
    """Raise EngineError (out_of_memory) when loading could only end in the system's memory running out.

    What lies on devices does not count, nor do mapped weights: they can be read from the file again, slowly.
    """
    on_devices = sum(placed.needs_bytes)
    weights = 0 if lane.load.mmap else max(0, lane.model.size_bytes - on_devices)
    free = hardware.available_memory_bytes()
    own = placed.host_bytes + weights
    if own <= free:
        return
    context = largest_context(header, int(free * 0.9), lane.load.kv_type)
    raise EngineError(
        ErrorKind.OUT_OF_MEMORY,
        f"{lane.model.name} with a context of {context_tokens(lane):,} tokens needs about {own / 1e9:.1f} GB, "
        f"and {free / 1e9:.1f} GB is free.",
        hint=f"Choose a context of at most {context:,} tokens." if context else "Choose a smaller model.",
        needed_tokens=context_tokens(lane),
        fitting_tokens=context,
    )


def _estimate(header: GgufHeader, lane: Lane) -> MemoryEstimate:
    return estimate(
        header, n_ctx=context_tokens(lane), kv_type=lane.load.kv_type, sequences=lane.load.sequences
    )
