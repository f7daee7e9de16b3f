"""Models far too large for a test machine, as headers: real shapes, no weights.

``header`` gives what ``read_header`` would; ``write`` makes a file whose weights are a hole, which llama.cpp's dry run
accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import gguf
import numpy as np

from playground.models.gguf import ArrayInfo, GgufHeader, TensorInfo
from playground.models.quants import TENSOR_BLOCKS

F32, Q8_0, IQ2_XXS, MXFP4 = 0, 8, 16, 39
_STRING = 8
_BYTES = np.dtype(np.uint8)
Tensor = tuple[str, tuple[int, ...], int]  # name, sizes from the fastest dimension on, type


@dataclass(frozen=True, slots=True)
class Big:
    """A model's dimensions. ``experts`` 0: a dense one; ``interval`` 0: every layer has attention."""

    arch: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    vocabulary: int
    weight_type: int = Q8_0
    expert_type: int = Q8_0
    experts: int = 0
    experts_used: int = 0
    expert_feed_forward: int = 0
    shared_experts: bool = False
    window: int = 0
    interval: int = 0
    state: int = 128
    key_groups: int = 16
    value_heads: int = 0

    def is_recurrent(self, layer: int) -> bool:
        """Return whether a layer keeps a state instead of a cache."""
        return bool(self.interval) and (layer + 1) % self.interval != 0


GPT_OSS_120B = Big(
    *("gpt-oss", 36, 2880, 64, 8, 64, 2880, 201_088),
    expert_type=MXFP4,
    experts=128,
    experts_used=4,
    expert_feed_forward=2880,
    window=128,
)
QWEN35_397B = Big(
    *("qwen35moe", 60, 4096, 32, 2, 256, 0, 248_320),
    expert_type=IQ2_XXS,
    experts=512,
    experts_used=10,
    expert_feed_forward=1024,
    shared_experts=True,
    interval=4,
    value_heads=64,
)
QWEN36_27B = Big(*("qwen35", 64, 5120, 24, 4, 256, 17_408, 248_320), interval=4, value_heads=48)
GEMMA3_27B = Big(*("gemma3", 62, 5376, 32, 16, 128, 21_504, 262_144), window=1024)


def header(big: Big) -> GgufHeader:
    """Return the header that a file of this shape would have."""
    metadata: dict[str, object] = {"general.architecture": big.arch}
    metadata |= {f"{big.arch}.{key}": value for key, value in _numbers(big).items()}
    return with_tensors(metadata, big.vocabulary, _tensors(big))


def with_tensors(metadata: dict[str, object], vocabulary: int, tensors: Iterable[Tensor]) -> GgufHeader:
    """Return a header with these tensors one behind the other."""
    found, offset = [], 0
    for name, shape, kind in tensors:
        block_bytes, block_weights = TENSOR_BLOCKS[kind]
        size = prod(shape) // block_weights * block_bytes
        found.append(TensorInfo(name, shape, kind, offset, size))
        offset += -(-size // 32) * 32
    tokens = {"tokenizer.ggml.tokens": ArrayInfo(vocabulary, _STRING)}
    return GgufHeader(3, {**metadata, **tokens}, tuple(found), 0, offset)


def write(big: Big, out: Path) -> Path:
    """Write a file with this header. It takes megabytes on a disk that knows holes."""
    return write_header(header(big), out)


def write_header(wanted: GgufHeader, out: Path) -> Path:
    """Write a file of which only the header is there."""
    arch = wanted.arch
    writer = gguf.GGUFWriter(out, arch)
    for key, value in wanted.metadata.items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
    writer.add_float32(f"{arch}.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_array(f"{arch}.rope.dimension_sections", [11, 11, 10, 0])
    vocabulary = wanted.metadata["tokenizer.ggml.tokens"]
    assert isinstance(vocabulary, ArrayInfo)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"{number:x}" for number in range(vocabulary.count)])
    writer.add_token_types([1] * vocabulary.count)
    writer.add_token_merges(["0 1"])
    end = 0
    for tensor in wanted.tensors:
        kind = gguf.GGMLQuantizationType(tensor.type_id)
        sizes = gguf.quant_shape_to_byte_shape(tuple(reversed(tensor.shape)), kind)
        writer.add_tensor_info(tensor.name, sizes, _BYTES, tensor.size_bytes, raw_dtype=kind)
        end = tensor.offset + tensor.size_bytes
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with out.open("r+b") as file:
        file.truncate(out.stat().st_size + 32 + end)
    return out


def _numbers(big: Big) -> dict[str, int]:
    numbers = {
        "context_length": 131_072,
        "embedding_length": big.embedding,
        "block_count": big.layers,
        "feed_forward_length": big.feed_forward,
        "attention.head_count": big.heads,
        "attention.head_count_kv": big.kv_heads,
        "attention.key_length": big.head_size,
        "attention.value_length": big.head_size,
        "rope.dimension_count": 64,
        "attention.sliding_window": big.window,
        "expert_count": big.experts,
        "expert_used_count": big.experts_used,
        "expert_feed_forward_length": big.expert_feed_forward,
        "expert_shared_feed_forward_length": big.expert_feed_forward if big.shared_experts else 0,
    }
    if big.interval:
        numbers |= {
            "ssm.conv_kernel": 4,
            "ssm.inner_size": big.state * big.value_heads,
            "ssm.state_size": big.state,
            "ssm.time_step_rank": big.value_heads,
            "ssm.group_count": big.key_groups,
            "full_attention_interval": big.interval,
        }
    return {key: value for key, value in numbers.items() if value}


def _tensors(big: Big) -> Iterator[Tensor]:
    yield "token_embd.weight", (big.embedding, big.vocabulary), big.weight_type
    yield "output.weight", (big.embedding, big.vocabulary), big.weight_type
    yield "output_norm.weight", (big.embedding,), F32
    for layer in range(big.layers):
        parts = [*_norms(big), *(_recurrent(big) if big.is_recurrent(layer) else _attention(big))]
        parts += _experts(big) if big.experts else _feed_forward(big)
        yield from ((f"blk.{layer}.{name}", shape, kind) for name, shape, kind in parts)


def _norms(big: Big) -> Iterator[Tensor]:
    names = {
        "gemma3": ("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"),
    }.get(big.arch, ("attn_norm", "post_attention_norm"))
    yield from ((f"{name}.weight", (big.embedding,), F32) for name in names)


def _attention(big: Big) -> Iterator[Tensor]:
    query, key = big.heads * big.head_size, big.kv_heads * big.head_size
    gated = 2 if big.interval else 1
    sizes = {"q": (big.embedding, query * gated), "k": (big.embedding, key), "v": (big.embedding, key)}
    sizes["output"] = (query, big.embedding)
    for part, shape in sizes.items():
        yield f"attn_{part}.weight", shape, big.weight_type
        if big.arch == "gpt-oss":
            yield f"attn_{part}.bias", shape[1:], F32
    if big.arch == "gpt-oss":
        yield "attn_sinks.weight", (big.heads,), F32
    else:
        yield from ((f"attn_{part}_norm.weight", (big.head_size,), F32) for part in "qk")


def _recurrent(big: Big) -> Iterator[Tensor]:
    keys, values = big.state * big.key_groups, big.state * big.value_heads
    yield "attn_qkv.weight", (big.embedding, keys * 2 + values), big.weight_type
    yield "attn_gate.weight", (big.embedding, values), big.weight_type
    yield "ssm_conv1d.weight", (4, keys * 2 + values), F32
    yield "ssm_dt.bias", (big.value_heads,), F32
    yield "ssm_a", (big.value_heads,), F32
    yield "ssm_beta.weight", (big.embedding, big.value_heads), big.weight_type
    yield "ssm_alpha.weight", (big.embedding, big.value_heads), big.weight_type
    yield "ssm_norm.weight", (big.state,), F32
    yield "ssm_out.weight", (values, big.embedding), big.weight_type


def _feed_forward(big: Big) -> Iterator[Tensor]:
    for part in ("gate", "up"):
        yield f"ffn_{part}.weight", (big.embedding, big.feed_forward), big.weight_type
    yield "ffn_down.weight", (big.feed_forward, big.embedding), big.weight_type


def _experts(big: Big) -> Iterator[Tensor]:
    wide = big.expert_feed_forward
    sizes = {"gate": (big.embedding, wide), "up": (big.embedding, wide), "down": (wide, big.embedding)}
    yield "ffn_gate_inp.weight", (big.embedding, big.experts), F32
    for part, shape in sizes.items():
        yield f"ffn_{part}_exps.weight", (*shape, big.experts), big.expert_type
        if big.shared_experts:
            yield f"ffn_{part}_shexp.weight", shape, big.weight_type
        elif big.arch == "gpt-oss":
            yield f"ffn_{part}_exps.bias", (shape[1], big.experts), F32
    if big.shared_experts:
        yield "ffn_gate_inp_shexp.weight", (big.embedding,), F32
    else:
        yield "ffn_gate_inp.bias", (big.experts,), F32
