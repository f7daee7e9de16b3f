"""GLM-4.7-Flash as a header: latent keys without values in the cache (MLA), one dense layer, then experts."""

from __future__ import annotations

from collections.abc import Iterator

from playground.models.gguf import GgufHeader
from tests.support.big_shapes import F32, Q8_0, Tensor, with_tensors

_LAYERS, _WIDE, _HEADS, _VOCABULARY = 47, 2048, 20, 154_880
_QUERY_RANK, _RANK, _ROPE, _HEAD = 768, 512, 64, 256
_DENSE, _EXPERT, _EXPERTS = 10_240, 1536, 64


def header() -> GgufHeader:
    """Return the header that a file of this shape would have."""
    numbers: dict[str, object] = {
        "context_length": 202_752,
        "embedding_length": _WIDE,
        "block_count": _LAYERS,
        "feed_forward_length": _DENSE,
        "attention.head_count": _HEADS,
        "attention.head_count_kv": 1,
        "attention.key_length": _RANK + _ROPE,
        "attention.value_length": _RANK,
        "attention.key_length_mla": _HEAD,
        "attention.value_length_mla": _HEAD,
        "attention.q_lora_rank": _QUERY_RANK,
        "attention.kv_lora_rank": _RANK,
        "rope.dimension_count": _ROPE,
        "leading_dense_block_count": 1,
        "expert_count": _EXPERTS,
        "expert_used_count": 4,
        "expert_shared_count": 1,
        "expert_feed_forward_length": _EXPERT,
        "expert_gating_func": 2,
    }
    metadata: dict[str, object] = {"general.architecture": "deepseek2"}
    metadata |= {f"deepseek2.{key}": value for key, value in numbers.items()}
    return with_tensors(metadata, _VOCABULARY, _tensors())


def _tensors() -> Iterator[Tensor]:
    yield "token_embd.weight", (_WIDE, _VOCABULARY), Q8_0
    yield "output.weight", (_WIDE, _VOCABULARY), Q8_0
    yield "output_norm.weight", (_WIDE,), F32
    for layer in range(_LAYERS):
        parts = {**_attention(), **(_experts() if layer else _dense())}
        for name, shape in parts.items():
            yield f"blk.{layer}.{name}.weight", shape, F32 if len(shape) == 1 else Q8_0


def _attention() -> dict[str, tuple[int, ...]]:
    return {
        "attn_norm": (_WIDE,),
        "ffn_norm": (_WIDE,),
        "attn_q_a": (_WIDE, _QUERY_RANK),
        "attn_q_a_norm": (_QUERY_RANK,),
        "attn_q_b": (_QUERY_RANK, _HEADS * _HEAD),
        "attn_kv_a_mqa": (_WIDE, _RANK + _ROPE),
        "attn_kv_a_norm": (_RANK,),
        "attn_k_b": (_HEAD - _ROPE, _RANK, _HEADS),
        "attn_v_b": (_RANK, _HEAD, _HEADS),
        "attn_output": (_HEADS * _HEAD, _WIDE),
    }


def _dense() -> dict[str, tuple[int, ...]]:
    return {"ffn_gate": (_WIDE, _DENSE), "ffn_up": (_WIDE, _DENSE), "ffn_down": (_DENSE, _WIDE)}


def _experts() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {"ffn_gate_inp": (_WIDE, _EXPERTS)}
    for part, shape in {"gate": (_WIDE, _EXPERT), "up": (_WIDE, _EXPERT), "down": (_EXPERT, _WIDE)}.items():
        found[f"ffn_{part}_exps"] = (*shape, _EXPERTS)
        found[f"ffn_{part}_shexp"] = shape
    return found
