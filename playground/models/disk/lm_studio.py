"""LM Studio's folders: a pointer file can move its home, its settings the models. Only reads."""

from __future__ import annotations

import json
from pathlib import Path

from playground.models.disk import places
from playground.models.disk.file_kinds import small_file

_POINTER = ".lmstudio-home-pointer"
_LIMIT_BYTES = 1 << 20


def folders(machine: places.Machine) -> list[Path]:
    """Return the folders that can hold models, each once; they need not exist."""
    homes = [Path(places.lm_studio_home(machine))]
    if moved := _text(Path(machine.home) / _POINTER).strip():
        homes.insert(0, Path(moved))
    found: list[Path] = []
    for home in homes:
        found += [home / "models", *_moved_models(home / "settings.json")]
    found += [Path(path) for path in places.lm_studio(machine)]
    return list(dict.fromkeys(path for path in found if path.is_absolute()))


def _moved_models(settings: Path) -> list[Path]:
    try:
        value = json.loads(_text(settings)).get("downloadsFolder")
    except (ValueError, RecursionError, AttributeError):
        return []
    return [Path(value)] if isinstance(value, str) and value else []


def _text(path: Path) -> str:
    return small_file(path, _LIMIT_BYTES).decode("utf-8", "replace")
