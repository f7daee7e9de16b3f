"""What a file's name says: a model or something beside it, a part of a split one, a download that did not end. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

SPLIT_NAME = re.compile(r"^(.*)-(\d{5})-of-(\d{5})\.gguf$")
_BESIDE = ("mmproj", "imatrix")  # anywhere in the name, as llama.cpp has it
_BESIDE_BEGINS = (
    "mtp-",
    "eagle3-",
    "dflash-",
    "dspark-",
)  # further in, a model carries its own layers for that
_PARTIAL_ENDS = (".part", ".partial", ".incomplete", ".downloadinprogress", ".crdownload")
_GPT4ALL_PARTIAL = "incomplete-"
_PUBLISHED = re.compile(r"\.[0-9a-f]{8}$")  # the Hub library's own mark of one try


@dataclass(frozen=True, slots=True)
class SplitPlace:
    """Which part of which split model a file is: ``number`` of ``count``, from 1."""

    prefix: str
    number: int
    count: int


def split_place(name: str) -> SplitPlace | None:
    """Return which part a file is by its name, None for a whole model."""
    match = SPLIT_NAME.match(name)
    place = SplitPlace(match[1], int(match[2]), int(match[3])) if match else None
    return place if place and 0 < place.number <= place.count else None


def part_name(place: SplitPlace, number: int) -> str:
    """Return the name of another part of the same model."""
    return f"{place.prefix}-{number:05d}-of-{place.count:05d}.gguf"


def is_model(name: str) -> bool:
    """Return whether a name is that of a model or of a part of one, and not of a projector or a draft head."""
    name = name.lower()
    return name.endswith(".gguf") and not _is_beside(name) and not name.startswith(_GPT4ALL_PARTIAL)


def is_partial(name: str) -> bool:
    """Return whether a name is that of a model that is still being fetched, or was not fetched to its end."""
    name = name.lower()
    if name.startswith(_GPT4ALL_PARTIAL) and name.endswith(".gguf"):
        return True
    return name.endswith(_PARTIAL_ENDS) and not _is_beside(name)


def whole_name(name: str) -> str:
    """Return the name that a file will have when it is whole."""
    for end in _PARTIAL_ENDS:
        if name.lower().endswith(end):
            name = _PUBLISHED.sub("", name[: -len(end)])
    return name.removeprefix(_GPT4ALL_PARTIAL).removeprefix("downloading_")


def _is_beside(name: str) -> bool:
    return any(word in name for word in _BESIDE) or name.startswith(_BESIDE_BEGINS)
