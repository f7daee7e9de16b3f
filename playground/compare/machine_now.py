"""This machine as fits are reckoned for it: the memory that is free, and the devices that a model would be put on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence

from playground.chat.options import LoadOptions
from playground.compare.loading import chosen
from playground.engines.protocol import Device, MemoryUse
from playground.models.fitness import Machine
from playground.models.machine import this_machine


def machine_now(devices: Sequence[Device], given_back: Iterable[MemoryUse] = ()) -> Machine:
    """Return the machine with what is free now. Blocking, a millisecond.

    ``devices``: what an engine's ``describe`` told, with their free memory. ``given_back``: models of ours that will be
    unloaded first, as they were measured.
    """
    picked = chosen(tuple(devices), LoadOptions())
    known = {device.name: device for device in devices}
    used = [known[device.name] for device in picked]
    own, by_device = _given_back(given_back)
    return this_machine(
        picked,
        device_total_bytes=sum(device.total_bytes for device in used),
        device_name=", ".join(dict.fromkeys(device.description or device.name for device in used)),
        is_unified=bool(used) and (_is_apple() or all(device.kind == "integrated" for device in used)),
        given_back_bytes=own,
        given_back=by_device,
    )


def _given_back(uses: Iterable[MemoryUse]) -> tuple[int, dict[str, int]]:
    own, by_device = 0, dict[str, int]()
    for use in uses:
        own += use.resident_bytes
        for part in use.devices:
            if part.device != "CPU":
                size = part.weights_bytes + part.kv_bytes + part.compute_bytes
                by_device[part.device] = by_device.get(part.device, 0) + size
    return own, by_device


def _is_apple() -> bool:
    """Return whether the GPU has the machine's own memory, though llama.cpp calls it a GPU like any other."""
    return sys.platform == "darwin" and platform.machine() == "arm64"
