"""Prints the memory estimate beside llama.cpp's own accounting as a Markdown table.

    python -m tests.benchmarks.fit_table [--worst]

One row for each model, context and cache type, or with ``--worst`` one for each model with its largest errors. MiB.
``copies`` are weights that llama.cpp rearranges for the processor; they are not estimated, because they take the place
of mapped weights, and are part of the actual total.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.fit_matrix import MODELS, Row, model_path, rows

_MIB = 1 << 20


def _main() -> None:
    worst = "--worst" in sys.argv[1:]
    _print_head(_WORST if worst else _ALL)
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            found = rows(model, model_path(model, Path(folder)))
            if worst:
                print(_worst(model, found))
            else:
                print("\n".join(map(_line, found)))


_ALL = "model|context|cache|weights est.|actual|KV + state est.|actual|compute est.|actual|copies|total est.|actual|error"
_WORST = "model|rows|weights, worst|KV + state, worst|compute, worst|total, worst|total, worst MiB"


def _print_head(names: str) -> None:
    columns = names.split("|")
    print(f"| {' | '.join(columns)} |")
    print(f"|{'---|' * len(columns)}")


def _line(row: Row) -> str:
    parts = (f"{ours:.2f} | {theirs:.2f}" for ours, theirs in _parts(row))
    total = row.estimated.total_bytes / _MIB
    figures = f"{' | '.join(parts)} | {row.real.copies_mib:.2f} | {total:.2f} | {row.real.total_mib:.2f}"
    return f"| {row.model} | {row.n_ctx} | {row.kv_type} | {figures} | {_error(total, row.real.total_mib):+.1%} |"


def _worst(model: str, found: list[Row]) -> str:
    errors = [
        max((_error(ours, theirs) for ours, theirs in part), key=abs)
        for part in zip(*map(_parts, found), strict=True)
    ]
    totals = [(row.estimated.total_bytes / _MIB, row.real.total_mib) for row in found]
    share = max((_error(ours, theirs) for ours, theirs in totals), key=abs)
    apart = max((ours - theirs for ours, theirs in totals), key=abs)
    figures = " | ".join(f"{error:+.1%}" for error in (*errors, share))
    return f"| {model} | {len(found)} | {figures} | {apart:+.2f} |"


def _parts(row: Row) -> tuple[tuple[float, float], ...]:
    ours, theirs = row.estimated, row.real
    return (
        (ours.weights_bytes / _MIB, theirs.weights_mib),
        ((ours.kv_bytes + ours.recurrent_bytes) / _MIB, theirs.cache_mib),
        (ours.compute_bytes / _MIB, theirs.compute_mib),
    )


def _error(ours: float, theirs: float) -> float:
    """Return how far off a figure is; what llama.cpp would print the same is right."""
    return 0.0 if abs(ours - theirs) <= 0.011 else ours / theirs - 1


if __name__ == "__main__":
    _main()
