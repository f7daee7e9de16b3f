"""The Hub's answers, as JSON, turned into values. What is missing or of another type is left empty; nothing is trusted.

Only what a download depends on, commit, paths and sizes, must be right. Sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from playground.errors import one_line
from playground.models.hub.grouping import group_files, is_safe, problems
from playground.models.hub.hub_reference import is_repo
from playground.models.hub.hub_refusals import bad_answer
from playground.models.hub.repository import FoundModel, Gate, HubFile, Repository

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 1 << 50
_LONGEST_TEXT = 200


def found_models(answer: object) -> tuple[FoundModel, ...]:
    """Return the lines of a search; those without a usable name are left out. Raises HubError."""
    if not isinstance(answer, list):
        raise bad_answer("the search", "it is no list of models")
    rows = [_mapping(row) for row in answer]
    return tuple(_found(row) for row in rows if is_repo(_text(row, "id")))


def tree_files(answer: object, subject: str) -> list[HubFile]:
    """Return the files of one page of a tree. Raises HubError when a path or a size is not what it should be."""
    if not isinstance(answer, list):
        raise bad_answer(subject, "it is no list of files")
    entries = [_mapping(entry) for entry in answer]
    return [_file(entry, subject) for entry in entries if entry.get("type") != "directory"]


def commit_of(answer: object, subject: str) -> str:
    """Return the commit that a description is about. Raises HubError."""
    commit = _mapping(answer).get("sha")
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise bad_answer(subject, "it names no commit")
    return commit


def repository_of(answer: object, asked: str, branch: str, files: Sequence[HubFile], page: str) -> Repository:
    """Return a model's page from its description and its files. Raises HubError."""
    row = _mapping(answer)
    card, gguf = _mapping(row.get("cardData")), _mapping(row.get("gguf"))
    name = _text(row, "id")
    safe = tuple(file for file in files if is_safe(file.path))
    return Repository(
        id=name if is_repo(name) else asked,
        commit=commit_of(answer, asked),
        branch=branch,
        gated=_gate(row),
        licence=_licence(card) or _tagged(row, "license:"),
        licence_url=_licence_url(card, page),
        downloads=_count(row, "downloads"),
        likes=_count(row, "likes"),
        modified=_text(row, "lastModified"),
        params=_count(gguf, "total"),
        arch=_text(gguf, "architecture"),
        n_ctx_train=_count(gguf, "context_length"),
        base_models=_base_models(row, card),
        quants=group_files(safe),
        files=safe,
        notes=problems(files),
    )


def _found(row: Mapping[str, object]) -> FoundModel:
    gguf = _mapping(row.get("gguf"))
    return FoundModel(
        id=_text(row, "id"),
        downloads=_count(row, "downloads"),
        likes=_count(row, "likes"),
        modified=_text(row, "lastModified"),
        gated=_gate(row),
        licence=_tagged(row, "license:"),
        params=_count(gguf, "total"),
        arch=_text(gguf, "architecture"),
        n_ctx_train=_count(gguf, "context_length"),
    )


def _file(entry: Mapping[str, object], subject: str) -> HubFile:
    path, lfs = entry.get("path"), _mapping(entry.get("lfs"))
    size, digest = lfs.get("size", entry.get("size")), lfs.get("oid")
    if not isinstance(path, str) or not path or not _is_count(size):
        raise bad_answer(subject, "a file in it has no name or no size")
    sha256 = digest if isinstance(digest, str) and _SHA256.fullmatch(digest) else ""
    return HubFile(path, size if isinstance(size, int) else 0, sha256)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return one_line(value, _LONGEST_TEXT) if isinstance(value, str) else ""


def _count(row: Mapping[str, object], key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) and _is_count(value) else 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [one_line(item, _LONGEST_TEXT) for item in items[:100] if isinstance(item, str)]


def _gate(row: Mapping[str, object]) -> Gate:
    gated = row.get("gated")
    if gated == "manual":
        return "manual"
    return "auto" if gated else ""


def _tagged(row: Mapping[str, object], prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in _texts(row.get("tags")) if tag.startswith(prefix)), "")


def _licence(card: Mapping[str, object]) -> str:
    named = _text(card, "license_name")
    licence = ", ".join(_texts(card.get("license")))
    return named if named and licence in ("", "other") else licence


def _licence_url(card: Mapping[str, object], page: str) -> str:
    """Return an address that a browser may open, empty where the card gives none. A bare name is a file's."""
    link = _text(card, "license_link")
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        return ""
    if not scheme and re.fullmatch(r"[\w.-]+", link):
        return f"{page}/blob/main/{link}"
    return link if scheme in ("http", "https") else ""


def _base_models(row: Mapping[str, object], card: Mapping[str, object]) -> tuple[str, ...]:
    tagged = [tag.rpartition(":")[2] for tag in _texts(row.get("tags")) if tag.startswith("base_model:")]
    named = _texts(card.get("base_model")) or list(dict.fromkeys(tagged))
    return tuple(name for name in named if is_repo(name))
