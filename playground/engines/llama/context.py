"""A model's context: the memory of its sequences and the evaluation of batches of tokens."""

from __future__ import annotations

import ctypes
from typing import Any

from playground.chat.options import LoadOptions
from playground.engines.llama import failures
from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.engines.protocol import Placement

BATCH_TOKENS = 512
KV_TYPES = {
    "f16": L.GGML_TYPE_F16,
    "bf16": 30,  # GGML_TYPE_BF16, which the binding does not name
    "q8_0": L.GGML_TYPE_Q8_0,
    "q5_1": L.GGML_TYPE_Q5_1,
    "q5_0": L.GGML_TYPE_Q5_0,
    "q4_1": L.GGML_TYPE_Q4_1,
    "q4_0": L.GGML_TYPE_Q4_0,
}
_FLASH = {
    "auto": L.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": L.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": L.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_NO_ROOM, _ABORTED = 1, 2


class AbortedError(Exception):
    """The evaluation was aborted on request; part of the batch may be in memory."""


class NoRoomError(Exception):
    """The batch found no room in the cache, which is as it was before."""


class Batch:
    """The tokens of one evaluation, each at a position of a sequence."""

    def __init__(self, capacity: int, embedding: int = 0) -> None:
        self.native = L.llama_batch_init(capacity, embedding, 1)
        self.capacity = capacity
        if embedding:  # llama.cpp gives either tokens or embeddings; a prediction layer reads both
            self._tokens = (L.llama_token * capacity)()
            self.native.token = ctypes.cast(self._tokens, type(self.native.token))
        self._own_tokens = bool(embedding)
        self._sequence_ids = [self.native.seq_id[index] for index in range(capacity)]
        for index in range(capacity):
            self.native.n_seq_id[index] = 1

    def __len__(self) -> int:
        return int(self.native.n_tokens)

    def clear(self) -> None:
        """Begin a new batch."""
        self.native.n_tokens = 0

    def add(self, token: int, position: int, sequence: int, *, wants_logits: bool) -> int:
        """Add a token and return its index in the batch."""
        native, index = self.native, self.native.n_tokens
        native.token[index] = token
        native.pos[index] = position
        self._sequence_ids[index][0] = sequence
        native.logits[index] = wants_logits
        native.n_tokens = index + 1
        return int(index)

    def close(self) -> None:
        """Free the native arrays."""
        if self._own_tokens:
            self.native.token = type(self.native.token)()
        L.llama_batch_free(self.native)


class Context:
    """One context. ``sequences``: how many conversations it holds at once, in one common cache.

    ``rollback_tokens``: how far a recurrent state can go back without a checkpoint. Raises EngineError.
    """

    def __init__(
        self,
        model: Model,
        options: LoadOptions,
        placement: Placement,
        threads: int,
        *,
        outputs_per_sequence: int = 1,
        rollback_tokens: int = 0,
        mtp_of: Context | None = None,
    ) -> None:
        self.model = model
        self.sequences = options.sequences
        self.rollback_tokens = rollback_tokens if model.is_recurrent else 0
        params = L.llama_context_default_params()
        params.n_ctx = placement.n_ctx
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_threads = params.n_threads_batch = threads
        params.n_seq_max = options.sequences
        params.n_rs_seq = self.rollback_tokens
        params.n_outputs_max = options.sequences * outputs_per_sequence  # saves n_ubatch x n_vocab x 4 bytes
        params.kv_unified = True  # answers of one prompt share its cells
        params.swa_full = False  # rollbacks are guarded by pos_min and checkpoints, see sequence.py
        params.flash_attn_type = _FLASH[options.flash_attention]
        params.type_k = params.type_v = KV_TYPES[placement.kv_type]
        params.offload_kqv = options.kv_offload
        params.op_offload = bool(placement.gpu_layers)
        params.no_perf = True
        if mtp_of is not None:
            params.ctx_type = L.LLAMA_CONTEXT_TYPE_MTP
            params.ctx_other = mtp_of.native
        self.native: Any = L.llama_init_from_model(model.native, params)
        if not self.native:
            raise failures.context_error(params.n_ctx, placement.kv_type)
        self.memory = L.llama_get_memory(self.native)
        self.n_ctx = int(L.llama_n_ctx(self.native))

    def evaluate(self, batch: Batch) -> None:
        """Evaluate a batch. Raises AbortedError, NoRoomError or EngineError."""
        status = L.llama_decode(self.native, batch.native)
        if status == 0:
            return
        if status == _ABORTED:
            raise AbortedError
        if status == _NO_ROOM:
            raise NoRoomError
        raise failures.decode_error(status)

    def set_threads(self, threads: int) -> None:
        """Use this many threads from the next evaluation on."""
        L.llama_set_n_threads(self.native, threads, threads)

    def close(self) -> None:
        """Give the context's memory back."""
        L.llama_free(self.native)
