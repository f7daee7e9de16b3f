"""A process and all that it started, as /proc tells: memory, threads, what its file systems hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_MOST_PROCESSES = 500
MOST_FILES = 2000
_DEEPEST = 50
IS_KNOWN = Path("/proc/self/statm").exists()
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Tree:
    """Resident bytes and threads of a process with its descendants; ``pids`` from the root on."""

    resident_bytes: int
    threads: int
    pids: tuple[int, ...]


def look(root: int) -> Tree:
    """Return what runs now. Processes that end meanwhile count as nothing."""
    resident_bytes, threads, waiting = 0, 0, [root]
    pids: list[int] = []
    while waiting and len(pids) < _MOST_PROCESSES:
        pid = waiting.pop()
        pids.append(pid)
        try:
            statm = Path(f"/proc/{pid}/statm").read_bytes().split()
            resident_bytes += int(statm[1]) * _PAGE_BYTES
            tasks = _tasks(pid)
            threads += len(tasks)
            waiting += [child for task in tasks for child in _children(pid, task)]
        except (OSError, ValueError, IndexError):
            continue
    return Tree(resident_bytes, threads, tuple(pids))


def children(pid: int) -> list[int]:
    """Return the processes that one has started and that still run."""
    try:
        return [child for task in _tasks(pid) for child in _children(pid, task)]
    except OSError:
        return []


def _tasks(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 -- looked at every few milliseconds


def _children(pid: int, task: str) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_bytes().split()]
    except (OSError, ValueError):
        return []


def threads_of_user(user: int) -> int:
    """Return how many threads a user has: what RLIMIT_NPROC is compared with outside of namespaces."""
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(_tasks(int(entry.name)))
        except OSError:
            continue
    return count


def mounted(path: str) -> tuple[int, int]:
    """Return bytes and files that a file system holds, zeros where it cannot be seen."""
    try:
        found = os.statvfs(path)
    except OSError:
        return 0, 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_files - found.f_ffree


def folder(path: str) -> tuple[int, int]:
    """Return bytes and files below a folder, counted until it is clear that there are too many."""
    size_bytes, count, waiting = 0, 0, [(path, 0)]
    while waiting and count < MOST_FILES:
        name, depth = waiting.pop()
        if depth > _DEEPEST:
            return size_bytes, MOST_FILES
        try:
            with os.scandir(name) as entries:
                for entry in islice(entries, MOST_FILES - count):
                    count += 1
                    size_bytes += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
        except OSError:
            continue
    return size_bytes, count
