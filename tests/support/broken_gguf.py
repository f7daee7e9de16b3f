"""Takes a GGUF file apart and puts it together again with one thing wrong, so that each kind of damage is really hit.

An own writer: the reference one refuses to write most of this.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_INTEGERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q"}
_ALIGNMENT = 32
U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, _STRING, _ARRAY


@dataclass(frozen=True, slots=True)
class Value:
    """One metadata value as it lies in the file: its type number and its bytes."""

    kind: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of the tensor table. ``offset`` counts from the beginning of the data."""

    name: bytes
    shape: tuple[int, ...]
    type_id: int
    offset: int


@dataclass(frozen=True, slots=True)
class Parts:
    """A whole file. Counts of None are written as they are."""

    keys: dict[str, Value]
    tensors: tuple[Tensor, ...]
    data: bytes
    magic: bytes = b"GGUF"
    version: int = 3
    key_count: int | None = None
    tensor_count: int | None = None
    tail: bytes = field(default=b"", repr=False)

    def with_key(self, name: str, value: Value) -> Parts:
        """Return the file with one metadata value replaced or added."""
        return replace(self, keys={**self.keys, name: value})

    def without_key(self, name: str) -> Parts:
        """Return the file without a metadata value."""
        return replace(self, keys={key: value for key, value in self.keys.items() if key != name})

    def with_tensor(self, index: int, **changes: Any) -> Parts:  # noqa: ANN401 -- fields of Tensor
        """Return the file with one row of its tensor table changed."""
        rows = list(self.tensors)
        rows[index] = replace(rows[index], **changes)
        return replace(self, tensors=tuple(rows))

    def laid_out(self, size_of: Callable[[Tensor], int]) -> Parts:
        """Return the file with all tensors one behind the other, as llama.cpp expects them; bytes by ``size_of``."""
        place, rows = 0, []
        for row in self.tensors:
            rows.append(replace(row, offset=place))
            place += size_of(row) + -size_of(row) % _ALIGNMENT
        return replace(self, tensors=tuple(rows))

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        counts = (
            len(self.tensors) if self.tensor_count is None else self.tensor_count,
            len(self.keys) if self.key_count is None else self.key_count,
        )
        out = bytearray(self.magic + struct.pack("<IQQ", self.version, *counts))
        for name, value in self.keys.items():
            out += text(name.encode()) + struct.pack("<I", value.kind) + value.raw
        for row in self.tensors:
            out += text(row.name) + struct.pack(f"<I{len(row.shape)}Q", len(row.shape), *row.shape)
            out += struct.pack("<IQ", row.type_id, row.offset)
        out += bytes(-len(out) % _ALIGNMENT)
        return bytes(out) + self.data + self.tail


def text(raw: bytes) -> bytes:
    """Return a string as it lies in the file."""
    return struct.pack("<Q", len(raw)) + raw


def u32(number: int) -> Value:
    """Return a 32-bit number."""
    return Value(U32, struct.pack("<I", number % 2**32))


def string(content: str) -> Value:
    """Return a text."""
    return Value(STRING, text(content.encode()))


def take_apart(path: Path) -> Parts:
    """Return the parts of a well-formed file."""
    raw = path.read_bytes()
    version, tensor_count, key_count = struct.unpack_from("<IQQ", raw, 4)
    place = 24
    keys: dict[str, Value] = {}
    for _ in range(key_count):
        name, place = _text_at(raw, place)
        (kind,) = struct.unpack_from("<I", raw, place)
        end = _value_end(raw, kind, place + 4)
        keys[name.decode()] = Value(kind, raw[place + 4 : end])
        place = end
    tensors = []
    for _ in range(tensor_count):
        name, place = _text_at(raw, place)
        (dimensions,) = struct.unpack_from("<I", raw, place)
        shape = struct.unpack_from(f"<{dimensions}Q", raw, place + 4)
        type_id, offset = struct.unpack_from("<IQ", raw, place + 4 + 8 * dimensions)
        place += 16 + 8 * dimensions
        tensors.append(Tensor(name, shape, type_id, offset))
    data = raw[place + (-place % _ALIGNMENT) :]
    return Parts(keys, tuple(tensors), data, version=version)


def _text_at(raw: bytes, place: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from("<Q", raw, place)
    return raw[place + 8 : place + 8 + size], place + 8 + size


def _value_end(raw: bytes, kind: int, place: int) -> int:
    if kind == _STRING:
        return _text_at(raw, place)[1]
    if kind != _ARRAY:
        return place + _SIZES[kind]
    element: int
    count: int
    element, count = struct.unpack_from("<IQ", raw, place)
    place += 12
    if element != _STRING:
        return place + count * _SIZES[element]
    for _ in range(count):
        place = _text_at(raw, place)[1]
    return place
