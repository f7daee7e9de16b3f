"""Memory: llama.cpp's own figures, read from its log, and the process's, from the operating system."""

from __future__ import annotations

import re
import sys

import psutil

from playground.engines.protocol import MemoryUse

_MIB = 1 << 20
_PATTERNS = {
    "weights_bytes": re.compile(r"model buffer size = +([\d.]+) MiB"),
    "kv_bytes": re.compile(r"(?:KV|RS) buffer size = +([\d.]+) MiB"),
    "compute_bytes": re.compile(r"(?:compute|output) buffer size = +([\d.]+) MiB"),
}


def from_log(text: str) -> dict[str, int]:
    """Return the buffer sizes, bytes, that llama.cpp reported while it loaded and made its context."""
    return {
        name: int(sum(float(size) for size in pattern.findall(text)) * _MIB)
        for name, pattern in _PATTERNS.items()
    }


def memory_use(buffers: dict[str, int]) -> MemoryUse:
    """Return the buffers with the process's memory now and at its highest."""
    resident = psutil.Process().memory_info().rss
    return MemoryUse(**buffers, resident_bytes=resident, peak_bytes=max(resident, _peak_bytes()))


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
