"""The weights of a model: loading with progress and cancel, onto devices, the native cause of a failure."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.chat.options import LoadOptions
from playground.engines.llama import devices, failures
from playground.engines.llama.library import L
from playground.engines.protocol import Placement
from playground.errors import EngineError, ErrorKind

_SPLIT_MODES = {
    "layer": L.LLAMA_SPLIT_MODE_LAYER,
    "row": L.LLAMA_SPLIT_MODE_ROW,
    "none": L.LLAMA_SPLIT_MODE_NONE,
}
_EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"
OnProgress = Callable[[float], None]


class LoadCancelledError(Exception):
    """Loading was stopped on request."""


class _Override(ctypes.Structure):
    """``llama_model_tensor_buft_override``: tensors by pattern and where they go."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class Model:
    """The weights and vocabulary of one file. ``native`` and ``vocab`` are opaque.

    Raises EngineError, or LoadCancelledError.
    """

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        placement: Placement,
        *,
        load_mtp: bool = False,
        on_progress: OnProgress,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self.path = path
        self._kept: list[Any] = []  # what the native side points to
        if not path.is_file():
            raise EngineError(ErrorKind.NOT_FOUND, f"There is no file {path}.", hint="Check the path.")
        params = self._params(options, placement, load_mtp)

        @L.llama_progress_callback  # type: ignore[untyped-decorator]
        def progress(fraction: float, _user_data: object) -> bool:
            on_progress(fraction)
            return not is_cancelled()

        params.progress_callback = progress
        self.native = L.llama_model_load_from_file(str(path).encode(), params)
        if not self.native:
            if is_cancelled():
                raise LoadCancelledError
            raise failures.load_error(path, on_devices=bool(placement.gpu_layers))
        self.vocab = L.llama_model_get_vocab(self.native)
        self._read_traits()

    def _read_traits(self) -> None:
        native = self.native
        self.n_ctx_train = int(L.llama_model_n_ctx_train(native))
        self.n_layers = int(L.llama_model_n_layer(native))
        self.n_vocab = int(L.llama_vocab_n_tokens(self.vocab))
        self.n_swa = int(L.llama_model_n_swa(native))
        self.mtp_layers = int(L.llama_model_n_layer_nextn(native))
        self.is_recurrent = bool(L.llama_model_is_hybrid(native) or L.llama_model_is_recurrent(native))

    def refuse_what_cannot_answer(self) -> None:
        """Raise EngineError for a model that does not write text token by token."""
        native = self.native
        decodes = L.llama_model_has_decoder(native) and not L.llama_model_has_encoder(native)
        arch = self.metadata("general.architecture")
        embeds = self.metadata(f"{arch}.pooling_type") not in ("", "0", "4294967295", "-1")
        embeds = embeds or self.metadata(f"{arch}.attention.causal") in ("false", "0")
        if not decodes or embeds or L.llama_model_is_diffusion(native):
            what = "is an embedding model" if embeds else "does not generate text token by token"
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"{self.path.name} {what}, so it cannot answer a prompt.",
                hint="Choose a text generation model.",
            )

    def description(self) -> str:
        """Return llama.cpp's own short description."""
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self.native, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def metadata(self, key: str) -> str:
        """Return a value of the file's metadata as text, empty when there is none."""
        buffer = ctypes.create_string_buffer(256)
        size = L.llama_model_meta_val_str(self.native, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def chat_template(self) -> str | None:
        """Return the file's own Jinja template, None for a base model."""
        raw = L.llama_model_chat_template(self.native, None)
        return raw.decode("utf-8", "replace") if raw else None

    def close(self) -> None:
        """Give the weights' memory back."""
        L.llama_model_free(self.native)

    def _params(self, options: LoadOptions, placement: Placement, load_mtp: bool) -> Any:  # noqa: ANN401 -- a ctypes struct
        params = L.llama_model_default_params()
        params.split_mode = _SPLIT_MODES[options.split_mode]
        params.load_mtp = load_mtp
        params.load_mode = _load_mode(options)
        found = devices.find(placement.devices) if placement.gpu_layers else []
        params.n_gpu_layers = placement.gpu_layers if found else 0
        array = (ctypes.c_void_p * (len(found) + 1))(*found, None)  # an empty list: the CPU alone
        params.devices = ctypes.cast(array, ctypes.c_void_p)
        params.main_gpu = min(options.main_gpu, max(len(found) - 1, 0))
        split = (ctypes.c_float * max(int(L.llama_max_devices()), len(found)))()
        for index, share in enumerate(placement.tensor_split[: len(split)]):
            split[index] = share
        if placement.tensor_split:
            params.tensor_split = ctypes.cast(split, ctypes.POINTER(ctypes.c_float))
        overrides = _expert_overrides(placement.cpu_expert_layers)
        if overrides is not None:
            params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
        self._kept += [array, split, overrides]
        return params


def _load_mode(options: LoadOptions) -> int:
    if options.mlock:
        return int(L.LLAMA_LOAD_MODE_MMAP_MLOCK if options.mmap else L.LLAMA_LOAD_MODE_MLOCK)
    return int(L.LLAMA_LOAD_MODE_MMAP if options.mmap else L.LLAMA_LOAD_MODE_NONE)


def _expert_overrides(layers: int) -> Any:  # noqa: ANN401 -- a ctypes array or None
    """Return what keeps the experts of the first layers on the CPU, ended by an empty entry."""
    if not layers:
        return None
    numbers = "|".join(str(layer) for layer in range(layers))
    pattern = rf"blk\.({numbers}){_EXPERTS}".encode()
    return (_Override * 2)(_Override(pattern, devices.cpu_buffer_type()), _Override(None, None))
