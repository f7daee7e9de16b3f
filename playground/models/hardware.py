"""What this machine has: physical cores and memory, as far as this process may use them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def physical_cores() -> int:
    """Return the physical cores that this process may use: at least 1, at most its affinity and CPU quota."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    quota = _cpu_quota()
    return max(1, min(cores, quota) if quota else cores)


def total_memory_bytes() -> int:
    """Return the memory that this process could use at most."""
    limit = _memory_limit_bytes()
    total = int(psutil.virtual_memory().total)
    return min(total, limit) if limit else total


def available_memory_bytes() -> int:
    """Return the memory that can be taken now without swapping."""
    available = int(psutil.virtual_memory().available)
    limit = _memory_limit_bytes()
    if not limit:
        return available
    used = _number(Path("/sys/fs/cgroup/memory.current")) or 0
    return max(0, min(available, limit - used))


def _memory_limit_bytes() -> int | None:
    return _number(Path("/sys/fs/cgroup/memory.max"))


def _cpu_quota() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
