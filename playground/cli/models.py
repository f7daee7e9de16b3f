"""``playground models`` and ``playground prompts``: what is on this disk, smaller copies, the built-in prompts."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec

from playground.cli import output
from playground.compare.prepare import make_copy, prepare
from playground.compare.prompts import all_prompts
from playground.errors import UsageError, one_line
from playground.models import starter
from playground.models.disk import inventory, places
from playground.models.disk.inventory_values import Disk, DiskModel, DiskState


def prompts(arguments: argparse.Namespace) -> int:
    """List the built-in prompts."""
    known = all_prompts()
    if arguments.json:
        output.json_data({"schema": "playground.prompts/1", "prompts": msgspec.to_builtins(known)})
        return 0
    for prompt in known:
        output.data(f"{prompt.id:22} {prompt.language:11} tier {prompt.tier}  {prompt.title}\n")
    return 0


def list_models(arguments: argparse.Namespace) -> int:
    """List the models on this disk; with ``--all`` those that cannot be used, too."""
    disk = inventory.scan()
    shown = [model for model in disk.models if arguments.all or model.state is DiskState.READY]
    if arguments.json:
        found = msgspec.to_builtins(disk)
        found["models"] = msgspec.to_builtins(shown)
        output.json_data({"schema": "playground.models/1", **found})
        return 0
    for model in shown:
        output.data(f"{one_line(model.ref or model.path)}\n    {_line(model)}\n")
    _say_what_else(disk, len(disk.models) - len(shown))
    return 0


def _line(model: DiskModel) -> str:
    kind = "base" if model.is_base else "chat"
    place = places.NAMES[model.place]
    words = (model.name, model.arch, model.quant, f"{model.size_bytes / 1e9:.2f} GB", kind, f"in {place}")
    line = ", ".join(word for word in words if word)
    return line if model.state is DiskState.READY else f"{line}. {model.problem}"


def _say_what_else(disk: Disk, hidden: int) -> None:
    if not any(model.ref == "starter" for model in disk.models) and starter.installed():
        output.say("The starter model is installed and will be prepared when it is first used: starter")
    if not disk.models:
        output.say(f"No model files were found. Looked into: {', '.join(disk.folders) or 'no folder'}.")
    if hidden:
        output.say(
            f"{hidden} more, unfinished, broken or the same as one above: playground models list --all"
        )
    for note in disk.notes:
        output.say(note)


def quantize(arguments: argparse.Namespace) -> int:
    """Make a smaller copy of a model and print its path."""
    target = _expanded(arguments.output) if arguments.output else None
    output.data(f"{asyncio.run(_quantize(arguments.source, arguments.type, target))}\n")
    return 0


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"{name} names a user who does not exist.", hint="Write the whole path.") from error


async def _quantize(source_ref: str, quant: str, target: Path | None) -> str:
    def progress(what: str, fraction: float) -> None:
        output.status(f"{what} {fraction:.0%}")

    source = await prepare(source_ref, progress)
    copy = await make_copy(source, quant, target, progress)
    output.status("")
    output.say(f"{copy.size_bytes / 1e6:.0f} MB, {copy.size_bytes / source.size_bytes:.0%} of {source.quant}")
    return copy.path
