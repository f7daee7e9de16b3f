"""Files of a repository, grouped into what can be fetched: split files as one, helpers told apart. Pure functions.

Which files are models follows llama.cpp (common/download.cpp), so that ``-hf`` and the app pick the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from playground.errors import NotFoundError, one_line
from playground.models.hub.repository import FileKind, HubFile, Quant, Repository
from playground.models.quants import name_of

_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_NO_MODELS = ("imatrix", "eagle3-", "dflash-", "dspark-")
_PREFERRED = ("Q4_K_M", "UD-Q4_K_M", "Q8_0")
_LONGEST_NAME, _LONGEST_PATH = 255, 1024
_UNUSABLE_CHARS = re.compile(r'[\\:*?"<>|]')  # separators and signs that some system gives a meaning


@dataclass(slots=True)
class _Group:
    count: int
    parts: dict[int, HubFile] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return 0 < self.count == len(self.parts) and min(self.parts) == 1 and max(self.parts) == self.count


def is_safe(path: str) -> bool:
    """Return whether a name from the Hub may become a path below a folder, on any system."""
    steps = path.split("/")
    return (
        0 < len(path) <= _LONGEST_PATH
        and path.isprintable()
        and not _UNUSABLE_CHARS.search(path)
        and all(step.strip(". ") and len(step.encode()) <= _LONGEST_NAME for step in steps)
    )


def group_files(files: Iterable[HubFile]) -> tuple[Quant, ...]:
    """Return what can be fetched, largest first. Unsafe names, empty files and splits with parts missing are left out."""
    found = [_quant(group) for group in _groups(files).values() if group.is_whole]
    return tuple(sorted(found, key=lambda quant: (-quant.size_bytes, quant.name, quant.files[0].path)))


def problems(files: Sequence[HubFile]) -> tuple[str, ...]:
    """Return a sentence for each file that is left out because something is wrong with it, and for each name of many."""
    unsafe = [file.path for file in files if not is_safe(file.path)]
    empty = [file.path for file in files if _is_gguf(file) and is_safe(file.path) and not file.size_bytes]
    models = [quant for quant in group_files(files) if quant.kind == "model"]
    partial = {key: group for key, group in _groups(files).items() if not group.is_whole}
    return (
        *(f"{one_line(repr(path), 120)} is left out: its name is not safe." for path in unsafe),
        *(f"{path} is left out: it is empty." for path in empty),
        *(
            f"{key} is left out: {len(group.parts)} of its {group.count} parts are there."
            for key, group in partial.items()
        ),
        *(
            f"{name} names {count} models here; the larger one is meant."
            for name, count in Counter(quant.name for quant in models).items()
            if count > 1
        ),
    )


def default_quant(quants: Iterable[Quant]) -> Quant | None:
    """Return what is fetched when none is named: Q4_K_M, else Q8_0, else the first; None without a model."""
    models = [quant for quant in quants if quant.kind == "model"]
    preferred = (quant for name in _PREFERRED for quant in models if quant.name == name)
    return next(preferred, models[0] if models else None)


def chosen(repository: Repository, name: str = "") -> Quant:
    """Return the quantization of that name, without one the default. Raises NotFoundError."""
    models = repository.models
    fitting = [quant for quant in models if quant.name.upper() == name.upper()]
    found = (fitting[0] if fitting else None) if name else default_quant(models)
    if found is not None:
        return found
    if not models:
        raise NotFoundError(
            f"{repository.id} holds no GGUF model that can be used.",
            hint=f"Look for one made from it: playground models search {repository.id.partition('/')[2]}",
        )
    names = ", ".join(dict.fromkeys(quant.name for quant in models))
    raise NotFoundError(f"{repository.id} has no {name}.", hint=f"There is: {names}.")


def _groups(files: Iterable[HubFile]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for file in files:
        if not (_is_gguf(file) and is_safe(file.path) and file.size_bytes):
            continue
        match = _SPLIT.fullmatch(file.path)
        key, number, count = (match[1], int(match[2]), int(match[3])) if match else (file.path, 1, 1)
        key = f"{key} in {count} parts" if match else key
        groups.setdefault(key, _Group(count)).parts[number] = file
    return groups


def _is_gguf(file: HubFile) -> bool:
    return file.path.lower().endswith(".gguf")


def _quant(group: _Group) -> Quant:
    files = tuple(group.parts[number] for number in sorted(group.parts))
    path = PurePosixPath(files[0].path)
    return Quant(_name(path), files, _kind(path))


def _name(path: PurePosixPath) -> str:
    """Return the quantization's name, from the file's or else from its folder's."""
    match = _SPLIT.fullmatch(path.name)
    name = name_of(None, f"{match[1]}.gguf" if match else path.name)
    return name if name != "unknown" else name_of(None, path.parent.name)


def _kind(path: PurePosixPath) -> FileKind:
    name = path.name.lower()
    folders = {part.lower() for part in path.parent.parts}
    if "mmproj" in name:
        return "mmproj"
    if name.startswith("mtp-") or "mtp" in folders:
        return "mtp"
    return "other" if any(word in name for word in _NO_MODELS) else "model"
