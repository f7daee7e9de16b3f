"""This machine as fits are reckoned for it: the memory that is free, and the devices that a model would be put on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.chat.options import LoadOptions
from playground.compare.loading import chosen
from playground.compare.needs import held_on_devices, shares_memory
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
    uses = tuple(given_back)
    return this_machine(
        picked,
        device_total_bytes=sum(device.total_bytes for device in used),
        device_name=", ".join(dict.fromkeys(device.description or device.name for device in used)),
        is_unified=bool(used) and all(map(shares_memory, used)),
        given_back_bytes=sum(use.resident_bytes for use in uses),
        given_back=held_on_devices(uses),
    )
