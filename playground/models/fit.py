"""How much memory a model needs, from its header alone. Pure functions.

Formulas follow llama.cpp's own buffers (llama-kv-cache.cpp, llama-memory-recurrent.cpp, llama-context.cpp) for
sequences in one unified cache, ``swa_full=False`` and one output per sequence. Against its dry run the figures of
weights, cache and recurrent states are exact; the compute figure is within 20 % or 2 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.models.gguf import GgufHeader
from playground.models.shape import Shape, layer_of, shape_of

BATCH_TOKENS = 512
_CELL_STEP = 256
_KV_BLOCKS = {
    "auto": (2, 1), "f16": (2, 1), "bf16": (2, 1), "q8_0": (34, 32), "q5_1": (24, 32), "q5_0": (22, 32), "q4_1": (20, 32),
    "q4_0": (18, 32),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContextNeeds:
    """What is asked of a context. ``draft_tokens``: how many are drafted at a time, 0: none are.

    ``mtp``: they are drafted by the model's own prediction layers.
    """

    n_ctx: int
    kv_type: str = "f16"
    sequences: int = 1
    flash_attention: bool = True
    draft_tokens: int = 0
    mtp: bool = False

    @property
    def states(self) -> int:
        """Return how many recurrent states are kept: each sequence's, and those that a draft can go back to."""
        return self.sequences * (1 + self.draft_tokens)


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


def estimate(header: GgufHeader, needs: ContextNeeds) -> MemoryEstimate:
    """Return the memory of a model with such a context."""
    shape = shape_of(header)
    caches = _caches(shape, needs)
    recurrent = sum(shape.is_recurrent) * _recurrent_bytes(shape, needs)
    contexts = 2 if needs.mtp and shape.mtp_layers else 1
    return MemoryEstimate(
        weights_bytes=_weights(header, shape.all_layers if needs.mtp else shape.layers),
        kv_bytes=sum(caches) - recurrent,
        recurrent_bytes=recurrent,
        compute_bytes=contexts * _compute_bytes(shape, needs),
    )


def layer_needs(header: GgufHeader, needs: ContextNeeds) -> tuple[LayerNeed, ...]:
    """Return the memory of each layer, first to last, and behind them of the output layer.

    As in llama.cpp, prediction layers count whether they are loaded or not, and the output layer is one more. Tied
    embeddings are copied for it.
    """
    shape = shape_of(header)
    last, loaded = shape.all_layers, shape.all_layers if needs.mtp else shape.layers
    weights, experts = [0] * (last + 1), [0] * (last + 1)
    embedding = 0
    has_output = False
    for tensor in header.tensors:
        layer = layer_of(tensor.name)
        if layer is not None and layer < loaded:
            weights[layer] += tensor.size_bytes
            experts[layer] += tensor.size_bytes if "_exps" in tensor.name else 0
        elif tensor.name.startswith("output"):
            weights[last] += tensor.size_bytes
            has_output = has_output or tensor.name == "output.weight"
        elif tensor.name == "token_embd.weight":
            embedding = tensor.size_bytes
    weights[last] += 0 if has_output else embedding
    caches = [*_caches(shape, needs), 0]
    return tuple(LayerNeed(*parts) for parts in zip(weights, experts, caches, strict=True))


def largest_context(header: GgufHeader, free_bytes: int, needs: ContextNeeds) -> int:
    """Return the largest context, tokens in steps of 256, whose private memory fits; 0 when none does."""
    low, high = 0, max(_CELL_STEP, header.number("context_length", 8192)) // _CELL_STEP
    while low < high:
        middle = (low + high + 1) // 2
        fits = estimate(header, replace(needs, n_ctx=middle * _CELL_STEP)).private_bytes <= free_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * _CELL_STEP


def _caches(shape: Shape, needs: ContextNeeds) -> list[int]:
    """Return the bytes of each layer's cache or recurrent state, of the prediction layers, too."""
    full, windowed = _cells(shape, needs)
    found = []
    for layer in range(shape.layers):
        if shape.is_recurrent[layer]:
            found.append(_recurrent_bytes(shape, needs))
        else:
            found.append(_kv_bytes(shape, layer, windowed if shape.is_windowed[layer] else full, needs))
    behind = range(shape.layers, shape.all_layers)
    return found + [_kv_bytes(shape, layer, full, needs) if needs.mtp else 0 for layer in behind]


def _cells(shape: Shape, needs: ContextNeeds) -> tuple[int, int]:
    """Return the cells of a layer that sees the whole context, and of one that sees a window."""
    full = _padded(needs.n_ctx)
    return full, min(full, _padded(shape.window * needs.sequences + BATCH_TOKENS))


def _kv_bytes(shape: Shape, layer: int, cells: int, needs: ContextNeeds) -> int:
    keys, values = shape.kv_floats[layer]
    if values and not needs.flash_attention:  # then all layers' values are padded to the longest
        values = max(floats for _, floats in shape.kv_floats)
    block_bytes, block_values = _KV_BLOCKS[needs.kv_type]
    return cells * sum(floats * block_bytes // block_values for floats in (keys, values))


def _recurrent_bytes(shape: Shape, needs: ContextNeeds) -> int:
    return shape.recurrent_floats * 4 * needs.states


def _compute_bytes(shape: Shape, needs: ContextNeeds) -> int:
    """Return the buffer of one evaluation: masks and the widest part of a layer, or the logits.

    Without flash attention a head's scores of all cells are kept, and the masks are twice as large.
    """
    full, windowed = _cells(shape, needs)
    masks = (0 if all(shape.is_windowed) else full) + (windowed if any(shape.is_windowed) else 0)
    floats = shape.activations
    if not needs.flash_attention:
        cells = windowed if all(shape.is_windowed) else full
        floats = max(floats, cells * shape.heads + 7 * shape.embedding)
    mask_bytes = 2 if needs.flash_attention else 4
    batch = BATCH_TOKENS * (masks * mask_bytes + floats * 4)
    return max(0, batch, needs.sequences * shape.vocabulary * 4 + 2 * BATCH_TOKENS * shape.embedding * 4)


def _padded(tokens: int) -> int:
    return -(-tokens // _CELL_STEP) * _CELL_STEP


def _weights(header: GgufHeader, layers: int) -> int:
    """Sum the tensors, without the layers from ``layers`` on."""
    found = ((tensor.size_bytes, layer_of(tensor.name)) for tensor in header.tensors)
    return sum(size for size, layer in found if layer is None or layer < layers)
