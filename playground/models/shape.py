"""What the memory formulas need of a model, read from its header. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from playground.models.gguf import ArrayInfo, GgufHeader, whole_number

_MOST_LAYERS = 4096
_DEFAULT_INTERVAL = 4
_PARTS = ("key", "value")
_FULL_EVERY = {
    "gemma3": 6,
    "gpt-oss": 2,
    "gemma2": 2,
    "cohere2": 4,
}  # every n-th layer sees the whole context


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's dimensions. ``kv_floats``, ``is_recurrent`` and ``is_windowed`` are per layer.

    ``layers`` does without the ``mtp_layers`` behind them, which predict further tokens and are loaded on request.
    ``kv_floats``: numbers per token in the cache's keys and in its values; none where another layer's cache is read.
    ``activations``: floats per token of the widest part of a layer.
    """

    layers: int
    mtp_layers: int
    heads: int
    kv_floats: tuple[tuple[int, int], ...]
    is_recurrent: tuple[bool, ...]
    is_windowed: tuple[bool, ...]
    window: int
    embedding: int
    activations: int
    vocabulary: int
    recurrent_floats: int

    @property
    def all_layers(self) -> int:
        """Return the layers as llama.cpp counts them, without the output layer."""
        return self.layers + self.mtp_layers


def layer_of(tensor_name: str) -> int | None:
    """Return the number of the layer that a tensor belongs to, None for one outside the layers."""
    parts = tensor_name.split(".")
    is_layer = parts[0] == "blk" and len(parts) > 1 and parts[1].isdigit()
    return int(parts[1]) if is_layer else None


def shape_of(header: GgufHeader) -> Shape:
    """Return a model's dimensions; what its header does not say counts as nothing."""
    blocks = max(0, min(header.number("block_count"), _MOST_LAYERS))
    mtp_layers = min(max(0, header.number("nextn_predict_layers")), blocks)
    layers = blocks - mtp_layers
    heads = max(1, header.number("attention.head_count", 1))
    embedding = header.number("embedding_length")
    window = header.number("attention.sliding_window")
    inner = header.number("ssm.inner_size")
    interval = max(1, header.number("full_attention_interval", _DEFAULT_INTERVAL))
    channels = inner + 2 * header.number("ssm.group_count") * header.number("ssm.state_size")
    windowed = _windowed(header, layers, window)
    convolution = max(0, header.number("ssm.conv_kernel", 1) - 1) * channels if inner else 0
    return Shape(
        layers=layers,
        mtp_layers=mtp_layers,
        heads=heads,
        kv_floats=_kv_floats(header, blocks, layers, windowed),
        is_recurrent=tuple(bool(inner) and (layer + 1) % interval != 0 for layer in range(layers)),
        is_windowed=windowed,
        window=window,
        embedding=embedding,
        activations=max(_feed_forward(header, embedding), 4 * channels if inner else 0),
        vocabulary=_vocabulary(header),
        recurrent_floats=max(0, convolution + header.number("ssm.state_size") * inner),
    )


def _feed_forward(header: GgufHeader, embedding: int) -> int:
    """Return the floats per token of the feed-forward part: dense, or of the experts that a token uses."""
    wide = header.number("feed_forward_length")
    used = header.number("expert_used_count")
    is_dense = any(tensor.name.endswith("ffn_down.weight") for tensor in header.tensors)
    dense = 3 * wide + 4 * embedding if is_dense or not used else 0
    if not used:
        return dense
    expert = header.number("expert_feed_forward_length", wide)
    return max(dense, used * 3 * expert + 9 * embedding // 2, used * 2 * embedding + 3 * embedding)


def _kv_floats(
    header: GgufHeader, blocks: int, layers: int, windowed: tuple[bool, ...]
) -> tuple[tuple[int, int], ...]:
    """Return the numbers per token that each layer keeps, as keys and as values (llama-kv-cache.cpp).

    Layers that see a window may have heads of another length. The last ``shared_kv_layers`` read the caches of
    earlier ones. Attention with latent keys and values (MLA) keeps no values.
    """
    heads = max(1, header.number("attention.head_count", 1))
    default = header.number("embedding_length") // heads
    full = [header.number(f"attention.{part}_length", default) for part in _PARTS]
    near = [
        header.number(f"attention.{part}_length_swa", length)
        for part, length in zip(_PARTS, full, strict=True)
    ]
    own = layers - header.number("attention.shared_kv_layers")
    is_latent = all(header.number(f"attention.{part}_length_mla") for part in _PARTS)
    found = []
    for layer, kv_heads in enumerate(_kv_heads(header, blocks, heads)):
        keys, values = near if layer < layers and windowed[layer] else full
        is_shared = own <= layer < layers
        floats = (max(0, kv_heads * keys), 0 if is_latent else max(0, kv_heads * values))
        found.append((0, 0) if is_shared else floats)
    return tuple(found)


def _kv_heads(header: GgufHeader, layers: int, heads: int) -> tuple[int, ...]:
    value = header.metadata.get(f"{header.arch}.attention.head_count_kv", heads)
    if isinstance(value, list):
        numbers = [whole_number(item, heads) for item in value]
        return tuple((numbers + [heads] * layers)[:layers])
    return (whole_number(value, heads),) * layers


def _windowed(header: GgufHeader, layers: int, window: int) -> tuple[bool, ...]:
    pattern = header.metadata.get(f"{header.arch}.attention.sliding_window_pattern")
    if window and isinstance(pattern, list):
        return tuple(bool(pattern[layer]) if layer < len(pattern) else False for layer in range(layers))
    every = pattern if isinstance(pattern, int) and pattern > 0 else _FULL_EVERY.get(header.arch, 0)
    return tuple(bool(window) and every > 0 and layer % every < every - 1 for layer in range(layers))


def _vocabulary(header: GgufHeader) -> int:
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if isinstance(tokens, ArrayInfo):
        return tokens.count
    return len(tokens) if isinstance(tokens, list) else header.number("vocab_size")
