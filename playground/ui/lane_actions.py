"""What a person can do about a lane that failed: derived from its state, as data. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.compare.events import LaneError
from playground.errors import ErrorKind
from playground.ui.compare_state import LaneState, Phase

LEAST_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class LaneAction:
    """One way on. ``n_ctx``: the context to set before the lane runs again, in tokens."""

    kind: Literal["again", "smaller_context", "larger_context", "choose_model", "settings"]
    text: str
    tip: str
    n_ctx: int | None = None


AGAIN = LaneAction("again", "Try again", "Load the model once more and answer")
CHOOSE = LaneAction("choose_model", "Choose another model", "Open the list of models")
SETTINGS = LaneAction("settings", "Change settings", "Open the settings of this lane")


def actions(lane: LaneState) -> tuple[LaneAction, ...]:
    """Return the ways on from a failed lane or a full context, the likeliest cure first; none otherwise."""
    error = lane.error
    if lane.phase is Phase.DONE and lane.result is not None and lane.result.stop == "context":
        larger = _larger(lane, lane.result.usage.prompt_tokens)
        return (larger,) if larger else ()
    if lane.phase is not Phase.FAILED or error is None:
        return ()
    if error.kind == ErrorKind.OUT_OF_MEMORY:
        return (_smaller(lane, error) or CHOOSE, AGAIN)
    if error.kind == ErrorKind.PROMPT:
        larger = _larger(lane, error.needed_tokens or 0)
        return (larger, AGAIN) if larger else (AGAIN,)
    others: dict[str, tuple[LaneAction, ...]] = {
        ErrorKind.NOT_FOUND: (CHOOSE,),
        ErrorKind.LOAD_FAILED: (CHOOSE, SETTINGS),
        ErrorKind.DEVICE_LOST: (AGAIN, SETTINGS),
    }
    return others.get(error.kind, (AGAIN,))


def _smaller(lane: LaneState, error: LaneError) -> LaneAction | None:
    """Return half the context, or less where the error says what would fit; None when no smaller one helps."""
    had, fitting = error.needed_tokens or lane.context_tokens, error.fitting_tokens
    half = max(had // 2, LEAST_CONTEXT)
    n_ctx = half if fitting is None else min(half, fitting)
    if not 0 < n_ctx < had:
        return None
    return LaneAction(
        "smaller_context", "Use a smaller context", f"Load it with {n_ctx:,} tokens and answer", n_ctx
    )


def _larger(lane: LaneState, prompt: int) -> LaneAction | None:
    """Return the next power of two that holds prompt and answer, at most what the model was trained for."""
    n_ctx = 1 << (prompt + lane.answer.max_tokens).bit_length()
    if lane.model is not None and lane.model.n_ctx_train:
        n_ctx = min(n_ctx, lane.model.n_ctx_train)
    if not prompt or n_ctx <= max(prompt, lane.context_tokens):
        return None
    return LaneAction(
        "larger_context", "Use a larger context", f"Load it with {n_ctx:,} tokens and answer", n_ctx
    )
