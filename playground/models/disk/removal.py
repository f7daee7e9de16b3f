"""Deletes models for good, where the app may: the Hub cache, its own folder, folders that the user added.

There is no bin: a bin on the same disk would free nothing, so whoever calls this has asked the user first. What belongs
to another program is never touched, whatever a list says, and of a link only the link goes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playground.errors import ModelError
from playground.models.disk import folders, hub_cache, inventory, places
from playground.models.disk.assessment import same_file
from playground.models.disk.file_kinds import is_link
from playground.models.disk.inventory_values import DiskModel, Place
from playground.models.hub import hub


@dataclass(slots=True)
class _Plan:
    """What goes: files or links as such, and blobs of repositories with every link to them."""

    singles: list[Path] = field(default_factory=list)
    blobs: dict[Path, list[Path]] = field(default_factory=dict)

    def payloads(self) -> dict[object, tuple[Path, int]]:
        """Return what holds bytes that nothing else holds: by identity, where it lies and how large it is."""
        found: dict[object, tuple[Path, int]] = {}
        for path in self.singles:
            if not is_link(path):
                found |= _payload(path)
        for repository, blobs in self.blobs.items():
            for blob in blobs:
                real = Path(os.path.realpath(blob))
                if real.is_relative_to(os.path.realpath(repository.parent)) and not self._is_shared(blob):
                    found |= _payload(real)
        return found

    def _is_shared(self, blob: Path) -> bool:
        """Return whether another repository's blob, which stays, is a link to the same content in the cache's store."""
        going = {path for blobs in self.blobs.values() for path in blobs}
        others = blob.parent.parent.parent.glob(f"*--*/blobs/{blob.name}") if is_link(blob) else ()
        return any(other not in going and same_file(other) == same_file(blob) for other in others)


def expected_freed_bytes(models: Sequence[DiskModel]) -> int:
    """Return what deleting models would free, bytes; links and files with a second name free nothing.

    Raises ModelError as ``remove`` does.
    """
    return sum(size for _, size in _plan(models).payloads().values())


def remove(models: Sequence[DiskModel], in_use: Collection[str] = ()) -> int:
    """Delete models and return how many bytes that has freed. Blocking; ask the user first.

    ``in_use``: paths that are loaded. Raises ModelError, before anything is deleted, for one that is in use, belongs
    to another program or lies elsewhere than its place says; and when the system refuses.
    """
    used = {same_file(Path(path)) for path in in_use}
    for model in models:
        if used & {same_file(Path(path)) for path in model.files}:
            raise ModelError(
                f"{model.name} is loaded.", hint="Choose another model in its lane, then delete it."
            )
    plan = _plan(models)
    payloads = plan.payloads().values()
    for repository, blobs in plan.blobs.items():
        if not hub.delete_cached(repository, blobs) or any(os.path.lexists(blob) for blob in blobs):
            plan.singles += [*_links_to(repository, blobs), *blobs]
    for path in plan.singles:
        _unlink(path)
    return sum(size for path, size in payloads if not os.path.lexists(path))


def _plan(models: Sequence[DiskModel]) -> _Plan:
    plan, machine = _Plan(), places.this_machine()
    for model in models:
        root = _root(model, machine)
        for path in map(Path, model.files):
            _add(plan, path, root, model)
    return plan


def _root(model: DiskModel, machine: places.Machine) -> Path:
    """Return the folder that a model lies in and may be deleted from. Raises ModelError."""
    if not model.can_delete:
        _refuse(model, model.place)
    known = inventory.roots(machine)
    mine = [root for place, root in known if place is model.place]
    if model.place is Place.FOLDER:
        mine = list(folders.added().paths)
    for path in map(Path, model.files):
        if owner := _owner(path, [root for root in known if root[0] not in (Place.APP, Place.HUB)]):
            _refuse(model, owner)
    for root in mine:
        if all(_is_below(Path(path), root) for path in model.files):
            return root
    raise ModelError(
        f"{model.name} does not lie in {places.NAMES[model.place]} and is not deleted.",
        hint="Look for models again.",
    )


def _owner(path: Path, roots: Sequence[tuple[Place, Path]]) -> Place | None:
    return next((place for place, root in roots if _is_below(path, root)), None)


def _is_below(path: Path, root: Path) -> bool:
    """Return whether a file's name stands in a folder below another, however both are reached."""
    return Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(root))


def _refuse(model: DiskModel, owner: Place) -> None:
    name = places.NAMES[owner]
    raise ModelError(f"{model.name} belongs to {name} and is used in place.", hint=f"Delete it in {name}.")


def _add(plan: _Plan, path: Path, root: Path, model: DiskModel) -> None:
    repository = hub_cache.repository_of(path)
    if repository is None or path.parent.name == "blobs":
        plan.singles.append(path)
        return
    if not _is_below(repository / "blobs" / "any", repository) or not _is_below(repository / "any", root):
        raise ModelError(
            f"{model.name} lies outside the Hub cache, behind a link.", hint=f"Delete {repository} by hand."
        )
    blob = hub_cache.blob_of(path)
    if blob is None:  # a link to somewhere else
        plan.singles.append(path)
    elif blob not in plan.blobs.setdefault(repository, []):
        plan.blobs[repository].append(blob)


def _links_to(repository: Path, blobs: Sequence[Path]) -> Iterator[Path]:
    """Yield what must go before the blobs, in a repository that is too damaged for the Hub's library."""
    for folder, _, names in os.walk(repository / "snapshots"):
        for name in names:
            path = Path(folder, name)
            if is_link(path) and hub_cache.blob_of(path) in blobs:
                yield path


def _payload(path: Path) -> dict[object, tuple[Path, int]]:
    try:
        status = path.lstat()
    except OSError:
        return {}
    return {(status.st_dev, status.st_ino): (path, status.st_size)} if status.st_nlink == 1 else {}


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be deleted: {error.strerror}.", hint="Check the permissions of its folder."
        ) from error
