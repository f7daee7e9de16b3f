"""A tensor table for a model of which only the metadata is known: a remote header, or the catalog's numbers. Pure.

The size of the files is given. It is shared out by the number of weights that each part has, as if all had the same
bits: so the sum is exact, and a layer's part is rough. What the metadata does not say counts as nothing.
"""

from __future__ import annotations

from dataclasses import replace

from playground.models.gguf import GgufHeader, TensorInfo
from playground.models.shape import Shape, shape_of

_F16 = 1
_EXPERTS = "ffn_down_exps.weight"
_DENSE = "ffn_down.weight"


def weighed(header: GgufHeader, size_bytes: int) -> GgufHeader:
    """Return a header with tensors; one that has them comes back as it is.

    The output layer counts as a copy of the embedding, as in small models. Where it is one of its own, a device needs
    less than is reckoned, by as much as the embedding takes.
    """
    if header.tensors:
        return header
    parts = _parts(header, shape_of(header))
    total = sum(parts.values()) or 1
    found, given = [], 0
    for name, weights in parts.items():
        share = max(0, size_bytes) * weights // total
        given += share
        found.append(TensorInfo(name, (weights,), _F16, 0, share))
    if found:
        last = found[-1]
        found[-1] = replace(last, size_bytes=last.size_bytes + max(0, size_bytes) - given)
    return replace(header, tensors=tuple(found), file_bytes=size_bytes)


def _parts(header: GgufHeader, shape: Shape) -> dict[str, int]:
    """Return how many weights each part has. Prediction layers count like the others."""
    embedding, experts = shape.embedding, header.number("expert_count")
    dense_layers = header.number("leading_dense_block_count")
    wide = header.number("feed_forward_length")
    expert = header.number("expert_feed_forward_length", wide)
    shared = header.number("expert_shared_feed_forward_length", expert * header.number("expert_shared_count"))
    found = {"token_embd.weight": max(0, shape.vocabulary * embedding)}
    for layer in range(shape.all_layers):
        has_experts = experts > 0 and layer >= dense_layers
        rest = _mixing(header, shape, layer) + 3 * embedding * (shared if has_experts else wide)
        found[f"blk.{layer}.{_DENSE if not has_experts else 'attn_output.weight'}"] = max(1, rest)
        if has_experts:
            found[f"blk.{layer}.{_EXPERTS}"] = max(1, 3 * embedding * expert * experts)
    return found


def _mixing(header: GgufHeader, shape: Shape, layer: int) -> int:
    """Return the weights of a layer's attention, or of what it has in its place."""
    if layer < shape.layers and shape.is_recurrent[layer]:
        inner = header.number("ssm.inner_size")
        return shape.embedding * (
            3 * inner + 2 * header.number("ssm.group_count") * header.number("ssm.state_size")
        )
    keys, values = shape.kv_floats[layer]
    query = shape.heads * header.number("attention.key_length", shape.embedding // shape.heads)
    return shape.embedding * (2 * query + keys + values)
