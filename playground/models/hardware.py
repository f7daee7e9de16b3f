"""What this machine has: cores and memory, as far as this process may use them, and graphics processors."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

Vendor = Literal["NVIDIA", "AMD", "Intel", "Apple"]
_PCI_DEVICES = Path("/sys/bus/pci/devices")
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/gpus")
_CPU_INFO = Path("/proc/cpuinfo")
_DISPLAY_CLASS = "0x03"
_VENDORS: dict[str, Vendor] = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_INTEGRATED_VRAM_BYTES = 4 << 30  # what a machine's firmware sets aside for a chip without memory of its own


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor that is physically there. ``name`` is empty when the system does not tell it.

    ``is_integrated``: it shares the machine's memory, or nothing shows that it has its own; whether llama.cpp can use
    it is open.
    """

    vendor: Vendor
    name: str = ""
    is_integrated: bool = False


def gpus(pci_devices: Path = _PCI_DEVICES, nvidia_driver: Path = _NVIDIA_DRIVER) -> tuple[Gpu, ...]:
    """Return the graphics processors of this machine, as the system lists them, without any driver of llama.cpp.

    Empty on Windows, where nothing is looked for.
    """
    if sys.platform == "darwin":
        return (Gpu("Apple"),) if platform.machine() == "arm64" else ()
    try:
        folders = sorted(pci_devices.iterdir())
    except OSError:
        return ()
    found = (
        _gpu(folder, nvidia_driver)
        for folder in folders
        if _text(folder / "class").startswith(_DISPLAY_CLASS)
    )
    return tuple(gpu for gpu in found if gpu is not None)


def _gpu(folder: Path, nvidia_driver: Path) -> Gpu | None:
    vendor = _VENDORS.get(_text(folder / "vendor"))
    if vendor == "NVIDIA":
        lines = _text(nvidia_driver / folder.name / "information").splitlines()
        models = [line.removeprefix("Model:").strip() for line in lines if line.startswith("Model:")]
        return Gpu(vendor, models[0] if models else "")
    if vendor == "AMD":
        own_bytes = _number(folder / "mem_info_vram_total") or 0
        return Gpu(vendor, _text(folder / "product_name"), is_integrated=own_bytes <= _INTEGRATED_VRAM_BYTES)
    if vendor == "Intel":
        return Gpu(
            vendor, is_integrated=folder.name.partition(":")[2].startswith("00:")
        )  # on the processor's bus
    return None


def processor_name() -> str:
    """Return what the processor calls itself; where the system does not tell, its family or architecture."""
    names = (line for line in _text(_CPU_INFO).splitlines() if line.startswith("model name"))
    named = next((line.partition(":")[2].strip() for line in names), "")
    return named or platform.processor() or platform.machine()


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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
