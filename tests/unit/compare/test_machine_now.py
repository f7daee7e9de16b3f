"""This machine for the fits: which devices count, what they have, and what is given back."""

from __future__ import annotations

from playground.compare.machine_now import machine_now
from playground.engines.protocol import Device, DeviceUse, MemoryUse

_CPU = Device("CPU", "a processor", "cpu", 16, 16)
_GPU = Device("CUDA0", "RTX 4090", "gpu", 22, 24)
_CHIP = Device("Vulkan1", "a chip", "integrated", 8, 12)


def test_gpus_count_and_the_chip_beside_them_does_not() -> None:
    found = machine_now((_CPU, _GPU, _CHIP))
    assert [(device.name, device.free_bytes) for device in found.devices] == [("CUDA0", 22)]
    assert (found.device_name, found.device_total_bytes, found.is_unified) == ("RTX 4090", 24, False)
    assert found.total_bytes >= found.free_bytes > 0


def test_a_chip_alone_shares_the_machines_memory() -> None:
    found = machine_now((_CPU, _CHIP))
    assert found.is_unified
    assert [device.name for device in found.devices] == ["Vulkan1"]


def test_a_machine_without_devices_has_its_own_memory_only() -> None:
    for devices in ((), (_CPU,)):
        found = machine_now(devices)
        assert found.devices == ()
        assert not found.is_unified
        assert found.device_name == ""


def test_what_our_models_hold_is_given_back_where_they_hold_it() -> None:
    uses = (DeviceUse("CPU", 900, 80, 20), DeviceUse("CUDA0", 3, 2, 1))
    before = machine_now((_GPU,))
    after = machine_now((_GPU,), [MemoryUse(resident_bytes=1 << 60, devices=uses)] * 2)
    assert after.devices[0].free_bytes == before.devices[0].free_bytes + 12
    assert after.free_bytes == after.total_bytes
