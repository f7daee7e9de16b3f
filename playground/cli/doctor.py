"""``playground doctor``: versions, the native build, devices, graphics processors, memory, Qt's libraries, folders."""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from playground import __version__, config, preflight
from playground.cli import output
from playground.compare.gpu_advice import gpu_report, gpu_sentence
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind, UsageError
from playground.models import hardware, starter

_PACKAGES = (
    "PySide6-Essentials",
    "llama-cpp-python",
    "huggingface-hub",
    "qasync",
    "platformdirs",
    "msgspec",
    "jinja2",
    "markdown-it-py",
    "pygments",
    "psutil",
)


def doctor(arguments: argparse.Namespace) -> int:
    """Report on the installation; 0 when models can be run, 1 when the engine or a server's device cannot be used.

    Raises UsageError for a device that cannot be.
    """
    found = asyncio.run(_collect(arguments.device))
    if arguments.json:
        output.json_data(found)
    else:
        output.data(_text(found))
    engine = found["engine"]
    return 0 if engine["error"] is None and not engine.get("unusable") else 1


async def _collect(devices: Sequence[str]) -> dict[str, Any]:
    folders = config.folders()
    engine = await _engine(devices)
    return {
        "schema": "playground.doctor/1",
        "playground": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "engine": engine,
        "gpus": gpu_report(hardware.gpus(), engine.get("devices", ())),
        "cores": hardware.physical_cores(),
        "memory": {
            "total_bytes": hardware.total_memory_bytes(),
            "available_bytes": hardware.available_memory_bytes(),
        },
        "window": {"problems": [problem.sentence for problem in preflight.window_problems()]},
        "setup": {"problems": [problem.sentence for problem in preflight.setup_problems()]},
        "starter": {"installed": starter.installed(), "licence": starter.LICENCE},
        "folders": {
            "data": str(folders.data),
            "config": str(folders.config),
            "logs": str(folders.logs),
            "cache": str(folders.cache),
        },
        "executable": sys.executable,
    }


async def _engine(names: Sequence[str]) -> dict[str, Any]:
    """Return what the engine says, with the devices of RPC servers; ``unusable`` are those that cannot be reached."""
    try:
        found = await _described()
    except EngineError as error:
        return {"error": error.sentence()}
    found |= {"error": None, "unusable": [], "devices": list(found["devices"])}
    for name in dict.fromkeys(name.partition("#")[0] for name in names):
        endpoint = name.removeprefix("rpc://")
        if endpoint == name:
            _refuse_unknown(name, [device["name"] for device in found["devices"]])
            continue
        try:
            remote = (await _described(endpoint))["devices"]
        except EngineError as error:
            if error.kind is ErrorKind.LOAD_FAILED:
                raise UsageError(error.message, hint=error.hint) from error
            found["unusable"].append({"name": name, "error": error.sentence()})
        else:
            found["devices"] += [device for device in remote if device["backend"] == "RPC"]
    return found


async def _described(*endpoints: str) -> dict[str, Any]:
    """Return what a fresh engine says. Raises EngineError."""
    engine = EngineProcess()
    try:
        await engine.start()
        described: dict[str, Any] = msgspec.to_builtins(await engine.describe(endpoints))
    finally:
        await engine.close()
    described.pop("type", None)
    return described


def _refuse_unknown(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UsageError(
            f"There is no device {name}.",
            hint=f"There are: {', '.join(known)}; one of another machine is written as rpc://host:port.",
        )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _text(found: dict[str, Any]) -> str:
    engine, memory = found["engine"], found["memory"]
    lines = [
        f"Playground {found['playground']}, Python {found['python']}, {found['system']}",
        "Packages    "
        + ", ".join(f"{name} {version or 'missing'}" for name, version in found["packages"].items()),
        f"Cores       {found['cores']} physical",
        f"Memory      {memory['available_bytes'] / 1e9:.1f} of {memory['total_bytes'] / 1e9:.1f} GB available",
    ]
    if engine["error"]:
        lines.append(f"Engine      {engine['error']}")
    else:
        lines.append(
            f"Engine      llama.cpp in llama-cpp-python {engine['binding_version']}: {engine['system_info']}"
        )
        lines += [
            f"Device      {device['name']} ({device['kind']}, {device['backend']}): {device['description']}, "
            f"{device['free_bytes'] / 1e9:.1f} of {device['total_bytes'] / 1e9:.1f} GB free"
            for device in engine["devices"]
        ]
        lines += [f"Device      {device['name']}: {device['error']}" for device in engine["unusable"]]
        gpus = any(device["kind"] in ("gpu", "integrated") for device in engine["devices"])
        lines.append(f"Offload     {'to the devices above' if gpus else 'none: no GPU device in this build'}")
    lines += [f"GPU         {gpu_sentence(gpu)}" for gpu in found["gpus"]]
    problems = found["window"]["problems"]
    lines.append(f"Window      {'ready' if not problems else ' '.join(problems)}")
    lines.append(f"Starter     {'installed' if found['starter']['installed'] else 'not installed'}")
    lines += [f"{name.capitalize():11} {path}" for name, path in found["folders"].items()]
    return "\n".join(lines) + "\n"
