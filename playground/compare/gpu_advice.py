"""Whether llama.cpp can use the graphics processors that are there, and how to get a build that can. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from playground.engines.builds import install_line
from playground.engines.protocol import Device
from playground.models.hardware import Gpu, Vendor

_SWITCHES: dict[Vendor, str] = {
    "NVIDIA": "GGML_CUDA",
    "AMD": "GGML_HIP",
    "Intel": "GGML_VULKAN",
    "Apple": "GGML_METAL",
}
_WORDS: dict[Vendor, tuple[str, ...]] = {
    "NVIDIA": ("cuda", "nvidia", "geforce"),
    "AMD": ("rocm", "hip", "amd", "radeon"),
    "Intel": ("sycl", "intel"),
    "Apple": ("mtl", "metal", "apple"),
}


def gpu_report(gpus: Sequence[Gpu], devices: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what is known of each graphics processor; ``install`` is the command line of a build that can use it.

    ``devices`` are the build's own, as in ``playground doctor --json``. Nothing is advised for a chip in the processor
    beside another graphics processor.
    """
    own = [f"{d['backend']} {d['description']}".lower() for d in devices if _is_local_gpu(d)]
    alone = all(gpu.is_integrated for gpu in gpus)
    found = []
    for gpu in gpus:
        has_device = any(word in text for text in own for word in _WORDS[gpu.vendor])
        wants_build = not has_device and (alone or not gpu.is_integrated)
        found.append(
            {
                "vendor": gpu.vendor,
                "name": gpu.name,
                "is_integrated": gpu.is_integrated,
                "has_device": has_device,
                "install": install_line(_SWITCHES[gpu.vendor], "GGML_RPC") if wants_build else None,
            }
        )
    return found


def gpu_sentence(gpu: Mapping[str, Any]) -> str:
    """Return an entry of the report in words."""
    name = gpu["name"] or f"{gpu['vendor']} graphics"
    if gpu["install"] is None:
        return f"{name}: {'llama.cpp can use it' if gpu['has_device'] else 'not used by this build of llama.cpp'}"
    other = ", or with -DGGML_VULKAN=on in place of -DGGML_HIP=on" if gpu["vendor"] == "AMD" else ""
    if gpu["is_integrated"]:
        return f"{name}: a build of llama.cpp for it may be faster than the processor. To try: {gpu['install']}{other}"
    return f"{name}: this build of llama.cpp cannot use it. Install one that can: {gpu['install']}{other}"


def devices_words(devices: Sequence[Device], gpus: Sequence[Gpu]) -> str:
    """Return on which devices layers can be put, and what to do for a graphics processor that is not used yet."""
    report = gpu_report(gpus, [msgspec.to_builtins(device) for device in devices])
    unused = [gpu_sentence(gpu) for gpu in report if gpu["install"] is not None]
    found = [
        f"{d.name}: {d.description}, {d.free_bytes / 1e9:.1f} of {d.total_bytes / 1e9:.1f} GB free"
        for d in devices
        if d.kind in ("gpu", "integrated")
    ]
    here = f"On this machine: {'; '.join(found) or 'the CPU alone'}."
    return " ".join([here, *unused])


def _is_local_gpu(device: Mapping[str, Any]) -> bool:
    return device["kind"] in ("gpu", "integrated") and device["backend"] != "RPC"
