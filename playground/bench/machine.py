"""What a run must remember of where it was made: hashes of the model and its template, the engine's build, the hardware."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from pathlib import Path

from playground.bench.record import Machine
from playground.engines.process import EngineProcess
from playground.errors import EngineError
from playground.models import hardware
from playground.models.disk import checksum
from playground.models.gguf import read_header, split_paths


def model_sha256(path: Path, on_progress: Callable[[float], None]) -> str:
    """Return the sha256 of a model's file; of a split one, that of its parts' sha256, a line each. Blocking.

    What was hashed before is known until it changes. ``on_progress`` is called at least once, and what it raises ends
    the work. Raises ModelError.
    """
    on_progress(0.0)
    parts = split_paths(path)
    sizes = [checksum.size_bytes(part) for part in parts]
    total, digests = max(sum(sizes), 1), []
    for number, part in enumerate(parts):
        before = sum(sizes[:number])
        digests.append(checksum.file_sha256(part, lambda done, b=before: on_progress((b + done) / total)))  # type: ignore[misc]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode("ascii")).hexdigest()


def template_sha256(path: Path, template: str | None) -> str:
    """Return the sha256 of the chat template that is used; empty for a base model. Raises ModelError."""
    source = read_header(path).metadata.get("tokenizer.chat_template") if template is None else template
    text = source if isinstance(source, str) else ""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text.strip() else ""


async def engine_build() -> tuple[str, tuple[str, ...]]:
    """Return the build of the engine and the devices it sees, in words. Raises EngineError where it cannot start."""
    engine = EngineProcess()
    try:
        await engine.start()
        found = await engine.describe()
    finally:
        await engine.close()
    devices = tuple(
        f"{device.name} {device.description}, {device.total_bytes / 1e9:.1f} GB"
        for device in found.devices
        if device.kind != "cpu"
    )
    return f"llama-cpp-python {found.binding_version}, {found.llama_version}".rstrip(", "), devices


async def this_machine() -> tuple[str, Machine]:
    """Return the engine's build and this machine; an engine that cannot start is said to be unknown."""
    try:
        build, devices = await engine_build()
    except EngineError:
        build, devices = "unknown", ()
    return build, Machine(
        system=platform.platform(),
        cpu=hardware.processor_name(),
        cores=hardware.physical_cores(),
        memory_bytes=hardware.total_memory_bytes(),
        devices=devices,
    )
