"""``playground doctor``: versions, the native build, devices, memory, Qt's libraries, folders."""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import platform
import sys
from typing import Any

import msgspec

from playground import __version__, config, preflight
from playground.cli import output
from playground.engines.process import EngineProcess
from playground.errors import EngineError
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
    """Report on the installation; 0 when models can be run, 1 when the engine does not start."""
    found = asyncio.run(_collect())
    if arguments.json:
        output.json_data(found)
    else:
        output.data(_text(found))
    return 0 if found["engine"]["error"] is None else 1


async def _collect() -> dict[str, Any]:
    folders = config.folders()
    return {
        "schema": "playground.doctor/1",
        "playground": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "engine": await _engine(),
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


async def _engine() -> dict[str, Any]:
    engine = EngineProcess()
    try:
        await engine.start()
        described: dict[str, Any] = msgspec.to_builtins(await engine.describe())
    except EngineError as error:
        return {"error": error.sentence()}
    finally:
        await engine.close()
    described.pop("type", None)
    return {"error": None, **described}


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
            f"Device      {device['name']} ({device['kind']}): {device['description']}, "
            f"{device['free_bytes'] / 1e9:.1f} of {device['total_bytes'] / 1e9:.1f} GB free"
            for device in engine["devices"]
        ]
        gpus = any(device["kind"] in ("gpu", "integrated") for device in engine["devices"])
        lines.append(f"Offload     {'to the devices above' if gpus else 'none: no GPU device in this build'}")
    problems = found["window"]["problems"]
    lines.append(f"Window      {'ready' if not problems else ' '.join(problems)}")
    lines.append(f"Starter     {'installed' if found['starter']['installed'] else 'not installed'}")
    lines += [f"{name.capitalize():11} {path}" for name, path in found["folders"].items()]
    return "\n".join(lines) + "\n"
