"""Model files with one thing wrong each, by kind of damage. Names say what was done, so that a failure says so, too."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace
from math import prod

from tests.support.broken_gguf import ARRAY, BOOL, F32, STRING, U32, Parts, Tensor, Value, string, text, u32

Mutant = tuple[str, bytes]

# Values at which llama.cpp is known to abort, to divide by zero, or to stop at an assertion.
_DEADLY: dict[str, tuple[int, ...]] = {
    "block_count": (0, 10**6, 2**32 - 1),
    "full_attention_interval": (0,),
    "ssm.inner_size": (0, 7, 10**6),
    "expert_count": (0, 1, 2**20),
    "expert_used_count": (0, 99, 2**31),
    "rope.dimension_count": (1, 99, 2**31 - 1),
}
_HARMLESS_OR_REFUSED: dict[str, tuple[int, ...]] = {
    "context_length": (0, 1, 2**32 - 1),
    "embedding_length": (0, 7, 2**31),
    "feed_forward_length": (0, 2**32 - 1),
    "attention.head_count": (0, 7, 2**32 - 1),
    "attention.head_count_kv": (0, 99),
    "attention.key_length": (0, 7),
    "attention.value_length": (0,),
    "attention.sliding_window": (0, 2**32 - 1),
    "block_count": (1, 7),
    "ssm.conv_kernel": (0, 2**31),
    "ssm.state_size": (0, 99),
    "ssm.group_count": (0, 2**32 - 1),
    "ssm.time_step_rank": (0, 7),
    "expert_feed_forward_length": (0, 2**31),
}
_TYPES = {1: 2, 24: 1, 28: 8, 30: 2}  # half floats, bytes, doubles, brain floats: bytes of each
_FLOATS = (0.0, -1.0, float("nan"), float("inf"))


def hyperparameters(parts: Parts) -> Iterator[Mutant]:
    """Yield files whose numbers make no sense."""
    arch = architecture(parts)
    for table in (_DEADLY, _HARMLESS_OR_REFUSED):
        for name, numbers in table.items():
            key = f"{arch}.{name}"
            if key in parts.keys:
                for number in numbers:
                    yield f"{key} = {number}", parts.with_key(key, u32(number)).to_bytes()
    for name, value in parts.keys.items():
        if value.kind == F32:
            for fraction in _FLOATS:
                raw = struct.pack("<f", fraction)
                yield f"{name} = {fraction}", parts.with_key(name, Value(F32, raw)).to_bytes()
    for name in ("block_count", "embedding_length", "attention.head_count", "expert_used_count"):
        key = f"{arch}.{name}"
        if key in parts.keys:
            yield f"{key} is a text", parts.with_key(key, string("seven")).to_bytes()
            yield f"{key} is a list", parts.with_key(key, numbers_of([0, 2**32 - 1] * 40)).to_bytes()
            yield f"{key} is missing", parts.without_key(key).to_bytes()


def containers(parts: Parts, chance: random.Random) -> Iterator[Mutant]:
    """Yield files that are damaged as containers: magic, version, counts, lengths, types, ends."""
    whole = parts.to_bytes()
    header = len(whole) - len(parts.data)
    for magic in (b"GGUX", b"FUGG", b"\0\0\0\0"):
        yield f"magic {magic!r}", replace(parts, magic=magic).to_bytes()
    for version in (0, 1, 4, 2**32 - 1, 3 << 24):
        yield f"version {version}", replace(parts, version=version).to_bytes()
    for count in (0, 1, len(parts.keys) + 1, 2**31, 2**63, 2**64 - 1):
        yield f"{count} keys", replace(parts, key_count=count).to_bytes()
    for count in (0, 1, len(parts.tensors) + 1, 2**31, 2**63, 2**64 - 1):
        yield f"{count} tensors", replace(parts, tensor_count=count).to_bytes()
    for size in (0, 3, 4, 23, 24, 200, header - 1, header, header + 40, len(whole) - 4):
        yield f"cut at {size}", whole[:size]
    for _ in range(4):
        size = chance.randrange(header)
        yield f"cut at {size}", whole[:size]
    yield "bytes behind the end", replace(parts, tail=b"\xff" * 999).to_bytes()


def metadata(parts: Parts) -> Iterator[Mutant]:
    """Yield files whose metadata values cannot be read, or name no architecture."""
    yield "no architecture", parts.without_key("general.architecture").to_bytes()
    for name in ("", "qwenx", "llama\0", "\x1b[31m" + "x" * 5000, "日本"):
        yield f"architecture {name[:9]!r}", parts.with_key("general.architecture", string(name)).to_bytes()
    for kind in (9, 13, 99, 2**32 - 1):
        yield f"a key of type {kind}", parts.with_key("x", Value(kind, bytes(16))).to_bytes()
    for size in (2**20, 2**40, 2**63, 2**64 - 1):
        endless = Value(STRING, struct.pack("<Q", size) + b"x")
        yield f"a text of {size} bytes", parts.with_key("x", endless).to_bytes()
        wide = Value(ARRAY, struct.pack("<IQ", 10, size))
        yield f"an array of {size} items", parts.with_key("x", wide).to_bytes()
    nested = Value(ARRAY, struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", ARRAY, 1) * 2000)
    yield "arrays in arrays", parts.with_key("x", nested).to_bytes()
    for step in (0, 3, 2**31):
        yield f"alignment {step}", parts.with_key("general.alignment", u32(step)).to_bytes()


def tensor_tables(parts: Parts, chance: random.Random) -> Iterator[Mutant]:
    """Yield files whose tensor table lies about names, shapes, types or places."""
    index = next(
        i for i, row in enumerate(parts.tensors) if row.name.startswith(b"blk.") and len(row.shape) > 1
    )
    shapes: tuple[tuple[int, ...], ...] = ((0, 0), (2**63, 4), (2**32, 2**32), (7, 2**20), (2**64 - 1,) * 2)
    for shape in (*shapes, (), (2,) * 5, (2,) * 200):
        yield f"{len(shape)} dimensions, {shape[:4]}", parts.with_tensor(index, shape=shape).to_bytes()
    for kind in (4, 31, 99, 2**31, 24, 12, 8):
        yield f"type {kind}", parts.with_tensor(index, type_id=kind).to_bytes()
    for place in (1, 2**20 + 7, 2**40, 2**63, 2**64 - 32):
        yield f"offset {place}", parts.with_tensor(index, offset=place).to_bytes()
    for name in (b"", b"blk.999.attn_q.weight", parts.tensors[0].name, b"\xff\xfe", b"x" * 100):
        yield f"name {name[:20]!r}", parts.with_tensor(index, name=name).to_bytes()
    yield "one tensor less", replace(parts, tensors=parts.tensors[:-1]).to_bytes()
    yield "no tensors", replace(parts, tensors=()).to_bytes()
    twins: tuple[Tensor, ...] = tuple(replace(row, offset=0) for row in parts.tensors)
    yield "all tensors at one place", replace(parts, tensors=twins).to_bytes()
    rows = list(parts.tensors)
    chance.shuffle(rows)
    yield "another order", replace(parts, tensors=tuple(rows)).to_bytes()
    yield from _well_laid_out(parts, index, chance)


def _well_laid_out(parts: Parts, index: int, chance: random.Random) -> Iterator[Mutant]:
    """Yield files that are sound as containers, and whose tensors are still not those of the architecture."""
    rows = list(parts.tensors)
    chance.shuffle(rows)
    yield "another order, laid out", replace(parts, tensors=tuple(rows)).laid_out(_f32).to_bytes()
    width = parts.tensors[index].shape[0]
    for shape in ((width, 1), (1, width), (width * 2, 7), (width, 2, 2, 2)):
        yield f"shape {shape}, laid out", parts.with_tensor(index, shape=shape).laid_out(_f32).to_bytes()
    for name in (
        b"token_embd.weight",
        b"output_norm.weight",
        b"blk.1.attn_norm.weight",
        b"blk.3.attn_k.weight",
    ):
        kept = tuple(row for row in parts.tensors if row.name != name)
        yield f"no {name!r}", replace(parts, tensors=kept).laid_out(_f32).to_bytes()
        number = next(i for i, row in enumerate(parts.tensors) if row.name == name)
        for kind in _TYPES:
            other = parts.with_tensor(number, type_id=kind).laid_out(_plain)
            yield f"{name!r} of type {kind}", other.to_bytes()


def _f32(row: Tensor) -> int:
    return prod(row.shape) * 4


def _plain(row: Tensor) -> int:
    return prod(row.shape) * _TYPES.get(row.type_id, 4)


def weights(parts: Parts, chance: random.Random) -> Iterator[Mutant]:
    """Yield files whose weights are not numbers."""
    size = len(parts.data)
    yield "weights are NaN", replace(parts, data=b"\xff\xff\xff\x7f" * (size // 4)).to_bytes()
    yield "weights are infinite", replace(parts, data=b"\x00\x00\x80\x7f" * (size // 4)).to_bytes()
    yield "weights are random", replace(parts, data=chance.randbytes(size)).to_bytes()


def tokenizers(parts: Parts) -> Iterator[Mutant]:
    """Yield files whose vocabulary contradicts itself."""
    prefix = "tokenizer.ggml"
    for name in ("bos", "eos", "eot", "padding"):
        for number in (10**6, 2**31, 2**32 - 1):
            key = f"{prefix}.{name}_token_id"
            yield f"{key} = {number}", parts.with_key(key, u32(number)).to_bytes()
    for name in ("", "llama", "bert", "t5", "rwkv", "nonsense"):
        yield f"tokenizer {name!r}", parts.with_key(f"{prefix}.model", string(name)).to_bytes()
    for name in ("", "nonsense", "deepseek-v3"):
        yield f"pre-tokenizer {name!r}", parts.with_key(f"{prefix}.pre", string(name)).to_bytes()
    for name in ("tokens", "token_type", "merges", "model", "pre"):
        yield f"no {name}", parts.without_key(f"{prefix}.{name}").to_bytes()
    yield "no tokens at all", parts.with_key(f"{prefix}.tokens", texts([])).to_bytes()
    yield "one token", parts.with_key(f"{prefix}.tokens", texts([b"a"])).to_bytes()
    yield "all tokens the same", parts.with_key(f"{prefix}.tokens", texts([b"a"] * 400)).to_bytes()
    yield (
        "tokens that are numbers",
        parts.with_key(f"{prefix}.tokens", numbers_of(list(range(400)))).to_bytes(),
    )
    yield "tokens that are no UTF-8", parts.with_key(f"{prefix}.tokens", texts(_BYTES)).to_bytes()
    yield "a token of a megabyte", parts.with_key(f"{prefix}.tokens", texts([b"x" * 2**20])).to_bytes()
    yield "types out of range", parts.with_key(f"{prefix}.token_type", numbers_of([99] * 400)).to_bytes()
    yield "too few types", parts.with_key(f"{prefix}.token_type", numbers_of([1])).to_bytes()
    yield "merges of nothing", parts.with_key(f"{prefix}.merges", texts([b"", b" ", b"a"])).to_bytes()
    yield "merges that are no text", parts.with_key(f"{prefix}.merges", numbers_of([1, 2])).to_bytes()


def templates(parts: Parts) -> Iterator[Mutant]:
    """Yield files whose chat template is no text, or none that Jinja takes."""
    key = "tokenizer.chat_template"
    yield "a template that is a number", parts.with_key(key, u32(7)).to_bytes()
    yield "a template that is no UTF-8", parts.with_key(key, Value(STRING, text(b"\xff{{ x }}"))).to_bytes()
    yield "a template that is a flag", parts.with_key(key, Value(BOOL, b"\x01")).to_bytes()
    for source in ("{% for %}", "{{", "{% if x %}", "{{ x.y.z }}", "{% for i in range(21) %}" * 30, "\0"):
        yield f"the template {source[:12]!r}", parts.with_key(key, string(source)).to_bytes()


def bit_flips(parts: Parts, chance: random.Random, count: int) -> Iterator[Mutant]:
    """Yield files with one to four random bits of the header turned."""
    whole = parts.to_bytes()
    header = len(whole) - len(parts.data)
    for number in range(count):
        raw = bytearray(whole)
        for _ in range(1 + number % 4):
            raw[chance.randrange(header)] ^= 1 << chance.randrange(8)
        yield f"bits turned, number {number}", bytes(raw)


def architecture(parts: Parts) -> str:
    """Return the name of the file's architecture."""
    return parts.keys["general.architecture"].raw[8:].decode()


def numbers_of(numbers: list[int]) -> Value:
    """Return a list of 32-bit numbers."""
    return Value(ARRAY, struct.pack(f"<IQ{len(numbers)}I", U32, len(numbers), *numbers))


def texts(raw: list[bytes]) -> Value:
    """Return a list of texts."""
    return Value(ARRAY, struct.pack("<IQ", STRING, len(raw)) + b"".join(text(item) for item in raw))


_BYTES = [bytes([a, b]) for a in range(128, 140) for b in range(128, 160)]
