"""Memory: llama.cpp's own figures for each device, read from its log, and the process's, from the system."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable

import msgspec
import psutil

from playground.engines.llama.devices import name_of_buffer
from playground.engines.protocol import DeviceUse, MemoryUse

_MIB = 1 << 20
_LINE = re.compile(r"(\S+) +(model|KV|RS|compute|output) buffer size = +([\d.]+) MiB")
_FIELDS = {
    "model": "weights_bytes",
    "KV": "kv_bytes",
    "RS": "kv_bytes",
    "compute": "compute_bytes",
    "output": "compute_bytes",
}


def from_log(lines: Iterable[str]) -> tuple[DeviceUse, ...]:
    """Return what llama.cpp said of each device's buffers while it loaded a model and made its contexts."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for buffer, kind, size in (match.groups() for line in lines if (match := _LINE.search(line))):
        found[name_of_buffer(buffer)][_FIELDS[kind]] += int(float(size) * _MIB)
    return tuple(DeviceUse(device, **sizes) for device, sizes in found.items())


def memory_use(devices: tuple[DeviceUse, ...]) -> MemoryUse:
    """Return the buffers with the process's memory now and at its highest."""
    resident = psutil.Process().memory_info().rss
    return MemoryUse(
        weights_bytes=sum(use.weights_bytes for use in devices),
        kv_bytes=sum(use.kv_bytes for use in devices),
        compute_bytes=sum(use.compute_bytes for use in devices),
        resident_bytes=resident,
        peak_bytes=max(resident, _peak_bytes()),
        devices=tuple(use for use in devices if any(msgspec.structs.astuple(use)[1:])),
    )


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
