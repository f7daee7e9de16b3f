"""Gemma 4 as headers: heads of two lengths, a number of them for each layer, and layers that read another one's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playground.models.gguf import GgufHeader
from tests.support.big_shapes import F32, Q8_0, Tensor, with_tensors

_VOCABULARY = 262_144
_FULL, _NEAR = 512, 256


@dataclass(frozen=True, slots=True)
class Gemma4:
    """A dense one. ``kv_heads``: of a layer that sees all, and of one that sees a window; every sixth layer sees all."""

    layers: int
    embedding: int
    heads: int
    kv_heads: tuple[int, int]
    feed_forward: int
    window: int = 1024
    shared: int = 0

    def is_windowed(self, layer: int) -> bool:
        """Return whether a layer sees a window only."""
        return (layer + 1) % 6 != 0


GEMMA4_12B = Gemma4(48, 3840, 16, (1, 8), 15_360)
GEMMA4_31B = Gemma4(60, 5376, 32, (4, 16), 21_504)
GEMMA4_SHARED = Gemma4(42, 2560, 8, (2, 2), 10_240, window=512, shared=18)


def header(model: Gemma4) -> GgufHeader:
    """Return the header that a file of this shape would have."""
    windowed = [model.is_windowed(layer) for layer in range(model.layers)]
    numbers: dict[str, object] = {
        "context_length": 131_072,
        "embedding_length": model.embedding,
        "block_count": model.layers,
        "feed_forward_length": model.feed_forward,
        "attention.head_count": model.heads,
        "attention.head_count_kv": [model.kv_heads[near] for near in windowed],
        "attention.key_length": _FULL,
        "attention.value_length": _FULL,
        "attention.key_length_swa": _NEAR,
        "attention.value_length_swa": _NEAR,
        "attention.sliding_window": model.window,
        "attention.sliding_window_pattern": windowed,
        "attention.shared_kv_layers": model.shared,
        "embedding_length_per_layer_input": 0,
        "rope.dimension_count": _FULL,
        "rope.dimension_count_swa": _NEAR,
    }
    metadata: dict[str, object] = {"general.architecture": "gemma4"}
    metadata |= {f"gemma4.{key}": value for key, value in numbers.items()}
    return with_tensors(metadata, _VOCABULARY, _tensors(model))


def _tensors(model: Gemma4) -> Iterator[Tensor]:
    yield "token_embd.weight", (model.embedding, _VOCABULARY), Q8_0
    yield "output_norm.weight", (model.embedding,), F32
    yield "rope_freqs.weight", (_FULL // 2,), F32
    for layer in range(model.layers):
        yield from ((f"blk.{layer}.{name}.weight", shape, kind) for name, shape, kind in _layer(model, layer))


def _layer(model: Gemma4, layer: int) -> Iterator[Tensor]:
    near = model.is_windowed(layer)
    length, wide = (_NEAR if near else _FULL), model.embedding
    query, keys = model.heads * length, model.kv_heads[near] * length
    for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
        yield name, (wide,), F32
    for name in ("attn_q_norm", "attn_k_norm"):
        yield name, (length,), F32
    yield "attn_q", (wide, query), Q8_0
    yield "attn_k", (wide, keys), Q8_0
    yield "attn_v", (wide, keys), Q8_0
    yield "attn_output", (query, wide), Q8_0
    yield "ffn_gate", (wide, model.feed_forward), Q8_0
    yield "ffn_up", (wide, model.feed_forward), Q8_0
    yield "ffn_down", (model.feed_forward, wide), Q8_0
