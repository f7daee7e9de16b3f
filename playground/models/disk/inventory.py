"""Finds the models on this disk, whoever put them there. Blocking, made for a thread; changes and deletes nothing.

Where a file is reached by several ways it counts once, as its first place has it: the app's own and the Hub cache
come first, the user's folders last, so that what belongs to another program is never taken for the user's. An added
folder that is laid out as Ollama or Jan do it is theirs, moved.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from playground import config
from playground.errors import ModelError, NotFoundError
from playground.models import starter
from playground.models.disk import checksum, folders, hub_cache, jan, lm_studio, ollama, places
from playground.models.disk.assessment import assess, same_file
from playground.models.disk.file_kinds import is_file, is_folder
from playground.models.disk.file_notes import FileNotes
from playground.models.disk.findings import Candidate, Search, models_below
from playground.models.disk.header_facts import HeaderShelf
from playground.models.disk.inventory_values import Disk, DiskModel, DiskState, Place

OnFound = Callable[[DiskModel], None]


def scan(
    on_found: OnFound | None = None,
    cancel: threading.Event | None = None,
    machine: places.Machine | None = None,
) -> Disk:
    """Return all models on this disk. After ``cancel`` was set, soon, those that were found so far.

    ``on_found`` is called in this thread for each. Second scans read no file that has not changed.
    """
    search, machine = Search(cancel or threading.Event()), machine or places.this_machine()
    shelf, kept = HeaderShelf(), _Kept(checksum.kept_notes())
    for candidate in _candidates(machine, search):
        if search.cancel.is_set():
            break
        if (model := kept.take(candidate, shelf)) and on_found:
            on_found(model)
    shelf.save()
    total, free = _space(Path(places.hub_cache(machine)))
    return Disk(tuple(kept.models), total, free, tuple(search.folders), tuple(search.notes))


async def found_on_disk(on_found: OnFound | None = None) -> Disk:
    """Scan in a thread; ``on_found`` is called in the loop's. Cancelling the task ends the scan."""
    loop, cancel = asyncio.get_running_loop(), threading.Event()

    def hand_over(model: DiskModel) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_tell, model)

    def _tell(model: DiskModel) -> None:
        if on_found and not cancel.is_set():
            on_found(model)

    try:
        return await asyncio.to_thread(scan, hand_over, cancel)
    finally:
        cancel.set()


def roots(machine: places.Machine) -> list[tuple[Place, Path]]:
    """Return every folder that belongs to a program or was added; they need not exist."""
    found = [(Place.APP, config.folders().models), (Place.HUB, Path(places.hub_cache(machine)))]
    found += [(Place.LM_STUDIO, path) for path in lm_studio.folders(machine)]
    found += [(Place.OLLAMA, Path(path)) for path in places.ollama(machine)]
    found += [(Place.JAN, Path(path)) for path in places.jan(machine)]
    found += [(Place.GPT4ALL, Path(places.gpt4all(machine)))]
    found += [(Place.LLAMA_CPP, Path(places.llama_cpp(machine)))]
    return [(place, path.absolute()) for place, path in found]


def named(disk: Disk, text: str) -> DiskModel:
    """Return the model that a reference, a path or ``hf:owner/name[:QUANT]`` means, whatever its state.

    Raises NotFoundError when there is none, ModelError when there are several.
    """
    exact = [model for model in disk.models if text and text in (model.ref, model.path)]
    mark = same_file(Path(text)) if not exact and is_file(Path(text)) else None
    of_file = [model for model in disk.models if mark and mark in map(same_file, map(Path, model.files))]
    repo, _, quant = text.removeprefix("hf:").partition(":")
    of_repo = [
        model
        for model in disk.models
        if text.startswith("hf:") and model.repo == repo and quant.upper() in ("", *_quants(model))
    ]
    found = exact or of_file or of_repo
    if not found:
        raise NotFoundError(
            f"There is no model called {text} on this disk.",
            hint="Names and paths are listed by: playground models list --all",
        )
    if len(found) > 1:
        paths = ", ".join(model.path for model in found[:4])
        raise ModelError(f"{text} means {len(found)} models.", hint=f"Name one by its path: {paths}.")
    return found[0]


def _quants(model: DiskModel) -> tuple[str, str]:
    return model.quant.upper(), hub_cache.quant_of(Path(model.path)).upper()


def _candidates(machine: places.Machine, search: Search) -> Iterator[Candidate]:
    added = folders.added()
    if added.note:
        search.note(added.note)
    for place, root in [*roots(machine), *((Place.FOLDER, path) for path in added.paths)]:
        search.begin(root)
        if place is Place.FOLDER and not is_folder(root):
            search.note(f"{root} was added and is not there.")
        yield from _candidates_in(place, root, search)


def _candidates_in(place: Place, root: Path, search: Search) -> Iterator[Candidate]:
    if place is Place.APP:
        yield from sorted(models_below(root, place, search), key=_starter_first)
    elif place is Place.HUB:
        yield from hub_cache.models_in(root, place, search)
    elif place is Place.OLLAMA or ollama.is_its_own(root):
        yield from ollama.models_in(root, search)
    elif place is Place.JAN or jan.is_its_own(root):
        yield from jan.models_in(root, search)
    else:
        yield from hub_cache.models_and_folders(root, place, search)


def _starter_first(candidate: Candidate) -> tuple[bool, bool, str]:
    path = candidate.files[0]
    return path.parent != starter.folder(), path != starter.source_path(), path.name


class _Kept:
    """The models so far, each file once. Of the same content the first counts, the others are duplicates."""

    def __init__(self, hashed: FileNotes) -> None:
        self.models: list[DiskModel] = []
        self._hashed = hashed
        self._files: set[object] = set()
        self._refs: set[str] = set()
        self._contents: dict[tuple[str, ...], DiskModel] = {}

    def take(self, candidate: Candidate, shelf: HeaderShelf) -> DiskModel | None:
        """Return the model that a candidate is, None when it is none or known already."""
        mark = same_file(candidate.files[0])
        if mark in self._files:
            return None
        model = assess(candidate, shelf)
        if model is None:
            return None
        self._files.update(same_file(path) for path in candidate.files)
        words = self._own_words(candidate)
        if model.state is DiskState.READY:
            model = self._ready(candidate, msgspec.structs.replace(model, **words))
        self.models.append(model)
        return model

    def _ready(self, candidate: Candidate, model: DiskModel) -> DiskModel:
        content = tuple(
            known or checksum.known_sha256(path, self._hashed)
            for path, known in zip(
                candidate.files, candidate.sha256 or ("",) * len(candidate.files), strict=True
            )
        )
        first = self._contents.setdefault(content, model) if all(content) else model
        if first is model:
            return model
        return msgspec.structs.replace(
            model,
            state=DiskState.DUPLICATE,
            same_as=first.path,
            problem=f"It is the same as {first.name} in {places.NAMES[first.place]}.",
        )

    def _own_words(self, candidate: Candidate) -> dict[str, str]:
        """Return what a person types for it, and what the starter is called."""
        path = candidate.files[0]
        if path.parent == starter.folder():
            quant = starter.quant_of(path)
            ref = "starter" if quant == starter.QUANT else f"starter:{quant}"
            return {"ref": ref, "name": starter.NAME, "quant": quant, "licence": starter.LICENCE}
        ref = f"hf:{candidate.repo}:{hub_cache.quant_of(path)}"
        if candidate.place is not Place.HUB or candidate.is_partial or ref in self._refs:
            return {}
        self._refs.add(ref)  # of this one, be it broken: it is what the reference leads to
        return {"ref": ref}


def _space(folder: Path) -> tuple[int, int]:
    """Return the bytes of a folder's disk, all and free; of a folder that is not there yet, its parent's."""
    for place in (folder, *folder.parents):
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        return usage.total, usage.free
    return 0, 0
