"""Graphics processors found in a made-up system, and how much of the machine there is."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from playground.models import hardware
from playground.models.hardware import Gpu

_GIB = 1 << 30


@pytest.fixture
def pci(tmp_path: Path) -> Path:
    folder = tmp_path / "devices"
    folder.mkdir()
    return folder


def _device(pci: Path, address: str, **files: str) -> None:
    folder = pci / address
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


def _nvidia(tmp_path: Path, address: str, information: str) -> Path:
    driver = tmp_path / "nvidia"
    (driver / address).mkdir(parents=True)
    (driver / address / "information").write_text(information, encoding="utf-8")
    return driver


def test_graphics_processors_are_told_from_other_devices(pci: Path, tmp_path: Path) -> None:
    amd = {"vendor": "0x1002", "class": "0x030000"}
    _device(pci, "0000:00:00.0", vendor="0x8086", **{"class": "0x060000"})  # a bridge
    _device(pci, "0000:00:02.0", vendor="0x8086", **{"class": "0x030000"})
    _device(pci, "0000:01:00.0", vendor="0x10de", **{"class": "0x030000"})
    _device(pci, "0000:01:00.1", vendor="0x10de", **{"class": "0x040300"})  # its sound
    _device(pci, "0000:02:00.0", vendor="0x10de", **{"class": "0x030200"})
    _device(pci, "0000:03:00.0", product_name="Radeon RX 7900 XTX", mem_info_vram_total=str(24 * _GIB), **amd)
    _device(pci, "0000:04:00.0", mem_info_vram_total=str(_GIB // 2), **amd)
    _device(pci, "0000:05:00.0", **amd)
    _device(pci, "0000:06:00.0", vendor="0x8086", **{"class": "0x038000"})
    _device(pci, "0000:07:00.0", vendor="0x1a03", **{"class": "0x030000"})  # a server's console
    _device(pci, "0000:08:00.0")
    driver = _nvidia(tmp_path, "0000:01:00.0", "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ: 42\n")
    assert hardware.gpus(pci, driver) == (
        Gpu("Intel", is_integrated=True),
        Gpu("NVIDIA", "NVIDIA GeForce RTX 4090"),
        Gpu("NVIDIA"),
        Gpu("AMD", "Radeon RX 7900 XTX"),
        Gpu("AMD", is_integrated=True),
        Gpu("AMD", is_integrated=True),
        Gpu("Intel"),
    )


def test_a_system_that_tells_nothing_has_none(tmp_path: Path) -> None:
    assert hardware.gpus(tmp_path / "missing", tmp_path) == ()
    assert hardware.gpus(tmp_path, tmp_path) == ()


def test_odd_bytes_are_no_error(pci: Path, tmp_path: Path) -> None:
    _device(pci, "0000:01:00.0", vendor="0x1002", mem_info_vram_total="lots", **{"class": "0x030000"})
    (pci / "0000:01:00.0" / "product_name").write_bytes(b"\xff\xfe")
    (found,) = hardware.gpus(pci, tmp_path)
    assert found.vendor == "AMD"
    assert found.is_integrated


def test_the_machine_has_cores_and_memory() -> None:
    assert 1 <= hardware.physical_cores() <= (psutil.cpu_count() or 1)
    assert 0 < hardware.available_memory_bytes() <= hardware.total_memory_bytes()
