"""How much memory a model needs, from its header alone. Pure functions.

Formulas follow llama.cpp's own buffers (llama-kv-cache.cpp, llama-memory-recurrent.cpp, llama-context.cpp) for
sequences in one unified cache, ``swa_full=False`` and one output per sequence; against its dry run the cache figures
are exact and the compute figure is within about 15 %.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.models.gguf import ArrayInfo, GgufHeader

BATCH_TOKENS = 512
_CELL_STEP = 256
_KV_BLOCKS = {
    "auto": (2, 1), "f16": (2, 1), "bf16": (2, 1), "q8_0": (34, 32), "q5_1": (24, 32), "q5_0": (22, 32), "q4_1": (20, 32),
    "q4_0": (18, 32),
}  # fmt: skip
_FULL_EVERY = {
    "gemma3": 6,
    "gpt-oss": 2,
    "gemma2": 2,
    "cohere2": 4,
}  # every n-th layer sees the whole context
_DEFAULT_INTERVAL = 4


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes. Only the weights may stay in the file (memory mapping); the rest is the process's own."""

    weights_bytes: int
    kv_bytes: int
    recurrent_bytes: int
    compute_bytes: int

    @property
    def private_bytes(self) -> int:
        """Return what cannot be given back to the file."""
        return self.kv_bytes + self.recurrent_bytes + self.compute_bytes

    @property
    def total_bytes(self) -> int:
        """Return everything."""
        return self.weights_bytes + self.private_bytes


@dataclass(frozen=True, slots=True)
class LayerNeed:
    """Bytes of one layer: its weights, those of its experts among them, and its part of the cache."""

    weights_bytes: int
    experts_bytes: int
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the formulas need of a model. ``kv_heads``, ``is_recurrent`` and ``is_windowed`` are per layer."""

    layers: int
    kv_heads: tuple[int, ...]
    is_recurrent: tuple[bool, ...]
    is_windowed: tuple[bool, ...]
    window: int
    key_length: int
    value_length: int
    embedding: int
    feed_forward: int
    vocabulary: int
    recurrent_floats: int


def estimate(
    header: GgufHeader, *, n_ctx: int, kv_type: str = "f16", n_ubatch: int = BATCH_TOKENS, sequences: int = 1
) -> MemoryEstimate:
    """Return the memory for a context of ``n_ctx`` tokens with a cache of type ``kv_type``."""
    shape = _shape(header)
    full, windowed = _cells(shape, n_ctx, n_ubatch, sequences)
    masks = (
        n_ubatch * 2 * ((0 if all(shape.is_windowed) else full) + (windowed if any(shape.is_windowed) else 0))
    )
    activations = n_ubatch * 4 * (3 * shape.feed_forward + 4 * shape.embedding)
    logits = sequences * shape.vocabulary * 4 + 2 * n_ubatch * shape.embedding * 4
    return MemoryEstimate(
        weights_bytes=_weights(header, shape.layers),
        kv_bytes=sum(_kv_bytes(shape, layer, full, windowed, kv_type) for layer in range(shape.layers)),
        recurrent_bytes=sum(shape.is_recurrent) * shape.recurrent_floats * 4 * sequences,
        compute_bytes=max(masks + activations, logits),
    )


def layer_needs(
    header: GgufHeader, *, n_ctx: int, kv_type: str = "f16", sequences: int = 1
) -> tuple[LayerNeed, ...]:
    """Return the memory of each layer, first to last, and behind them of the output layer.

    As in llama.cpp, the output layer counts as one more. Tied embeddings are copied for it.
    """
    shape = _shape(header)
    full, windowed = _cells(shape, n_ctx, BATCH_TOKENS, sequences)
    weights, experts = [0] * (shape.layers + 1), [0] * (shape.layers + 1)
    embedding = 0
    has_output = False
    for tensor in header.tensors:
        layer = _layer_of(tensor.name)
        if layer is not None and layer < shape.layers:
            weights[layer] += tensor.size_bytes
            experts[layer] += tensor.size_bytes if "_exps" in tensor.name else 0
        elif tensor.name.startswith("output"):
            weights[-1] += tensor.size_bytes
            has_output = has_output or tensor.name == "output.weight"
        elif tensor.name == "token_embd.weight":
            embedding = tensor.size_bytes
    weights[-1] += 0 if has_output else embedding
    recurrent = shape.recurrent_floats * 4 * sequences
    caches = [
        recurrent if shape.is_recurrent[layer] else _kv_bytes(shape, layer, full, windowed, kv_type)
        for layer in range(shape.layers)
    ]
    return tuple(LayerNeed(*parts) for parts in zip(weights, experts, [*caches, 0], strict=True))


def _cells(shape: _Shape, n_ctx: int, n_ubatch: int, sequences: int) -> tuple[int, int]:
    """Return the cells of a layer that sees the whole context, and of one that sees a window."""
    full = _padded(n_ctx)
    return full, min(full, _padded(shape.window * sequences + n_ubatch))


def _kv_bytes(shape: _Shape, layer: int, full: int, windowed: int, kv_type: str) -> int:
    if shape.is_recurrent[layer]:
        return 0
    cells, heads = windowed if shape.is_windowed[layer] else full, shape.kv_heads[layer]
    key, value = heads * shape.key_length, heads * shape.value_length
    return cells * (_cache_bytes(key, kv_type) + _cache_bytes(value, kv_type))


def _layer_of(name: str) -> int | None:
    parts = name.split(".")
    is_layer = parts[0] == "blk" and len(parts) > 1 and parts[1].isdigit()
    return int(parts[1]) if is_layer else None


def largest_context(header: GgufHeader, free_bytes: int, kv_type: str = "f16") -> int:
    """Return the largest context, tokens in steps of 256, whose private memory fits; 0 when none does."""
    low, high = 0, max(_CELL_STEP, header.number("context_length", 8192)) // _CELL_STEP
    while low < high:
        middle = (low + high + 1) // 2
        fits = estimate(header, n_ctx=middle * _CELL_STEP, kv_type=kv_type).private_bytes <= free_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * _CELL_STEP


def _padded(tokens: int) -> int:
    return -(-tokens // _CELL_STEP) * _CELL_STEP


def _cache_bytes(values: int, kv_type: str) -> int:
    block_bytes, block_values = _KV_BLOCKS[kv_type]
    return values * block_bytes // block_values


def _weights(header: GgufHeader, layers: int) -> int:
    """Sum the tensors, without the layers behind the last one (multi-token prediction) that are not loaded."""
    extra = (_layer_of(tensor.name) for tensor in header.tensors)
    return sum(
        tensor.size_bytes
        for tensor, layer in zip(header.tensors, extra, strict=True)
        if layer is None or layer < layers
    )


def _shape(header: GgufHeader) -> _Shape:
    layers = max(0, min(header.number("block_count"), 4096) - header.number("nextn_predict_layers"))
    heads = max(1, header.number("attention.head_count", 1))
    embedding = header.number("embedding_length")
    window = header.number("attention.sliding_window")
    inner = header.number("ssm.inner_size")
    interval = max(1, header.number("full_attention_interval", _DEFAULT_INTERVAL))
    state, groups = header.number("ssm.state_size"), header.number("ssm.group_count")
    convolution = max(0, header.number("ssm.conv_kernel", 1) - 1) * (inner + 2 * groups * state)
    return _Shape(
        layers=layers,
        kv_heads=_kv_heads(header, layers, heads),
        is_recurrent=tuple(bool(inner) and (layer + 1) % interval != 0 for layer in range(layers)),
        is_windowed=_windowed(header, layers, window),
        window=window,
        key_length=header.number("attention.key_length", embedding // heads),
        value_length=header.number("attention.value_length", embedding // heads),
        embedding=embedding,
        feed_forward=header.number("feed_forward_length"),
        vocabulary=_vocabulary(header),
        recurrent_floats=convolution + state * inner,
    )


def _kv_heads(header: GgufHeader, layers: int, heads: int) -> tuple[int, ...]:
    value = header.metadata.get(f"{header.arch}.attention.head_count_kv", heads)
    if isinstance(value, list):
        numbers = [int(item) if isinstance(item, (int, float)) else heads for item in value]
        return tuple((numbers + [heads] * layers)[:layers])
    return (int(value) if isinstance(value, (int, float)) else heads,) * layers


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
