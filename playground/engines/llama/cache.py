"""The tokens in a context's memory: what of a prompt is there already, evaluating the rest, rolling back.

A plain attention cache can be cut anywhere. A sliding window or a recurrent state cannot: there a checkpoint,
taken earlier at a place that the next prompt is likely to share, is restored, or all is evaluated again.
Cutting a sliding window too far back succeeds silently with a wrong state, hence the guard by ``pos_min``.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playground.engines.llama.library import L
from playground.engines.llama.model import BATCH_TOKENS, Model
from playground.errors import EngineError, ErrorKind

_SEQUENCE = 0
_MAX_CHECKPOINTS = 4
_MAX_CHECKPOINT_BYTES = 1 << 30
_ABORTED = 2


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    tokens: tuple[int, ...]
    state: Any  # a ctypes buffer
    size_bytes: int


class AbortFlag:
    """A flag that llama.cpp reads several hundred times per token without taking the interpreter lock.

    The native callback is the C library's ``strlen`` over a two-byte buffer: 0 while the buffer is empty. It
    works on the CPU only; on other devices a cancel takes effect between batches.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        self._callback = ctypes.cast(libc.strlen, L.ggml_abort_callback)

    def attach(self, model: Model) -> None:
        """Make a model's context read this flag."""
        L.llama_set_abort_callback(model.native, self._callback, ctypes.addressof(self._buffer))

    def set(self) -> None:
        """Abort what is under way."""
        self._buffer[0] = b"\x01"

    def clear(self) -> None:
        """Let the next request run."""
        self._buffer[0] = b"\x00"

    def is_set(self) -> bool:
        """Return whether an abort was asked for."""
        return self._buffer[0] != b"\x00"


class CancelledError(Exception):
    """The evaluation was aborted on request."""


class Cache:
    """The context's memory as a list of tokens."""

    def __init__(self, model: Model, abort: AbortFlag) -> None:
        self._model = model
        self._abort = abort
        abort.attach(model)
        self.tokens: list[int] = []
        self._checkpoints: list[_Checkpoint] = []
        self._needs_checkpoints = model.is_recurrent or model.n_swa > 0
        self._one = (L.llama_token * 1)()
        self._single = L.llama_batch_get_one(self._one, 1)

    @property
    def is_full(self) -> bool:
        """Return whether no further token fits."""
        return len(self.tokens) >= self._model.n_ctx

    def reuse(self, prompt: Sequence[int]) -> int:
        """Roll back to the longest usable common prefix with a prompt and return its length.

        At least one token of the prompt is left to evaluate, since its logits are needed.
        """
        shared = _common_length(self.tokens, prompt)
        shared = min(shared, len(prompt) - 1)
        if shared < len(self.tokens):
            shared = self._roll_back(prompt, shared)
        self.tokens = list(prompt[:shared])
        self._checkpoints = [c for c in self._checkpoints if len(c.tokens) <= shared]
        return shared

    def evaluate(self, tokens: Sequence[int], on_batch: Callable[[int], None]) -> None:
        """Evaluate tokens in batches; ``on_batch`` is told how many are in memory. Raises CancelledError."""
        for start in range(0, len(tokens), BATCH_TOKENS):
            if self._abort.is_set():
                self._settle()
                raise CancelledError
            batch = tokens[start : start + BATCH_TOKENS]
            array = (L.llama_token * len(batch))(*batch)
            self._decode(L.llama_batch_get_one(array, len(batch)))
            self.tokens.extend(batch)
            on_batch(len(self.tokens))

    def append(self, token: int) -> None:
        """Evaluate one generated token. Raises CancelledError."""
        self._one[0] = token
        self._decode(self._single)
        self.tokens.append(token)

    def checkpoint(self) -> None:
        """Keep the state here, when this architecture needs that to come back."""
        here = tuple(self.tokens)
        if not self._needs_checkpoints or not here or any(c.tokens == here for c in self._checkpoints):
            return
        flags = L.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        size = L.llama_state_seq_get_size_ext(self._model.native, _SEQUENCE, flags)
        if not 0 < size <= _MAX_CHECKPOINT_BYTES:
            return
        state = (ctypes.c_uint8 * size)()
        written = L.llama_state_seq_get_data_ext(self._model.native, state, size, _SEQUENCE, flags)
        if written:
            self._checkpoints.append(_Checkpoint(here, state, written))
            self._drop_old_checkpoints()

    def clear(self) -> None:
        """Forget everything."""
        L.llama_memory_clear(self._model.memory, True)
        self.tokens = []
        self._checkpoints = []

    def _drop_old_checkpoints(self) -> None:
        kept = self._checkpoints
        while len(kept) > _MAX_CHECKPOINTS or sum(c.size_bytes for c in kept) > _MAX_CHECKPOINT_BYTES:
            kept.pop(0)

    def _roll_back(self, prompt: Sequence[int], shared: int) -> int:
        if (
            shared
            and self._can_cut(shared)
            and L.llama_memory_seq_rm(self._model.memory, _SEQUENCE, shared, -1)
        ):
            return shared
        restored = self._restore(prompt, shared)
        if not restored:
            self.clear()
        return restored

    def _can_cut(self, position: int) -> bool:
        if self._model.is_recurrent:
            return False
        if not self._model.n_swa:
            return True
        oldest = L.llama_memory_seq_pos_min(self._model.memory, _SEQUENCE)
        return bool(0 <= oldest <= max(0, position - self._model.n_swa))

    def _restore(self, prompt: Sequence[int], shared: int) -> int:
        fitting = [c for c in self._checkpoints if len(c.tokens) <= shared]
        for point in sorted(fitting, key=lambda c: len(c.tokens), reverse=True):
            length = len(point.tokens)
            if tuple(prompt[:length]) != point.tokens:
                continue
            flags = L.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
            done = L.llama_state_seq_set_data_ext(
                self._model.native, point.state, point.size_bytes, _SEQUENCE, flags
            )
            if done and L.llama_memory_seq_rm(self._model.memory, _SEQUENCE, length, -1):
                return length
        return 0

    def _decode(self, batch: Any) -> None:  # noqa: ANN401 -- a ctypes struct
        status = L.llama_decode(self._model.native, batch)
        if status == 0:
            return
        if status == _ABORTED or self._abort.is_set():
            self._settle()
            raise CancelledError
        self.clear()
        raise EngineError(
            ErrorKind.INTERNAL,
            f"llama.cpp could not evaluate the prompt (status {status}).",
            hint="Try again, or load the model with other settings.",
        )

    def _settle(self) -> None:
        """After an abort: cut what the native side evaluated beyond our list, or forget all where it can't be cut."""
        known = len(self.tokens)
        if self._needs_checkpoints or not L.llama_memory_seq_rm(self._model.memory, _SEQUENCE, known, -1):
            self.clear()


def _common_length(left: Sequence[int], right: Sequence[int]) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count
