"""What a list of models needs of a header: a few values, small enough to be kept for the next look."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from playground.errors import ModelError, one_line
from playground.models.disk.file_notes import FileNotes, state_of
from playground.models.disk.model_names import split_place, whole_name
from playground.models.gguf import GgufHeader, read_header
from playground.models.quants import name_of

_NOTES = "headers-1"  # another number when the fields change
_SAVED_EVERY = 50
_LARGEST = (1 << 62) - 1  # more than any file; hostile headers multiply to anything
_QUANT_TAIL = re.compile(r"[-._](?:UD-)?(?:I?Q\d\w*|B?F16|F32|MXFP4\w*)$", re.IGNORECASE)
_BESIDE_ARCHS = ("clip", "mtmd", "eagle3", "dflash", "dspark")
_BESIDE_TYPES = ("mmproj", "adapter", "imatrix", "lora")


class HeaderFacts(msgspec.Struct, frozen=True, array_like=True):
    """One file's. ``end_bytes``: where its last tensor ends. ``is_model``: no projector, adapter or draft head."""

    arch: str
    name: str
    quant: str
    licence: str
    params: int
    n_ctx_train: int
    is_base: bool
    end_bytes: int
    is_model: bool = True


def facts_of(path: Path, header: GgufHeader) -> HeaderFacts:
    """Return what a header says, for a file of this name."""
    data, template = header.metadata, header.metadata.get("tokenizer.chat_template")
    end = max((header.data_offset + t.offset + t.size_bytes for t in header.tensors), default=0)
    return HeaderFacts(
        arch=header.arch,
        name=model_name(path, data),
        quant=name_of(data.get("general.file_type"), whole_name(path.name)),
        licence=licence(data),
        params=min(_LARGEST, sum(tensor.elements for tensor in header.tensors)),
        n_ctx_train=min(_LARGEST, max(0, header.number("context_length"))),
        is_base=not (isinstance(template, str) and template.strip()),
        end_bytes=min(_LARGEST, end),
        is_model=header.arch not in _BESIDE_ARCHS and data.get("general.type") not in _BESIDE_TYPES,
    )


def licence(metadata: dict[str, object]) -> str:
    """Return the licence's name, empty when there is none."""
    found = metadata.get("general.license")
    return one_line(found, 200) if isinstance(found, str) else ""


def model_name(path: Path, metadata: dict[str, object]) -> str:
    """Return the name to show: the header's, else the file's without its quantization."""
    name = metadata.get("general.name")
    if isinstance(name, str) and 0 < len(name.strip()) <= 80 and name.isprintable():
        return name.strip()
    return name_of_file(path.name)


def name_of_file(file_name: str) -> str:
    """Return a file's name as a model's, one printable line."""
    place = split_place(file_name)
    stem = place.prefix if place else Path(whole_name(file_name)).stem
    return one_line(_QUANT_TAIL.sub("", stem), 80) or "model"


class HeaderShelf:
    """Reads headers, and remembers on disk what they said, or why they could not be used."""

    def __init__(self) -> None:
        self._notes = FileNotes(_NOTES)
        self._read_count = 0

    def read(self, path: Path) -> HeaderFacts:
        """Return a file's facts. Raises ModelError, and OSError when the file cannot be looked at."""
        state = state_of(path.stat())
        known = self._notes.get(path, state)
        if isinstance(known, str):
            raise ModelError(known)
        if known is not None:
            try:
                return msgspec.convert(known, HeaderFacts)
            except msgspec.ValidationError:
                pass  # somebody wrote into the notes: read again
        return self._read_now(path, state)

    def _read_now(self, path: Path, state: tuple[int, int]) -> HeaderFacts:
        try:
            facts = facts_of(path, read_header(path))
        except ModelError as error:
            if isinstance(error.__cause__, OSError):  # not the file's fault: it may go better next time
                raise error.__cause__ from error
            self._notes.put(path, state, error.message)
            raise
        self._notes.put(path, state, msgspec.to_builtins(facts))
        self._read_count += 1
        if self._read_count % _SAVED_EVERY == 0:  # a first look takes long and may be broken off
            self.save()
        return facts

    def save(self) -> None:
        """Keep what was read for the next time."""
        self._notes.save()


def has_magic(path: Path) -> bool:
    """Return whether a file begins as a GGUF does."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False
