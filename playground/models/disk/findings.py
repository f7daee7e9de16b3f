"""What a search of folders comes upon, before anybody looks into the files: candidates, and folders that refuse."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from playground.errors import one_line
from playground.models.disk.file_kinds import is_folder
from playground.models.disk.inventory_values import Place
from playground.models.disk.model_names import SplitPlace, is_model, is_partial, part_name, split_place

MOST_ENTRIES = 100_000  # of one folder and all below it
MOST_DEPTH = 8
_SKIPPED = (".git", "node_modules", "__pycache__")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model by the names of its files, which are there, first to last.

    ``name`` and ``licence``: the program's own words, empty to take the header's. ``sha256``: known by the name of the
    file that its program gave it. ``missing``: numbers of parts that are not there. ``problem``: already known to be
    useless, a sentence.
    """

    place: Place
    files: tuple[Path, ...]
    name: str = ""
    licence: str = ""
    repo: str = ""
    sha256: tuple[str, ...] = ()
    is_partial: bool = False
    fraction: float | None = None
    missing: tuple[int, ...] = ()
    parts: int = 1
    problem: str = ""


@dataclass(slots=True)
class Search:
    """One search under way: ``notes`` collects folders that refuse, in words; ``cancel`` ends it between two files."""

    cancel: threading.Event = field(default_factory=threading.Event)
    notes: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    most_entries: int = MOST_ENTRIES

    def entries(self, folder: Path, most: int = MOST_ENTRIES) -> list[os.DirEntry[str]]:
        """Return what is in a folder, by name; nothing for one that is not there. Notes one that refuses."""
        try:
            with os.scandir(folder) as found:
                return sorted(islice(found, most), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            self.note(f"{folder} cannot be read: {why}.")
            return []

    def begin(self, folder: Path) -> None:
        """Note that a folder, if there is one, is looked into."""
        if is_folder(folder) and str(folder) not in self.folders:
            self.folders.append(str(folder))

    def note(self, sentence: str) -> None:
        """Keep a sentence, once."""
        sentence = one_line(sentence)
        if sentence not in self.notes:
            self.notes.append(sentence)


def models_below(
    root: Path, place: Place, search: Search, *, skip: Iterable[str] = ()
) -> Iterator[Candidate]:
    """Yield models in a folder and below, following links but never in a circle.

    ``skip``: names of folders directly below that somebody else looks into.
    """
    skipped, waiting = set(skip), [(root, 0)]
    been: set[tuple[int, int]] = set()
    left = search.most_entries
    while waiting and left > 0 and not search.cancel.is_set():
        folder, depth = waiting.pop()
        if not _enter(folder, been):
            continue
        entries = search.entries(folder, left)
        left -= len(entries)
        yield from _models_among([entry for entry in entries if not _is_folder(entry)], place)
        below = [entry.name for entry in entries if _is_folder(entry) and entry.name not in _SKIPPED]
        if depth < MOST_DEPTH:
            waiting += [(folder / n, depth + 1) for n in reversed(below) if depth or n not in skipped]
    if left <= 0:
        search.note(f"{root} holds more than {search.most_entries:,} files: the rest was not looked at.")


def _enter(folder: Path, been: set[tuple[int, int]]) -> bool:
    """Return whether a folder was not entered before, by whatever name."""
    try:
        status = folder.stat()
    except (OSError, ValueError):
        return True  # listing it says why not
    here = (status.st_dev, status.st_ino)
    is_new = here not in been
    been.add(here)
    return is_new


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links, or one into a folder that refuses
        return False


def _models_among(entries: list[os.DirEntry[str]], place: Place) -> Iterator[Candidate]:
    """Group the files of one folder into models."""
    splits: dict[tuple[str, int], list[tuple[SplitPlace, Path]]] = {}
    for entry in entries:
        path = Path(entry.path)
        if is_partial(entry.name) and _is_file(entry):
            yield Candidate(place, (path,), is_partial=True)
        elif is_model(entry.name) and _is_file(entry):
            part = split_place(entry.name)
            if part is None:
                yield Candidate(place, (path,))
            else:
                splits.setdefault((part.prefix, part.count), []).append((part, path))
    for parts in splits.values():
        yield _split_model(parts, place)


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether it may be a file: a link to nothing, too, which somebody wants to know of; no pipe or device."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True


def _split_model(parts: list[tuple[SplitPlace, Path]], place: Place) -> Candidate:
    there = {part.number for part, _ in parts}
    count = parts[0][0].count
    missing = tuple(number for number in range(1, count + 1) if number not in there)
    return Candidate(place, tuple(path for _, path in parts), missing=missing, parts=count)


def missing_words(candidate: Candidate) -> str:
    """Return which parts are missing, as a sentence."""
    missing, count = candidate.missing, candidate.parts
    if len(missing) == 1:
        place = split_place(candidate.files[0].name)
        name = f", {part_name(place, missing[0])}," if place else ""
        return f"Part {missing[0]} of {count}{one_line(name, 200)} is missing."
    if len(missing) > 3:
        return f"{len(missing):,} of {count:,} parts are missing."
    listed = ", ".join(str(number) for number in missing[:-1])
    return f"Parts {listed} and {missing[-1]} of {count} are missing."
