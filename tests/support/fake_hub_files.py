"""What the fake Hub holds: files and repositories, and how its API describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

_LFS_FROM_BYTES = 1 << 20
_WHEN = "2026-10-01T00:00:00.000Z"


class HubContent:
    """One file, from bytes or from a file on disk. ``lfs``: None decides by name and size, as the Hub does."""

    def __init__(self, source: bytes | Path, *, name: str = "", lfs: bool | None = None) -> None:
        self.path = source if isinstance(source, Path) else None
        self._data = b"" if isinstance(source, Path) else source
        self.size = source.stat().st_size if isinstance(source, Path) else len(source)
        self.lfs = (name.endswith(".gguf") or self.size > _LFS_FROM_BYTES) if lfs is None else lfs

    @cached_property
    def sha256(self) -> str:
        if self.path is None:
            return hashlib.sha256(self._data).hexdigest()
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def pointer(self) -> bytes:
        lines = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n"
        return lines.encode()

    @cached_property
    def git_oid(self) -> str:
        body = self.pointer if self.lfs else self.read(0, self.size)
        return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.git_oid

    def read(self, start: int, length: int) -> bytes:
        if self.path is None:
            return self._data[start : start + length]
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def entry(self, name: str) -> dict[str, Any]:
        """Return the file as ``tree`` and ``paths-info`` describe it."""
        described: dict[str, Any] = {"type": "file", "oid": self.git_oid, "size": self.size, "path": name}
        if self.lfs:
            described["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": len(self.pointer)}
        return described

    def sibling(self, name: str, *, blobs: bool) -> dict[str, Any]:
        """Return the file as ``model_info`` describes it."""
        described: dict[str, Any] = {"rfilename": name}
        if blobs:
            described |= {"size": self.size, "blobId": self.git_oid}
            if self.lfs:
                described["lfs"] = {
                    "sha256": self.sha256,
                    "size": self.size,
                    "pointerSize": len(self.pointer),
                }
        return described


@dataclass
class HubRepo:
    """One repository. ``tokens`` may read it when it is gated or private. ``meta``: what the API adds or replaces."""

    id: str
    files: dict[str, HubContent]
    sha: str
    refs: dict[str, str]
    gated: bool | str = False
    private: bool = False
    tokens: set[str] = field(default_factory=set)
    meta: dict[str, Any] = field(default_factory=dict)

    def commit_of(self, revision: str) -> str | None:
        """Return the commit of a branch or of a commit's first 7 or more digits."""
        if revision in self.refs:
            return self.refs[revision]
        commits = {self.sha, *self.refs.values()}
        found = [c for c in commits if len(revision) >= 7 and c.startswith(revision)]
        return found[0] if found else None

    def info(self, *, blobs: bool = False, expand: Iterable[str] = ()) -> dict[str, Any]:
        """Return the repository as ``model_info`` and the search describe it."""
        described: dict[str, Any] = {
            "_id": self.sha[:24],
            "id": self.id,
            "modelId": self.id,
            "author": self.id.partition("/")[0],
            "sha": self.sha,
            "lastModified": _WHEN,
            "createdAt": _WHEN,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "trendingScore": 0,
            "tags": ["gguf", "region:us"],
            "pipeline_tag": "text-generation",
            "library_name": "gguf",
            "siblings": [file.sibling(name, blobs=blobs) for name, file in self.files.items()],
            "usedStorage": sum(file.size for file in self.files.values()),
            **self.meta,
        }
        wanted = {*expand, "_id", "id", "modelId"}
        return {key: value for key, value in described.items() if key in wanted} if expand else described

    def tree(self, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
        """Return the files and folders below a folder, in the order of the files."""
        prefix = f"{folder.rstrip('/')}/" if folder else ""
        found: dict[str, dict[str, Any]] = {}
        for name, file in self.files.items():
            if not name.startswith(prefix):
                continue
            parts = name[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
                path = prefix + "/".join(parts[:depth])
                oid = hashlib.sha1(path.encode()).hexdigest()
                found.setdefault(path, {"type": "directory", "oid": oid, "size": 0, "path": path})
            if recursive or len(parts) == 1:
                found[name] = file.entry(name)
        return list(found.values())


def make_repo(
    repo_id: str,
    files: Mapping[str, bytes | Path | HubContent],
    *,
    sha: str = "",
    gated: bool | str = False,
    private: bool = False,
    tokens: Iterable[str] = (),
    **meta: Any,  # noqa: ANN401 -- JSON of the API
) -> HubRepo:
    """Return a repository whose only branch is ``main``; its commit comes from its name unless ``sha`` says it."""
    content = {
        name: file if isinstance(file, HubContent) else HubContent(file, name=name)
        for name, file in files.items()
    }
    commit = sha or hashlib.sha1(repo_id.encode()).hexdigest()
    return HubRepo(repo_id, content, commit, {"main": commit}, gated, private, set(tokens), meta)
