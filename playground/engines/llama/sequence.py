"""One sequence of a context's memory: what of a prompt is there already, rolling back, checkpoints.

A plain attention cache can be cut anywhere. A sliding window or a recurrent state cannot: there a checkpoint,
taken earlier at a place that the next prompt is likely to share, is restored, or all is evaluated again.
Cutting a sliding window too far back succeeds silently with a wrong state, hence the guard by ``pos_min``; so does
taking a recurrent state back further than its last batch, hence the count of that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from playground.engines.llama.context import Context
from playground.engines.llama.library import L

_MAX_CHECKPOINTS = 6
_MAX_CHECKPOINT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    tokens: tuple[int, ...]
    state: Any  # a ctypes buffer
    size_bytes: int


class Sequence:
    """The tokens in memory under one sequence id; ``tokens`` is what the native side holds."""

    def __init__(self, context: Context, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.used = 0  # a count that grows with use: the smallest has rested longest
        self._context = context
        self._model = context.model
        self.needs_checkpoints = self._model.is_recurrent or self._model.n_swa > 0
        self._undoable = 0  # tokens at the end that a recurrent state can be taken back by
        self._checkpoints: list[_Checkpoint] = []

    def took(self, tokens: Items[int], drafts: int = 0) -> None:
        """Note that one batch has evaluated these tokens, and so many drafts behind them."""
        self.tokens.extend(tokens)
        self._undoable = min(len(tokens) + drafts - 1, self._context.rollback_tokens)

    def usable(self, prompt: Items[int]) -> int:
        """Return how many of a prompt's tokens need not be evaluated again. Changes nothing."""
        shared = min(_common_length(self.tokens, prompt), len(prompt) - 1)
        if shared == len(self.tokens) or self._can_cut(shared):
            return shared
        point = self._checkpoint_within(prompt, shared)
        return len(point.tokens) if point else 0

    def reuse(self, prompt: Items[int]) -> int:
        """Roll back to the longest usable common prefix with a prompt and return its length.

        At least one token of the prompt is left to evaluate, since its logits are needed.
        """
        shared = min(_common_length(self.tokens, prompt), len(prompt) - 1)
        if shared < len(self.tokens):
            shared = self._roll_back(prompt, shared)
        self.tokens = list(prompt[:shared])
        return shared

    def cut(self, length: int) -> None:
        """Forget all tokens behind the first ``length``; where that cannot be done, more, or all."""
        known = self.tokens[:length]
        self.tokens = known[: self._roll_back(known, len(known))]

    def settle(self) -> None:
        """After an aborted evaluation: forget what the native side took in beyond ``tokens``, or more.

        A recurrent state may be half written then, so only a checkpoint can be trusted.
        """
        known = len(self.tokens)
        self.tokens = self.tokens[: self._roll_back(self.tokens, known, trusted=not self._model.is_recurrent)]

    def copy_from(self, other: Sequence) -> None:
        """Share what another sequence has evaluated; costs no memory but a recurrent state's."""
        self.clear()
        L.llama_memory_seq_cp(self._context.memory, other.number, self.number, -1, -1)
        self.tokens = list(other.tokens)
        self._undoable = 0
        self._checkpoints = list(other._checkpoints)

    def shift(self, keep: int, discard: int) -> bool:
        """Forget ``discard`` tokens behind the first ``keep`` and move the rest there. False: it cannot be done."""
        memory = self._context.memory
        if self.needs_checkpoints or not L.llama_memory_can_shift(memory):
            return False
        if not L.llama_memory_seq_rm(memory, self.number, keep, keep + discard):
            return False
        L.llama_memory_seq_add(memory, self.number, keep + discard, -1, -discard)
        del self.tokens[keep : keep + discard]
        return True

    def checkpoint(self) -> None:
        """Keep the state here, when this architecture needs that to come back."""
        here = tuple(self.tokens)
        if not self.needs_checkpoints or not here or any(c.tokens == here for c in self._checkpoints):
            return
        native, flags = self._context.native, L.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        size = L.llama_state_seq_get_size_ext(native, self.number, flags)
        if not 0 < size <= _MAX_CHECKPOINT_BYTES:
            return
        state = (ctypes.c_uint8 * size)()
        written = L.llama_state_seq_get_data_ext(native, state, size, self.number, flags)
        if written:
            self._checkpoints.append(_Checkpoint(here, state, written))
            self._drop_old_checkpoints()

    def clear(self) -> None:
        """Forget everything."""
        L.llama_memory_seq_rm(self._context.memory, self.number, -1, -1)
        self.tokens = []
        self._undoable = 0
        self._checkpoints = []

    def _drop_old_checkpoints(self) -> None:
        kept = self._checkpoints
        while len(kept) > _MAX_CHECKPOINTS or sum(c.size_bytes for c in kept) > _MAX_CHECKPOINT_BYTES:
            kept.pop(0)

    def _roll_back(self, prompt: Items[int], shared: int, *, trusted: bool = True) -> int:
        memory, can_cut = self._context.memory, trusted and shared > 0 and self._can_cut(shared)
        if can_cut and L.llama_memory_seq_rm(memory, self.number, shared, -1):
            self._undoable = 0  # llama.cpp goes back once, then has to evaluate
            self._forget_checkpoints_behind(shared)
            return shared
        restored = self._restore(prompt, shared)
        if not restored:
            self.clear()
        self._forget_checkpoints_behind(restored)
        return restored

    def _can_cut(self, position: int) -> bool:
        if self._model.is_recurrent:
            newest = int(L.llama_memory_seq_pos_max(self._context.memory, self.number))
            return position > 0 and 0 <= newest + 1 - position <= self._undoable
        if not self._model.n_swa:
            return True
        oldest = L.llama_memory_seq_pos_min(self._context.memory, self.number)
        return bool(0 <= oldest <= max(0, position - self._model.n_swa))

    def _checkpoint_within(self, prompt: Items[int], shared: int) -> _Checkpoint | None:
        fitting = [c for c in self._checkpoints if len(c.tokens) <= shared]
        fitting.sort(key=lambda c: len(c.tokens), reverse=True)
        return next((c for c in fitting if tuple(prompt[: len(c.tokens)]) == c.tokens), None)

    def _restore(self, prompt: Items[int], shared: int) -> int:
        point = self._checkpoint_within(prompt, shared)
        if point is None:
            return 0
        flags, length = L.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY, len(point.tokens)
        done = L.llama_state_seq_set_data_ext(
            self._context.native, point.state, point.size_bytes, self.number, flags
        )
        self._undoable = 0
        if done and L.llama_memory_seq_rm(self._context.memory, self.number, length, -1):
            return length
        return 0

    def _forget_checkpoints_behind(self, length: int) -> None:
        self._checkpoints = [c for c in self._checkpoints if len(c.tokens) <= length]


def _common_length(left: Items[int], right: Items[int]) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count
