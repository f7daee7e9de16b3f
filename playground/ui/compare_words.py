"""The words and figures of a lane: derived from its state, nothing else. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.ui.compare_state import LaneState

Pill = tuple[str, str]  # words, role in the style sheet
DASH = "–"
NO_MODEL: Pill = ("Choose a model", "plain")
NOTHING_LOADED = "No model loaded"


def pill(lane: LaneState, other: LaneState | None = None) -> Pill:
    """Return the lane's state in words and how to colour it."""
    from playground.ui.compare_state import Phase

    if lane.stopping and lane.is_running:
        return "Stopping", "warn"
    share = f" {lane.fraction:.0%}" if lane.fraction is not None else ""
    waiting = f"Waiting for {other.slot}" if other is not None and other.is_running else "Loaded"
    words: dict[Phase, Pill] = {
        Phase.EMPTY: NO_MODEL,
        Phase.PREPARING: (f"{lane.doing or 'Preparing'}{share}", "run"),
        Phase.READY: ("Ready", "plain"),
        Phase.QUEUED: ("Queued", "plain"),
        Phase.LOADING: (f"Loading{share}", "run"),
        Phase.WAITING: (waiting, "run"),
        Phase.READING: (f"Reading prompt{share}", "run"),
        Phase.ANSWERING: ("Streaming", "run"),
        Phase.FAILED: ("Failed", "bad"),
        Phase.DONE: _ending(lane),
    }
    return words[lane.phase]


def _ending(lane: LaneState) -> Pill:
    stop = lane.result.stop if lane.result else "end"
    if stop == "length":
        return f"Cut off at {lane.tokens:,} tokens", "warn"
    if stop == "context":
        return "Context full", "warn"
    if stop == "cancelled":
        return "Stopped", "plain"
    return "Done", "ok"


def tokens_per_s(lane: LaneState) -> str:
    """Return the speed, final or so far."""
    if lane.result and lane.result.timings.decode_tokens_per_s:
        return f"{lane.result.timings.decode_tokens_per_s:.1f}"
    if lane.is_answering and lane.decode_s > 0 and lane.tokens > 1:
        return f"{(lane.tokens - 1) / lane.decode_s:.1f}"
    return DASH


def first_token(lane: LaneState) -> str:
    """Return the time to the first token."""
    seconds = lane.result.timings.first_token_s if lane.result else None
    if seconds is None:
        return DASH
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def tokens(lane: LaneState) -> str:
    """Return the number of tokens generated."""
    return f"{lane.tokens:,}" if lane.tokens else DASH


def memory(lane: LaneState) -> str:
    """Return the memory that the lane's engine holds."""
    return size(lane.resident_bytes) if lane.resident_bytes else DASH


def is_shared(lane: LaneState) -> bool:
    """Return whether the speeds were taken while another model answered."""
    return bool(lane.result and lane.result.shared)


def badges(lane: LaneState) -> tuple[str, ...]:
    """Return the chips behind the model's name, the first to be dropped first."""
    if lane.model is None:
        return ()
    context = lane.n_ctx or lane.load.n_ctx or min(lane.model.n_ctx_train or 8192, 8192)
    kind = ("base model",) if lane.model.is_base else ()
    return (*kind, _thousands(context), lane.model.quant)


def note(lane: LaneState) -> str:
    """Return a short remark for the lane's foot."""
    if lane.error is not None:
        return ""
    if lane.result is not None and lane.result.usage.cached_tokens:
        return (
            f"{lane.result.usage.cached_tokens:,} of {lane.result.usage.prompt_tokens:,} prompt tokens reused"
        )
    if lane.model is not None and lane.model.is_base:
        return "Base model: plain completion prompt"
    return ""


def size(size_bytes: int) -> str:
    """Return bytes for a person, in decimal units."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def _thousands(tokens_: int) -> str:
    return f"{tokens_ // 1024}k ctx" if tokens_ >= 1024 else f"{tokens_} ctx"
