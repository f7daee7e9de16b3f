"""Jan's models: a ``model.yml`` beside each names its file, which may lie elsewhere; older ones lie in a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from playground.errors import one_line
from playground.models.disk.file_kinds import is_folder, small_file
from playground.models.disk.findings import Candidate, Search, models_below
from playground.models.disk.inventory_values import Place

_NOTE = "model.yml"
_LIMIT_BYTES = 1 << 16
_FOLDERS = (("llamacpp", "models"), ("models",))  # newer, older
_LINE = re.compile(r"^(\w+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_DEPTH = 4  # owner/name/quantization


def is_its_own(data: Path) -> bool:
    """Return whether a folder is laid out as Jan's data folder is."""
    return is_folder(data.joinpath(*_FOLDERS[0]))


def models_in(data: Path, search: Search) -> Iterator[Candidate]:
    """Yield the models of a data folder."""
    newer = data.joinpath(*_FOLDERS[0])
    for note in _notes(newer, search):
        values = _values(note)
        if path := values.get("model_path"):
            name = one_line(note.parent.relative_to(newer).as_posix(), 120)
            yield Candidate(Place.JAN, (data / path,), name=name)
    for parts in _FOLDERS:
        yield from models_below(data.joinpath(*parts), Place.JAN, search)


def _notes(folder: Path, search: Search, depth: int = 0) -> Iterator[Path]:
    for entry in search.entries(folder):
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if entry.name == _NOTE and not is_folder:
            yield Path(entry.path)
        elif is_folder and depth < _DEPTH and not search.cancel.is_set():
            yield from _notes(Path(entry.path), search, depth + 1)


def _values(note: Path) -> dict[str, str]:
    """Return the top level's texts. Jan writes one plain ``key: value`` a line, so no YAML library is needed."""
    text = small_file(note, _LIMIT_BYTES).decode("utf-8", "replace")
    return {key: _unquoted(value) for key, value in _LINE.findall(text)}


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) > 1 and value[0] == value[-1] == quote:
            inner = value[1:-1]
            return inner.replace("''", "'") if quote == "'" else inner.replace("\\\\", "\\")
    return value
