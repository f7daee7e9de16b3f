"""The catalog's numbers of a model as a header, so that one set of formulas serves all. Pure."""

from __future__ import annotations

from playground.models.catalog.catalog_values import Numbers
from playground.models.gguf import ArrayInfo, GgufHeader

_STRING = 8
_STATE = 128


def header_of(numbers: Numbers) -> GgufHeader:
    """Return a header without tensors whose cache, states and buffers come out as the numbers say.

    Layers without a cache have recurrent states, or else read another layer's cache.
    """
    arch = numbers.arch
    has_states = numbers.state_bytes > 0 and numbers.kv_layers < numbers.layers
    found: dict[str, int | list[int] | list[bool]] = {
        "context_length": numbers.n_ctx_train,
        "embedding_length": numbers.embedding,
        "block_count": numbers.layers,
        "feed_forward_length": numbers.feed_forward or 3 * numbers.embedding,
        "attention.head_count": numbers.heads or numbers.kv_heads,
        "attention.head_count_kv": numbers.kv_heads if has_states else _kv_heads(numbers),
        "attention.key_length": numbers.key_length,
        "attention.value_length": numbers.value_length,
        "attention.key_length_swa": numbers.window_key_length or numbers.key_length,
        "attention.value_length_swa": numbers.window_value_length or numbers.value_length,
        "attention.sliding_window": numbers.window if numbers.window_layers else 0,
        "attention.sliding_window_pattern": _windowed(numbers),
        "expert_count": numbers.experts,
        "expert_used_count": numbers.experts_used,
        "expert_feed_forward_length": numbers.expert_feed_forward,
    }
    if has_states:
        found |= _states(numbers)
    metadata: dict[str, object] = {"general.architecture": arch}
    metadata |= {f"{arch}.{key}": value for key, value in found.items()}
    metadata["tokenizer.ggml.tokens"] = ArrayInfo(numbers.vocabulary, _STRING)
    return GgufHeader(3, metadata, (), 0, 0)


def _windowed(numbers: Numbers) -> list[bool]:
    """Return which layers see a window: the others are spread evenly, as in all models that have both."""
    caches = max(1, numbers.kv_layers)
    full = caches - min(numbers.window_layers, caches)
    return [(n + 1) * full // caches == n * full // caches for n in range(numbers.kv_layers)] + [False] * (
        numbers.layers - numbers.kv_layers
    )


def _kv_heads(numbers: Numbers) -> list[int]:
    near = numbers.window_kv_heads or numbers.kv_heads
    heads = [near if is_near else numbers.kv_heads for is_near in _windowed(numbers)]
    return heads[: numbers.kv_layers] + [0] * (numbers.layers - numbers.kv_layers)


def _states(numbers: Numbers) -> dict[str, int]:
    """Return the recurrent layers' keys; every n-th layer keeps a cache, and no part is a convolution's."""
    layers = numbers.layers - numbers.kv_layers
    return {
        "full_attention_interval": max(1, numbers.layers // max(1, numbers.kv_layers)),
        "ssm.conv_kernel": 1,
        "ssm.state_size": _STATE,
        "ssm.group_count": 0,
        "ssm.inner_size": round(numbers.state_bytes / (4 * layers * _STATE)),
    }
