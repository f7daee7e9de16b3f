"""Whether a candidate is a model, which one, and what is wrong with it: one look at its headers. Deletes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from playground.errors import ModelError, one_line
from playground.models.disk import places
from playground.models.disk.checksum import size_bytes
from playground.models.disk.file_kinds import is_link
from playground.models.disk.findings import Candidate, missing_words
from playground.models.disk.header_facts import HeaderFacts, HeaderShelf, has_magic, name_of_file
from playground.models.disk.inventory_values import DiskModel, DiskState

_EMPTY = HeaderFacts("", "", "", "", 0, 0, is_base=False, end_bytes=0)


class _Refused(msgspec.Struct, frozen=True):
    """Why a file cannot be used."""

    state: DiskState
    problem: str
    is_gone: bool = False


def assess(candidate: Candidate, shelf: HeaderShelf) -> DiskModel | None:
    """Return the model, READY or with its problem; None for what is no model or has vanished."""
    size = sum(size_bytes(path) for path in candidate.files)
    if candidate.is_partial:
        return _partial(candidate, shelf, size)
    facts: list[HeaderFacts] = []
    refused = None
    for path in candidate.files:
        found = _looked_into(path, shelf)
        if isinstance(found, HeaderFacts):
            facts.append(found)
            refused = refused or _cut(path, found)
        else:
            refused = refused or found
    first = facts[0] if facts else _EMPTY
    if not first.is_model or (refused is None and not facts):
        return None
    if refused and refused.is_gone and not candidate.name:
        return None  # nobody but its folder named it, and that no longer does
    if candidate.missing:
        refused = _Refused(DiskState.PART_MISSING, missing_words(candidate))
    elif refused is None and not first.arch:
        refused = _Refused(DiskState.BROKEN, "It does not name an architecture.")
    params = sum(part.params for part in facts)
    return _model(candidate, msgspec.structs.replace(first, params=params), size, refused)


def _looked_into(path: Path, shelf: HeaderShelf) -> HeaderFacts | _Refused:
    try:
        return shelf.read(path)
    except ModelError as error:
        words = error.message
        if path.parent.name == "blobs" and not has_magic(path):
            words = "It is kept in a format of its own that llama.cpp does not load."
        return _Refused(DiskState.BROKEN, words)
    except FileNotFoundError:
        if is_link(path):
            return _Refused(DiskState.BROKEN, "It is a link to a file that is not there.")
        return _Refused(DiskState.BROKEN, "Its file is not there.", is_gone=True)
    except OSError as error:
        return _Refused(DiskState.UNREADABLE, one_line(f"It cannot be read: {error.strerror}."))
    except ValueError:
        return _Refused(DiskState.BROKEN, "Its path is none that a file can have.")


def _cut(path: Path, facts: HeaderFacts) -> _Refused | None:
    size = size_bytes(path)
    if size >= facts.end_bytes:
        return None
    return _Refused(DiskState.BROKEN, f"It ends early: {_of(size, facts.end_bytes)} are there.")


def _partial(candidate: Candidate, shelf: HeaderShelf, size: int) -> DiskModel | None:
    """Return a download that did not end, None where nothing says that it is one of a model."""
    path = candidate.files[0]
    found = _looked_into(path, shelf)
    if isinstance(found, _Refused) and not has_magic(path):
        return None
    facts = found if isinstance(found, HeaderFacts) else _EMPTY
    if not facts.is_model:
        return None
    fraction = candidate.fraction
    if fraction is not None:
        size = int(size * fraction)
    elif facts.end_bytes:
        fraction = min(1.0, size / facts.end_bytes)
    here = f"{fraction:.0%} is here" if fraction is not None else f"{_gb(size)} are here"
    refused = _Refused(DiskState.PARTIAL, f"Its download did not end: {here}.")
    return _model(candidate, facts, size, refused, fraction)


def _model(
    candidate: Candidate,
    facts: HeaderFacts,
    size: int,
    refused: _Refused | None,
    fraction: float | None = None,
) -> DiskModel:
    path = str(candidate.files[0])
    return DiskModel(
        ref="" if refused else path,
        path=path,
        name=_name(candidate, facts),
        place=candidate.place,
        state=refused.state if refused else DiskState.READY,
        size_bytes=size,
        files=tuple(str(file) for file in candidate.files),
        arch=facts.arch,
        quant=facts.quant,
        params=facts.params,
        n_ctx_train=facts.n_ctx_train,
        licence=facts.licence or candidate.licence,
        repo=candidate.repo,
        is_base=facts.is_base,
        problem=refused.problem if refused else "",
        fraction=fraction,
    )


def _name(candidate: Candidate, facts: HeaderFacts) -> str:
    if candidate.name:
        return candidate.name
    path = candidate.files[0]
    if path.parent.name == "blobs":  # the file's own name is a number
        repo = candidate.repo.rpartition("/")[2]
        from_header = facts.name if facts.name != name_of_file(path.name) else ""
        return from_header or repo or f"Download of {places.NAMES[candidate.place]}"
    return facts.name or name_of_file(path.name)


def same_file(path: Path) -> object:
    """Return what two paths of one file have in common."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return os.path.normcase(path)
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _of(size: int, whole: int) -> str:
    return f"{size:,} of {whole:,} bytes" if whole < 10**7 else f"{size / 1e9:.2f} of {whole / 1e9:.2f} GB"


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
