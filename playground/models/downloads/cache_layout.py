"""How a file lies in the Hub's cache: parts, blobs, links, refs and locks, as the Hub's own tools lay them.

    models--OWNER--NAME/blobs/<sha256>[.incomplete]    snapshots/<commit>/<path> -> ../../blobs/<sha256>
    models--OWNER--NAME/refs/<branch>                  .locks/models--OWNER--NAME/<sha256>.lock

Owns every path that a download writes to: names that lead out of the cache are refused, and so are folders that are
links to the outside. Knows no network. OSErrors become sentences in ``disk_error``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from playground.errors import DownloadError, DownloadErrorKind
from playground.models.downloads.file_lock import FileLock

_REPO = re.compile(r"(?=.{1,96}$)[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", re.ASCII)
_BRANCH = re.compile(r"[\w.-]{1,100}(/[\w.-]{1,100}){0,4}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RESERVED = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]')
_LONGEST_STEP_BYTES = 240  # of 255: a temporary name is longer
_LARGEST_MARGIN_BYTES = 256 << 20  # what the disk must have besides the files
_DISABLED = "HF_HUB_DISABLE_SYMLINKS"
_TRUE = ("1", "ON", "YES", "TRUE")
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Backup tools may skip this folder: https://bford.info/cachedir/\n"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_error(error: OSError, path: Path) -> DownloadError:
    """Return what a failure to write means."""
    if error.errno in _FULL:
        return DownloadError(
            DownloadErrorKind.DISK_FULL,
            f"The disk of {path.parent} is full.",
            hint="Free some space and go on; what is here is kept.",
        )
    return DownloadError(
        DownloadErrorKind.PERMISSION,
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Check the folder's permissions, or set HF_HOME to another one.",
    )


def free_bytes_at(folder: Path) -> int:
    """Return what is free on the disk of a folder, or of the nearest one above it that is there and may be looked at.

    Raises DownloadError.
    """
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110 -- Path's raises without permission
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise disk_error(error, folder) from error


def check_room(folder: Path, missing_bytes: int, name: str) -> None:
    """Raise DownloadError when the disk of a folder, or of what will be its parent, has no room for what is missing."""
    needed_bytes = missing_bytes + min(_LARGEST_MARGIN_BYTES, missing_bytes // 10)
    free_bytes = free_bytes_at(folder)
    if missing_bytes and free_bytes < needed_bytes:
        raise DownloadError(
            DownloadErrorKind.DISK_FULL,
            f"{name} needs {needed_bytes / 1e9:.2f} GB more on the disk, which has {free_bytes / 1e9:.2f} GB left.",
            hint="Free some space, or move the cache with HF_HOME; what is here is kept.",
        )


@dataclass(frozen=True)
class CachedFile:
    """One file of a repository at a commit. ``etag``: its sha256, or the git hash of a small text.

    Raises DownloadError for a name that is none or leads out of the cache.
    """

    cache: Path
    repo: str
    commit: str
    path: str
    etag: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache", self.cache.resolve())
        steps = self.path.split("/")
        _refuse_unless(_REPO.fullmatch(self.repo) is not None and "--" not in self.repo, self.repo)
        _refuse_unless(".." not in self.repo and "./" not in self.repo, self.repo)
        _refuse_unless(_COMMIT.fullmatch(self.commit) is not None, self.commit)
        _refuse_unless(_ETAG.fullmatch(self.etag) is not None, self.etag)
        _refuse_unless(all(_is_step(step) for step in steps), self.path)

    @cached_property
    def folder(self) -> Path:
        """Return the repository's folder."""
        return self.cache / "--".join(["models", *self.repo.split("/")])

    @property
    def blob(self) -> Path:
        """Return where the content lies."""
        return self.folder / "blobs" / self.etag

    @property
    def part(self) -> Path:
        """Return where it is collected."""
        return self.folder / "blobs" / f"{self.etag}.incomplete"

    @property
    def snapshot(self) -> Path:
        """Return the path that is given to others."""
        return self.folder / "snapshots" / self.commit / self.path

    @property
    def lock(self) -> Path:
        """Return the lock that all tools take while they fetch it."""
        return self.cache / ".locks" / self.folder.name / f"{self.etag}.lock"

    def prepare(self) -> None:
        """Make the folders. Raises DownloadError when they cannot be made, or lead out of the cache."""
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            for path in (self.lock, self.blob, self.snapshot):
                self._make_folders(path.parent)
        except OSError as error:
            raise disk_error(error, self.blob) from error
        with contextlib.suppress(OSError), (self.cache / "CACHEDIR.TAG").open("x") as file:
            file.write(_TAG)

    def candidates(self) -> list[Path]:
        """Return files inside the cache that may hold the content already."""
        places = [self.blob]
        if self.snapshot.resolve() != self.blob.resolve():
            places.append(self.snapshot)
        return [path for path in places if path.is_file() and self._is_inside(path)]

    def collected_bytes(self) -> int:
        """Return how much of it anybody has collected by now: the Hub's tools give their parts names of their own."""
        parts = self.part.parent.glob(f"{self.etag}*.incomplete")
        with contextlib.suppress(OSError):  # one was finished meanwhile
            return sum(part.stat().st_size for part in parts)
        return 0

    def publish(self) -> Path:
        """Make the finished part the blob and link it; without symbolic links, move it to its place. Raises OSError."""
        if not self._has_symlinks():
            self.part.replace(self.snapshot)
            return self.snapshot
        self.part.replace(self.blob)
        return self.link()

    def discard(self) -> None:
        """Delete the part, unless another process is busy with it, and folders that are empty then. Raises OSError."""
        if not self._is_inside(self.part.parent) or not (self.part.exists() or self.part.is_symlink()):
            return
        lock = FileLock(self.lock)
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_inside(self.lock.parent) or not lock.take():
            return
        self.part.unlink(missing_ok=True)
        lock.give_back()
        for folder in (self.snapshot.parent, self.folder / "snapshots", self.blob.parent, self.folder):
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()

    def link(self) -> Path:
        """Let the snapshot lead to the blob, unless it holds the content itself. Raises OSError."""
        if not self.blob.exists() or self.snapshot.resolve() == self.blob.resolve():
            return self.snapshot
        if not self._has_symlinks():
            self.blob.replace(self.snapshot)
            return self.snapshot
        link = self.snapshot.with_name(f".{os.getpid()}.{self.etag[:16]}.tmp")
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(self.blob, self.snapshot.parent))
        link.replace(self.snapshot)
        return self.snapshot

    def write_ref(self, branch: str) -> None:
        """Let a branch name the commit: newer llama.cpp looks there. Raises OSError, DownloadError."""
        if branch == self.commit:
            return
        _refuse_unless(_BRANCH.fullmatch(branch) is not None and ".." not in branch, branch)
        ref = self.folder / "refs" / branch
        self._make_folders(ref.parent)
        fresh = ref.with_name(f".{os.getpid()}.{self.etag[:16]}.tmp")
        fresh.unlink(missing_ok=True)
        with fresh.open("x") as file:
            file.write(self.commit)
        fresh.replace(ref)

    def _make_folders(self, folder: Path) -> None:
        current = self.cache
        for step in folder.relative_to(self.cache).parts:
            current /= step
            if current.is_symlink() and not self._is_inside(current):
                raise DownloadError(
                    DownloadErrorKind.PERMISSION,
                    f"{current} is a link that leads out of the cache.",
                    hint="Remove the link, or move the whole cache with HF_HOME.",
                )
            current.mkdir(exist_ok=True)

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.cache)

    def _has_symlinks(self) -> bool:
        if os.environ.get(_DISABLED, "").upper() in _TRUE:
            return False
        probe = self.part.with_name(f".{os.getpid()}.link")
        try:
            probe.unlink(missing_ok=True)
            probe.symlink_to(self.etag)
            probe.unlink()
        except OSError:
            return False
        return True


def _is_step(step: str) -> bool:
    return (
        step not in ("", ".", "..")
        and not _RESERVED.search(step)
        and step.isprintable()
        and len(os.fsencode(step)) <= _LONGEST_STEP_BYTES
    )


def _refuse_unless(is_good: bool, name: str) -> None:
    if not is_good:
        raise DownloadError(
            DownloadErrorKind.LYING,
            f"The Hub names something that cannot be stored safely: {name!r}.",
            hint="Nothing was written. Choose another model.",
        )
