"""The Hub cache's folders: which models lie in them, and whose blobs they are. Imports no library, uses no network.

The layout is ``models--OWNER--NAME/{blobs/<sha256>, refs/<branch>, snapshots/<commit>/<file>}``, a snapshot's files
being links to blobs where the system has links. llama.cpp writes the same. A blob may itself be a link into a store
that several repositories share, so only its name beside the other blobs is the sha256 of its content.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from playground.errors import ModelError, NotFoundError
from playground.models.disk import places
from playground.models.disk.file_kinds import is_link, small_file
from playground.models.disk.findings import Candidate, Search, models_below
from playground.models.disk.inventory_values import Place
from playground.models.disk.model_names import is_partial
from playground.models.quants import name_of

_PREFIX = "models--"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def folder() -> Path:
    """Return this machine's Hub cache, which need not exist."""
    return Path(places.hub_cache(places.this_machine())).absolute()


def models_in(cache: Path, place: Place, search: Search) -> Iterator[Candidate]:
    """Yield the models of a cache; of each repository, the files that its main branch means come first."""
    for entry in search.entries(cache):
        if search.cancel.is_set():
            return
        if is_repository(entry.name):
            yield from _models_of(Path(entry.path), place, search)


def is_repository(name: str) -> bool:
    """Return whether a folder of this name holds a model's repository."""
    return name.startswith(_PREFIX) and len(name) > len(_PREFIX)


def models_and_folders(root: Path, place: Place, search: Search) -> Iterator[Candidate]:
    """Yield the models of a folder that may be laid out as a Hub cache, in parts or not at all."""
    yield from models_in(root, place, search)
    known = [entry.name for entry in search.entries(root) if is_repository(entry.name)]
    yield from models_below(root, place, search, skip=known)


def cached_gguf(repository: str, quant: str | None) -> Path:
    """Return the cached GGUF of ``owner/name`` in a quantization. Raises ModelError when there is none."""
    mine: dict[str, Path] = {}
    where = folder() / f"{_PREFIX}{repository.replace('/', '--')}"
    for model in _models_of(where, Place.HUB, Search()):
        if not model.is_partial:
            mine.setdefault(quant_of(model.files[0]), model.files[0])
    if not mine:
        raise NotFoundError(
            f"{repository} is not in the Hugging Face cache.",
            hint=f"Fetch it first: playground models pull hf:{repository}",
        )
    fitting = [path for name, path in mine.items() if quant is None or name.upper() == quant.upper()]
    names = ", ".join(sorted(mine))
    if not fitting:
        raise ModelError(f"{repository} is in the cache, but not as {quant}.", hint=f"There is: {names}.")
    if len(fitting) > 1:
        raise ModelError(
            f"{repository} is in the cache in several quantizations.",
            hint=f"Name one of: {names} (…:{min(mine)}).",
        )
    return fitting[0]


def quant_of(path: Path) -> str:
    """Return what a reference calls a file's quantization: its name alone decides, so that no header is read."""
    return name_of(None, path.name)


def blob_of(path: Path) -> Path | None:
    """Return the blob that a snapshot's file is a link to, or the file itself where it is none.

    None for a link to elsewhere than the repository's blobs.
    """
    if not is_link(path):
        return path
    blob = Path(os.path.normpath(path.parent / path.readlink()))
    repository = repository_of(path)
    return (
        blob
        if repository and os.path.realpath(blob.parent) == os.path.realpath(repository / "blobs")
        else None
    )


def blob_sha256(path: Path) -> str:
    """Return the sha256 that a snapshot's file, or a blob, has by its blob's name; empty where names say nothing."""
    try:
        blob = path if path.parent.name == "blobs" else blob_of(path)
    except OSError:
        return ""
    is_blob = blob and blob.parent.name == "blobs" and is_repository(blob.parent.parent.name)
    return blob.name if blob and is_blob and _SHA256.fullmatch(blob.name) else ""


def repository_of(path: Path) -> Path | None:
    """Return the repository's folder that a file of a snapshot, or a blob, lies in; None for a file elsewhere."""
    for above in path.parents:
        if is_repository(above.name) and path.relative_to(above).parts[0] in ("snapshots", "blobs"):
            return above
    return None


def repository_name(repository: Path) -> str:
    """Return what the Hub calls the repository that a folder holds: ``owner/name``."""
    return repository.name.removeprefix(_PREFIX).replace("--", "/")


def _models_of(repository: Path, place: Place, search: Search) -> Iterator[Candidate]:
    name = repository_name(repository)
    for snapshot in _snapshots(repository, search):
        for found in models_below(snapshot, place, search):
            yield replace(found, repo=name, sha256=tuple(blob_sha256(path) for path in found.files))
    for entry in search.entries(repository / "blobs"):
        if is_partial(entry.name) and entry.is_file(follow_symlinks=False):
            yield Candidate(place, (Path(entry.path),), repo=name, is_partial=True)


def _snapshots(repository: Path, search: Search) -> list[Path]:
    """Return the snapshots: main's first, then other branches', then the newest."""
    by_commit = {_commit(repository / "refs" / "main"): -2}
    for entry in search.entries(repository / "refs"):
        by_commit.setdefault(_commit(Path(entry.path)), -1)

    def rank(entry: os.DirEntry[str]) -> tuple[int, float]:
        try:
            return by_commit.get(entry.name, 0), -entry.stat().st_mtime
        except OSError:
            return 1, 0.0

    return [Path(entry.path) for entry in sorted(search.entries(repository / "snapshots"), key=rank)]


def _commit(ref: Path) -> str:
    text = small_file(ref, 64).decode("ascii", "replace").strip()
    return text if _COMMIT.fullmatch(text) else ""
