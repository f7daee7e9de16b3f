"""What a person can do about a lane that failed: derived from its state, as data. Pure functions, no widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from playground.compare.events import LaneError
from playground.errors import ErrorKind
from playground.ui.compare_state import LaneState, Phase

LEAST_CONTEXT = 512
_NUMBER = re.compile(r"(\d[\d,]*) tokens")
_OF_CONTEXT = re.compile(r"\bcontext of \d")


@dataclass(frozen=True, slots=True)
class LaneAction:
    """One way on. ``n_ctx``: the context to set before the lane runs again, in tokens."""

    kind: Literal["again", "smaller_context", "larger_context", "choose_model"]
    text: str
    tip: str
    n_ctx: int | None = None


AGAIN = LaneAction("again", "Try again", "Load the model once more and answer")
CHOOSE = LaneAction("choose_model", "Choose another model", "Open the list of models")


def actions(lane: LaneState) -> tuple[LaneAction, ...]:
    """Return the ways on from a failed lane or a full context, the likeliest cure first; none otherwise."""
    error = lane.error
    if lane.phase is Phase.DONE and lane.result is not None and lane.result.stop == "context":
        larger = _larger(lane, lane.result.usage.prompt_tokens)
        return (larger,) if larger else ()
    if lane.phase is not Phase.FAILED or error is None:
        return ()
    if error.kind == ErrorKind.OUT_OF_MEMORY or _is_about_context(error):
        return (_smaller(lane, error) or CHOOSE, AGAIN)
    if error.kind == ErrorKind.PROMPT:
        larger = _larger(lane, max(_tokens_in(f"{error.message} {error.hint}"), default=0))
        return (larger, AGAIN) if larger else (AGAIN,)
    if error.kind in (ErrorKind.NOT_FOUND, ErrorKind.LOAD_FAILED):
        return (CHOOSE,)
    return (AGAIN,)


def _is_about_context(error: LaneError) -> bool:
    return error.kind == ErrorKind.LOAD_FAILED and bool(_OF_CONTEXT.search(error.message))


def _smaller(lane: LaneState, error: LaneError) -> LaneAction | None:
    """Return half the context, or the largest that the error says would fit; None when there is none."""
    if "smaller model" in error.hint:
        return None
    had = lane.context_tokens
    n_ctx = min([max(had // 2, LEAST_CONTEXT), *_tokens_in(error.hint)])
    if n_ctx >= had:
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


def _tokens_in(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in _NUMBER.findall(text)]
