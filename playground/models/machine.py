"""The memory that a model is held against: this machine's, as it is now, or another's, by numbers typed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.models import hardware
from playground.models.fitness import Machine
from playground.models.placement import DeviceMemory

TYPED_DEVICE = "GPU"


def this_machine(
    devices: Sequence[DeviceMemory] = (),
    *,
    device_total_bytes: int = 0,
    device_name: str = "",
    is_unified: bool = False,
    given_back_bytes: int = 0,
    given_back: Mapping[str, int] | None = None,
) -> Machine:
    """Return this machine with what is free now, so without what other programs and loaded models hold.

    ``devices``: what an engine's ``describe`` tells of the GPUs. ``given_back_bytes`` (own memory) and ``given_back``
    (by device): what our own models hold that will be unloaded first.
    """
    back = given_back or {}
    total = hardware.total_memory_bytes()
    return Machine(
        total_bytes=total,
        free_bytes=min(total, hardware.available_memory_bytes() + max(0, given_back_bytes)),
        devices=tuple(DeviceMemory(d.name, d.free_bytes + max(0, back.get(d.name, 0))) for d in devices),
        device_total_bytes=device_total_bytes,
        device_name=device_name,
        is_unified=is_unified,
    )


def typed(memory_bytes: int | None, gpu_memory_bytes: int | None) -> Machine:
    """Return a machine with so much free; without a number for its own memory it has this machine's."""
    gpu = gpu_memory_bytes or 0
    return Machine(
        total_bytes=hardware.total_memory_bytes() if memory_bytes is None else memory_bytes,
        free_bytes=hardware.available_memory_bytes() if memory_bytes is None else memory_bytes,
        devices=(DeviceMemory(TYPED_DEVICE, gpu),) if gpu > 0 else (),
        device_total_bytes=gpu,
        device_name=TYPED_DEVICE if gpu > 0 else "",
    )
