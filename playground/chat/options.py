"""How a model is loaded and how its tokens are drawn: plain values with their limits. Knows no other room."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

FlashAttention = Literal["auto", "on", "off"]
KvType = Literal["f16", "q8_0", "q4_0"]
GpuLayers = Literal["auto", "none", "all"] | Annotated[int, msgspec.Meta(ge=0)]


class LoadOptions(msgspec.Struct, frozen=True):
    """How a model is loaded. ``None`` leaves the choice to the app.

    ``n_ctx``: tokens of context; ``None``: the model's own, at most 8,192.
    ``threads``: the most this lane may use; the app shares the physical cores out and never exceeds them.
    """

    n_ctx: Annotated[int, msgspec.Meta(ge=8)] | None = None
    gpu_layers: GpuLayers = "auto"
    threads: Annotated[int, msgspec.Meta(ge=1)] | None = None
    flash_attention: FlashAttention = "auto"
    kv_type: KvType = "f16"
    mmap: bool = True


class Sampling(msgspec.Struct, frozen=True):
    """How tokens are drawn. The chain is fixed: top-k, penalties, top-p, min-p, temperature, draw by seed.

    ``top_k`` 0 keeps all tokens; ``temperature`` 0 always takes the likeliest token; a penalty of 1.0 (repeat)
    or 0.0 (presence) is off.
    """

    temperature: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.7
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 40
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    repeat_penalty: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    presence_penalty: Annotated[float, msgspec.Meta(ge=-10, le=10)] = 0.0
    seed: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFE)] = 42


class AnswerOptions(msgspec.Struct, frozen=True):
    """How one answer is made: sampling, its longest length in tokens, stop strings, template arguments."""

    sampling: Sampling = Sampling()
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] = 1024
    stop: tuple[str, ...] = ()
    thinking: bool | None = None  # None: the template's own default; else its keyword ``enable_thinking``
