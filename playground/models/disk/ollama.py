"""Ollama's models: manifests by name, files by sha256. Only reads; Ollama deletes its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.errors import one_line
from playground.models.disk.file_kinds import is_folder, small_file
from playground.models.disk.findings import MOST_ENTRIES, Candidate, Search
from playground.models.disk.inventory_values import Place

_MODEL, _LICENCE = "application/vnd.ollama.image.model", "application/vnd.ollama.image.license"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_BLOB = re.compile(r"sha256-([0-9a-f]{64})")
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}-partial")
_MANIFEST_LIMIT_BYTES, _LICENCE_LIMIT_BYTES = 1 << 20, 4096
_DEPTH = 4  # registry, namespace, model, tag
_DEFAULTS = ("registry.ollama.ai", "library")


@dataclass(frozen=True, slots=True)
class _Manifest:
    model: str  # sha256
    licence: str


def is_its_own(root: Path) -> bool:
    """Return whether a folder is laid out as Ollama's are."""
    return is_folder(root / "manifests") and is_folder(root / "blobs")


def models_in(root: Path, search: Search) -> Iterator[Candidate]:
    """Yield what the manifests below a folder of models name, then downloads that did not end."""
    for path in _manifests(root / "manifests", search):
        manifest = _read(path)
        if manifest is None:
            continue
        blob = root / "blobs" / f"sha256-{manifest.model}"
        name = _name(path.relative_to(root / "manifests").parts)
        yield Candidate(
            Place.OLLAMA,
            (blob,),
            name=name,
            licence=_licence(root / "blobs" / f"sha256-{manifest.licence}") if manifest.licence else "",
            sha256=(manifest.model,),
        )
    for entry in search.entries(root / "blobs"):
        if _PARTIAL.fullmatch(entry.name):
            path = Path(entry.path)
            yield Candidate(Place.OLLAMA, (path,), is_partial=True, fraction=_fraction(path))


def blob_sha256(path: Path) -> str:
    """Return the sha256 that a file has by the name that Ollama gave it, empty for other files."""
    match = _BLOB.fullmatch(path.name)
    return match[1] if match and path.parent.name == "blobs" else ""


def _manifests(folder: Path, search: Search, depth: int = 1) -> Iterator[Path]:
    for entry in search.entries(folder, MOST_ENTRIES // 10):
        if search.cancel.is_set():
            return
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if is_folder and depth < _DEPTH:
            yield from _manifests(Path(entry.path), search, depth + 1)
        elif not is_folder and depth == _DEPTH:
            yield Path(entry.path)


def _read(path: Path) -> _Manifest | None:
    """Return what a manifest names, None for one of no model in one file."""
    try:
        found = json.loads(small_file(path, _MANIFEST_LIMIT_BYTES))
        layers = [layer for layer in found["layers"] if isinstance(layer, dict)]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    model = _digest(layers, _MODEL)
    return _Manifest(model, _digest(layers, _LICENCE)) if model else None


def _digest(layers: list[dict[str, object]], kind: str) -> str:
    for layer in layers:
        match = _DIGEST.fullmatch(str(layer.get("digest"))) if layer.get("mediaType") == kind else None
        if match:
            return match[1]
    return ""


def _name(parts: tuple[str, ...]) -> str:
    """Return what a person calls it: ``gpt-oss:20b``, ``hf.co/owner/name:Q4_K_M``."""
    *above, tag = parts
    if tuple(above[:2]) == _DEFAULTS:
        above = above[2:]
    elif above[0] == _DEFAULTS[0]:
        above = above[1:]
    return one_line(f"{'/'.join(above)}:{tag}", 120)


def _licence(path: Path) -> str:
    """Return the first line of a licence's text."""
    text = small_file(path, _LICENCE_LIMIT_BYTES).decode("utf-8", "replace")
    return one_line(next((line for line in text.splitlines() if line.strip()), ""), 80)


def _fraction(partial: Path) -> float | None:
    """Return how much is there, by the notes that Ollama keeps of each range; the file has its full size at once."""
    done = total = 0
    for number in range(256):
        try:
            note = json.loads(small_file(partial.with_name(f"{partial.name}-{number}"), 4096))
            done, total = done + int(note["Completed"]), total + int(note["Size"])
        except (ValueError, RecursionError, KeyError, TypeError, OverflowError):
            break
    return min(1.0, max(0.0, done / total)) if total > 0 else None
