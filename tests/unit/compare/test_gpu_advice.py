"""What ``playground doctor`` advises for graphics processors that the build cannot use."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import pytest

from playground.compare.gpu_advice import devices_words, gpu_report, gpu_sentence
from playground.engines.protocol import Device
from playground.models.hardware import Gpu, Vendor

_PIP = (
    "python3 -m pip install --force-reinstall --no-cache-dir --no-deps "
    f"llama-cpp-python=={importlib.metadata.version('llama-cpp-python')}"
)
_CPU = {"kind": "cpu", "backend": "CPU", "description": "AMD EPYC with Radeon"}
_LENT = {"kind": "gpu", "backend": "RPC", "description": "nvidia.example:50052"}


def _device(backend: str, description: str, kind: str = "gpu") -> dict[str, Any]:
    return {"kind": kind, "backend": backend, "description": description}


@pytest.mark.parametrize(
    ("vendor", "switch"), [("NVIDIA", "CUDA"), ("AMD", "HIP"), ("Intel", "VULKAN"), ("Apple", "METAL")]
)
def test_a_build_without_a_device_is_told_how_to_get_one(vendor: Vendor, switch: str) -> None:
    (found,) = gpu_report([Gpu(vendor, "The Card")], [_CPU, _LENT])
    assert not found["has_device"]
    assert found["install"] == f'CMAKE_ARGS="-DGGML_{switch}=on -DGGML_RPC=on" {_PIP}'
    assert found["install"] in gpu_sentence(found)
    assert gpu_sentence(found).startswith("The Card: this build of llama.cpp cannot use it.")
    assert ("-DGGML_VULKAN=on in place" in gpu_sentence(found)) == (vendor == "AMD")


@pytest.mark.parametrize(
    ("gpu", "device"),
    [
        (Gpu("NVIDIA"), _device("CUDA", "NVIDIA GeForce RTX 4090")),
        (Gpu("NVIDIA"), _device("Vulkan", "NVIDIA RTX A2000")),
        (Gpu("AMD"), _device("ROCm", "gfx1100")),
        (Gpu("AMD", is_integrated=True), _device("Vulkan", "AMD Radeon 780M (RADV)", "integrated")),
        (Gpu("Intel"), _device("Vulkan", "Intel(R) Arc(tm) A770 Graphics")),
        (Gpu("Apple"), _device("MTL", "Apple M3")),
    ],
    ids=lambda part: part["backend"] if isinstance(part, dict) else part.vendor,
)
def test_a_build_with_a_device_needs_no_advice(gpu: Gpu, device: dict[str, Any]) -> None:
    (found,) = gpu_report([gpu], [_CPU, device])
    assert found["has_device"]
    assert found["install"] is None
    assert gpu_sentence(found) == f"{gpu.vendor} graphics: llama.cpp can use it"


def test_another_vendors_device_is_not_its_own() -> None:
    found = gpu_report([Gpu("NVIDIA"), Gpu("AMD")], [_device("Vulkan", "AMD Radeon RX 7900 XTX")])
    assert [gpu["has_device"] for gpu in found] == [False, True]
    assert [gpu["install"] is None for gpu in found] == [False, True]


def test_a_chip_in_the_processor_is_mentioned_softly_and_only_alone() -> None:
    chip = Gpu("Intel", is_integrated=True)
    (alone,) = gpu_report([chip], [_CPU])
    assert "may be faster" in gpu_sentence(alone)
    assert alone["install"]
    beside, card = gpu_report([chip, Gpu("NVIDIA")], [_CPU])
    assert beside["install"] is None
    assert "CMAKE" not in gpu_sentence(beside)
    assert card["install"]


def test_a_machine_without_any_is_left_in_peace() -> None:
    assert gpu_report([], [_CPU]) == []


def test_devices_are_named_with_what_they_have_left() -> None:
    card = Device("CUDA0", "NVIDIA RTX 4090", "gpu", 20_000_000_000, 24_000_000_000, "CUDA")
    cpu = Device("CPU", "AMD EPYC", "cpu", 1, 1, "CPU")
    words = devices_words([cpu, card], [])
    assert words == "On this machine: CUDA0: NVIDIA RTX 4090, 20.0 of 24.0 GB free."
    bare = devices_words([cpu], [Gpu("NVIDIA", "RTX 4090", is_integrated=False)])
    assert bare.startswith("On this machine: the CPU alone. RTX 4090: this build of llama.cpp cannot use it.")
    assert "-DGGML_CUDA=on" in bare
