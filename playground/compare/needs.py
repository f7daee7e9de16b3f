"""What the lanes of a run will need: of the machine's own memory, and of its devices. For the plan of a run."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from playground.chat.options import LoadOptions
from playground.compare.events import Lane
from playground.compare.loading import chosen, wanted
from playground.engines.pool import EnginePool
from playground.engines.protocol import Device, MemoryUse, rpc_endpoints
from playground.errors import EngineError, ModelError
from playground.models.fit import estimate
from playground.models.gguf import GgufHeader, read_whole_header
from playground.models.placement import DeviceMemory, Placed, place
from playground.models.shape import shape_of


@dataclass(frozen=True, slots=True)
class Needs:
    """``host_bytes``: of the machine's own memory, by lane, given what its devices take.

    ``crowded``: lanes that would lie on the devices altogether if they were alone, and do not beside the others. The
    Library says of such a pair that it goes one after the other, by the same rule.
    """

    host_bytes: dict[str, int] = field(default_factory=dict)
    crowded: tuple[str, ...] = ()


def lane_needs(lanes: Sequence[Lane], devices: Sequence[Device], held: Mapping[str, int] = {}) -> Needs:
    """Return what lanes need that take the devices' free memory one after another. Reads the files' headers.

    ``held``: bytes by device that loaded models hold, which a lane would have if it were alone.
    """
    free = {device.name: device.free_bytes for device in devices}
    alone = {name: size + held.get(name, 0) for name, size in free.items()}
    sharing = {device.name for device in devices if shares_memory(device)}
    host_bytes, crowded = dict[str, int](), list[str]()
    for lane in lanes:
        try:
            header = read_whole_header(Path(lane.model.path))
            placed = _placed(header, lane, devices, free)
            is_crowded = not _is_whole(header, placed) and _is_whole(
                header, _placed(header, lane, devices, alone)
            )
        except (ModelError, EngineError):
            host_bytes[lane.slot] = lane.model.size_bytes
            continue
        for name, need in zip(placed.devices, placed.needs_bytes, strict=True):
            free[name] -= need
        weights = max(0, lane.model.size_bytes - placed.weights_bytes)
        if placed.devices and sharing.issuperset(placed.devices):
            host_bytes[lane.slot] = estimate(header, wanted(lane).context).total_bytes
        else:
            host_bytes[lane.slot] = weights + placed.host_bytes
        if is_crowded:
            crowded.append(lane.slot)
    return Needs(host_bytes, tuple(crowded))


async def look_at_devices(pool: EnginePool, loads: Iterable[LoadOptions], *, fresh: bool) -> None:
    """Have the pool know the devices that lanes may use, if any; ``fresh``: and what is free of them now."""
    using = [load for load in loads if load.gpu_layers not in ("none", 0)]
    if using:
        names = tuple(name for load in using for name in load.devices)
        await pool.known_devices(fresh=fresh, rpc=rpc_endpoints(names))


def shares_memory(device: Device) -> bool:
    """Return whether a device has no memory of its own but the machine's; Apple's, though llama.cpp calls it a GPU."""
    is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return device.kind == "integrated" or (is_apple and "://" not in device.name)


def held_on_devices(uses: Iterable[MemoryUse]) -> dict[str, int]:
    """Return the bytes that loaded models hold, by device, as they were measured."""
    held = dict[str, int]()
    for use in uses:
        for part in use.devices:
            if part.device != "CPU":
                size = part.weights_bytes + part.kv_bytes + part.compute_bytes
                held[part.device] = held.get(part.device, 0) + size
    return held


def _placed(header: GgufHeader, lane: Lane, devices: Sequence[Device], free: Mapping[str, int]) -> Placed:
    return place(header, _offered(lane, tuple(devices), free), wanted(lane))


def _is_whole(header: GgufHeader, placed: Placed) -> bool:
    return placed.layers == shape_of(header).all_layers + 1 and not placed.cpu_expert_layers


def _offered(lane: Lane, devices: tuple[Device, ...], free: Mapping[str, int]) -> tuple[DeviceMemory, ...]:
    if lane.load.gpu_layers in ("none", 0):
        return ()
    known = tuple(name for name in lane.load.devices if name in free)
    if lane.load.devices and not known:
        return ()
    found = chosen(devices, msgspec.structs.replace(lane.load, devices=known))
    return tuple(replace(device, free_bytes=max(0, free[device.name])) for device in found)
