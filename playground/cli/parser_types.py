"""Types of command-line arguments, and subcommands that are imported when they run."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable

KV_TYPES = ("auto", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0")
_GPU_WORDS = ("auto", "none", "all")


def gpu_layers(text: str) -> str | int:
    """Return auto, none, all or a number of layers. Raises ArgumentTypeError."""
    if text in _GPU_WORDS:
        return text
    if text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not auto, none, all or a number of layers")


def size_bytes(text: str) -> int:
    """Return bytes of ``8000000000``, ``8GB``, ``8GiB``, ``512M``. Raises ArgumentTypeError."""
    units = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
    units |= {f"{unit}i": 1 << (10 * power) for power, unit in enumerate("kmgt", 1)}
    word = text.strip().lower().removesuffix("b")
    digits = word.rstrip("kmgti")
    try:
        size = float(digits) * units[word[len(digits) :]]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 8GB or 512MiB") from None
    if not 0 < size < 1 << 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a usable size")
    return int(size)


def deferred(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """Return a function that imports ``playground.cli.MODULE`` and calls FUNCTION."""

    def run(arguments: argparse.Namespace) -> int:
        found = getattr(importlib.import_module(f"playground.cli.{module}"), function)
        return int(found(arguments))

    return run
