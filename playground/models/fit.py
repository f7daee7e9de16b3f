"""How much memory a model needs, from its header alone. Pure functions.

Formulas follow llama.cpp's own buffers (llama-kv-cache.cpp, llama-memory-recurrent.cpp, llama-context.cpp) for
one sequence, ``swa_full=False`` and ``n_outputs_max=1``; against its dry run the cache figures are exact and
the compute figure is within about 15 %.
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
    header: GgufHeader, *, n_ctx: int, kv_type: str = "f16", n_ubatch: int = BATCH_TOKENS
) -> MemoryEstimate:
    """Return the memory for a context of ``n_ctx`` tokens with a cache of type ``kv_type``."""
    shape = _shape(header)
    full = _padded(n_ctx)
    windowed = min(full, _padded(shape.window + n_ubatch))
    kv = 0
    for layer in range(shape.layers):
        if shape.is_recurrent[layer]:
            continue
        cells = windowed if shape.is_windowed[layer] else full
        heads = shape.kv_heads[layer]
        kv += cells * (
            _cache_bytes(heads * shape.key_length, kv_type)
            + _cache_bytes(heads * shape.value_length, kv_type)
        )
    masks = (
        n_ubatch * 2 * ((0 if all(shape.is_windowed) else full) + (windowed if any(shape.is_windowed) else 0))
    )
    activations = n_ubatch * 4 * (3 * shape.feed_forward + 4 * shape.embedding)
    logits = shape.vocabulary * 4 + 2 * n_ubatch * shape.embedding * 4
    return MemoryEstimate(
        weights_bytes=_weights(header, shape.layers),
        kv_bytes=kv,
        recurrent_bytes=sum(shape.is_recurrent) * shape.recurrent_floats * 4,
        compute_bytes=max(masks + activations, logits),
    )


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
    total = 0
    for tensor in header.tensors:
        parts = tensor.name.split(".")
        is_extra = parts[0] == "blk" and len(parts) > 1 and parts[1].isdigit() and int(parts[1]) >= layers
        total += 0 if is_extra else tensor.size_bytes
    return total


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
