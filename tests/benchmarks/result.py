"""What every benchmark says: one JSON line with its figures, the machine and the command that repeats it."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from statistics import median, quantiles

from playground.models import hardware


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with a benchmark's own description."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def write(benchmark: str, module: str, figures: dict[str, object]) -> None:
    """Print the line. ``module`` is the benchmark's ``__spec__.name``."""
    command = " ".join(["python -m", module, *sys.argv[1:]])
    line = {"benchmark": benchmark, "command": command, "machine": _machine(), **figures}
    sys.stdout.write(json.dumps(line) + "\n")


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least two values, within their range."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def ratio(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the median of ours / theirs over paired runs, and the extremes."""
    found = [ours / theirs for ours, theirs in pairs]
    return {
        "median": round(median(found), 3),
        "lowest": round(min(found), 3),
        "highest": round(max(found), 3),
    }


def _machine() -> dict[str, object]:
    return {
        "cpu": hardware.processor_name(),
        "cores": hardware.physical_cores(),
        "system": platform.platform(),
    }
