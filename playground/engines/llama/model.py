"""A model and its context in memory: loading with progress and cancel, the native cause of a failure."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.chat.options import LoadOptions
from playground.engines.llama import accounting
from playground.engines.llama.library import L, devices, log
from playground.errors import EngineError, ErrorKind

DEFAULT_CONTEXT_TOKENS = 8192
BATCH_TOKENS = 512
_ALL_LAYERS = 999
_KV_TYPES = {"auto": L.GGML_TYPE_F16, "f16": L.GGML_TYPE_F16, "q8_0": L.GGML_TYPE_Q8_0, "q4_0": L.GGML_TYPE_Q4_0}
_FLASH = {
    "auto": L.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": L.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": L.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_MEMORY_WORDS = (
    "failed to allocate",
    "unable to allocate",
    "out of memory",
    "cannot allocate",
    "alloc_tensor",
)


class LoadCancelledError(Exception):
    """Loading was stopped on request."""


class Model:
    """One model with one context for one sequence.

    ``native`` is the context, ``vocab`` the vocabulary, ``memory`` the handle of its cache, all opaque.
    """

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        threads: int,
        *,
        on_progress: Callable[[float], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        started = time.perf_counter()
        log.clear()
        self.path = path
        self.gpu_layers = 0
        self._model = self._load(path, options, on_progress, is_cancelled)
        try:
            _raise_when(is_cancelled())
            self._refuse_what_cannot_answer()
            self.n_ctx_train = int(L.llama_model_n_ctx_train(self._model))
            self.n_layers = int(L.llama_model_n_layer(self._model))
            self.native = self._context(options, threads)
        except BaseException:
            L.llama_model_free(self._model)
            raise
        self.n_ctx = int(L.llama_n_ctx(self.native))
        self.vocab = L.llama_model_get_vocab(self._model)
        self.memory = L.llama_get_memory(self.native)
        self.n_swa = int(L.llama_model_n_swa(self._model))
        self.is_recurrent = bool(
            L.llama_model_is_hybrid(self._model) or L.llama_model_is_recurrent(self._model)
        )
        self.buffers = accounting.from_log(log.text())
        self.load_s = time.perf_counter() - started

    def description(self) -> str:
        """Return llama.cpp's own short description."""
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def chat_template(self) -> str | None:
        """Return the file's own Jinja template, None for a base model."""
        raw = L.llama_model_chat_template(self._model, None)
        return raw.decode("utf-8", "replace") if raw else None

    def close(self) -> None:
        """Give all memory back."""
        L.llama_free(self.native)
        L.llama_model_free(self._model)

    def _load(
        self,
        path: Path,
        options: LoadOptions,
        on_progress: Callable[[float], None],
        is_cancelled: Callable[[], bool],
    ) -> Any:  # noqa: ANN401 -- an opaque pointer
        if not path.is_file():
            raise EngineError(ErrorKind.NOT_FOUND, f"There is no file {path}.", hint="Check the path.")
        params = L.llama_model_default_params()
        self.gpu_layers = params.n_gpu_layers = _gpu_layers(options, path)
        params.load_mode = L.LLAMA_LOAD_MODE_MMAP if options.mmap else L.LLAMA_LOAD_MODE_NONE

        @L.llama_progress_callback  # type: ignore[untyped-decorator]
        def progress(fraction: float, _user_data: object) -> bool:
            on_progress(fraction)
            return not is_cancelled()

        params.progress_callback = progress
        model = L.llama_model_load_from_file(str(path).encode(), params)
        if model:
            return model
        if is_cancelled():
            raise LoadCancelledError
        raise _load_error(path)

    def _refuse_what_cannot_answer(self) -> None:
        decodes = L.llama_model_has_decoder(self._model) and not L.llama_model_has_encoder(self._model)
        if not decodes or L.llama_model_is_diffusion(self._model):
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"{self.path.name} does not generate text token by token, so it cannot answer a prompt.",
                hint="Choose a text generation model.",
            )

    def _context(self, options: LoadOptions, threads: int) -> Any:  # noqa: ANN401 -- an opaque pointer
        params = L.llama_context_default_params()
        params.n_ctx = options.n_ctx or min(
            self.n_ctx_train or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS
        )
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_threads = params.n_threads_batch = threads
        params.n_outputs_max = 1  # logits of the last token only: saves n_ubatch x n_vocab x 4 bytes
        params.swa_full = False  # rollbacks are guarded by pos_min and checkpoints, see cache.py
        params.flash_attn_type = _FLASH[options.flash_attention]
        params.type_k = params.type_v = _KV_TYPES[options.kv_type]
        context = L.llama_init_from_model(self._model, params)
        if not context:
            raise _context_error(params.n_ctx, options)
        return context


def _raise_when(cancelled: bool) -> None:
    if cancelled:
        raise LoadCancelledError


def _gpu_layers(options: LoadOptions, path: Path) -> int:
    """Return how many layers go to the devices; ``auto`` fills their free memory in proportion to the file."""
    wanted = options.gpu_layers
    if isinstance(wanted, int):
        return wanted
    if wanted == "none" or not L.llama_supports_gpu_offload():
        return 0
    if wanted == "all":
        return _ALL_LAYERS
    free_bytes = sum(device.free_bytes for device in devices() if device.kind in ("gpu", "integrated"))
    share = 0.85 * free_bytes / max(path.stat().st_size, 1)  # 15 % for cache and compute buffers
    return _ALL_LAYERS if share >= 1 else int(share * _block_count(path))


def _block_count(path: Path) -> int:
    params = L.llama_model_default_params()
    params.no_alloc, params.load_mode = True, L.LLAMA_LOAD_MODE_NONE
    model = L.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        return 0
    count = int(L.llama_model_n_layer(model))
    L.llama_model_free(model)
    return count


def _is_memory(causes: list[str]) -> bool:
    return any(word in cause.lower() for cause in causes for word in _MEMORY_WORDS)


def _load_error(path: Path) -> EngineError:
    causes = log.errors()
    if _is_memory(causes):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"There is not enough memory to load {path.name}.",
            hint="Close other models or choose a smaller quantization.",
            detail="\n".join(causes),
        )
    causes = [cause for cause in causes if cause not in ("failed to load model", "error loading model")]
    cause = next((c for c in causes if "error loading model" in c), causes[0] if causes else "")
    cause = cause.removeprefix("error loading model: ").removeprefix("error loading model ")
    return EngineError(
        ErrorKind.LOAD_FAILED,
        f"{path.name} cannot be loaded: {cause or 'llama.cpp gave no reason'}.".replace("..", "."),
        hint="Download the file again, or choose another model.",
        detail="\n".join(causes),
    )


def _context_error(n_ctx: int, options: LoadOptions) -> EngineError:
    causes = log.errors()
    if _is_memory(causes):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"There is not enough memory for a context of {n_ctx:,} tokens.",
            hint="Choose a smaller context or a smaller cache type.",
            detail="\n".join(causes),
        )
    return EngineError(
        ErrorKind.LOAD_FAILED,
        f"A context of {n_ctx:,} tokens with a {options.kv_type} cache cannot be made: "
        f"{causes[-1] if causes else 'llama.cpp gave no reason'}.",
        hint="Choose other lane settings.",
        detail="\n".join(causes),
    )
