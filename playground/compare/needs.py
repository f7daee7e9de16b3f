"""How much of the machine's own memory each lane will need, given what its devices take. For the plan of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from playground.compare.events import Lane
from playground.compare.loading import chosen, wanted
from playground.engines.protocol import Device
from playground.errors import EngineError, ModelError
from playground.models.gguf import read_whole_header
from playground.models.placement import DeviceMemory, place


def host_needs(lanes: Sequence[Lane], devices: Sequence[Device]) -> dict[str, int]:
    """Return bytes by lane; the lanes take the devices' free memory one after another. Reads the files' headers."""
    free = {device.name: device.free_bytes for device in devices}
    needs = {}
    for lane in lanes:
        try:
            header = read_whole_header(Path(lane.model.path))
            offered = _offered(lane, tuple(devices), free)
        except (ModelError, EngineError):
            needs[lane.slot] = lane.model.size_bytes
            continue
        placed = place(header, offered, wanted(lane))
        for name, need in zip(placed.devices, placed.needs_bytes, strict=True):
            free[name] -= need
        weights = max(0, lane.model.size_bytes - placed.weights_bytes)
        needs[lane.slot] = weights + placed.host_bytes
    return needs


def _offered(lane: Lane, devices: tuple[Device, ...], free: dict[str, int]) -> tuple[DeviceMemory, ...]:
    if lane.load.gpu_layers in ("none", 0):
        return ()
    known = tuple(name for name in lane.load.devices if name in free)
    if lane.load.devices and not known:
        return ()
    found = chosen(devices, msgspec.structs.replace(lane.load, devices=known))
    return tuple(replace(device, free_bytes=max(0, free[device.name])) for device in found)
