"""Whether a lane's model and context fit into what is free: the estimate against the machine."""

from __future__ import annotations

from playground.chat.options import MTP
from playground.compare.events import Lane
from playground.errors import EngineError, ErrorKind
from playground.models import hardware
from playground.models.fit import ContextNeeds, largest_context
from playground.models.gguf import GgufHeader
from playground.models.placement import Placed

DEFAULT_CONTEXT_TOKENS = 8192


def context_tokens(lane: Lane) -> int:
    """Return the context that the lane will get: as asked, else the model's own, at most 8,192."""
    return lane.load.n_ctx or min(lane.model.n_ctx_train or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)


def context_needs(lane: Lane, n_ctx: int | None = None, kv_type: str | None = None) -> ContextNeeds:
    """Return what the lane asks of its context; ``n_ctx`` and ``kv_type`` replace what it would get."""
    load = lane.load
    return ContextNeeds(
        n_ctx=n_ctx or context_tokens(lane),
        kv_type=kv_type or ("f16" if load.kv_type == "auto" else load.kv_type),
        sequences=load.sequences,
        flash_attention=load.flash_attention != "off",
        draft_tokens=load.draft_tokens if load.draft else 0,
        mtp=load.draft == MTP,
    )


def shortage(lane: Lane, header: GgufHeader, needs: ContextNeeds, placed: Placed) -> EngineError | None:
    """Return an error (out_of_memory) when loading could only end in the system's memory running out.

    What lies on devices does not count, nor do mapped weights: they can be read from the file again, slowly.
    """
    weights = 0 if lane.load.mmap else max(0, lane.model.size_bytes - placed.weights_bytes)
    free = hardware.available_memory_bytes()
    own = placed.host_bytes + weights
    if own <= free:
        return None
    context = largest_context(header, int(free * 0.9), needs)
    return EngineError(
        ErrorKind.OUT_OF_MEMORY,
        f"{lane.model.name} with a context of {needs.n_ctx:,} tokens needs about {own / 1e9:.1f} GB, "
        f"and {free / 1e9:.1f} GB is free.",
        hint=f"Choose a context of at most {context:,} tokens." if context else "Choose a smaller model.",
        needed_tokens=context_tokens(lane),
        fitting_tokens=context,
    )
