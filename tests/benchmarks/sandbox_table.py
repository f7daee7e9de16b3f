"""Runs every hostile program in each backend, as an ordinary user, and prints what held: one JSON line, or a table.

``--here`` runs them as whoever calls. The column "none" shows which of them work where there is no sandbox.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict

from tests.benchmarks.result import arguments
from tests.support import hostile_stage, unprivileged

BACKENDS = ("bubblewrap", "landlock", "none")
_FD = 99


def main() -> None:
    """Run."""
    parser = arguments(__doc__)
    parser.add_argument("--here", action="store_true", help="as this user; one JSON line")
    parser.add_argument("--backend", action="append", choices=BACKENDS)
    options = parser.parse_args()
    backends = options.backend or BACKENDS
    if options.here:
        _inherit_a_secret()
        sys.stdout.write(json.dumps({name: _rows(name) for name in backends}) + "\n")
        return
    found = results(backends)
    for name in hostile_stage.ALL:
        cells = [_cell(found[backend].get(name.name)) for backend in backends]
        print(f"{name.name:42}", *(f"{cell:34}" for cell in cells))
    for backend in backends:
        held = sum(not row["through"] for row in found[backend].values())
        print(f"{backend}: held {held} of {len(found[backend])}")


def results(backends: tuple[str, ...] = BACKENDS) -> dict[str, dict[str, dict[str, str]]]:
    """Return rows by backend and program, run as an ordinary user."""
    options = ["--here", *(f"--backend={name}" for name in backends)]
    secret = {hostile_stage.SECRET_NAME: hostile_stage.CANARY}
    text = unprivileged.run("tests.benchmarks.sandbox_table", options, secret, timeout_s=170)
    found = json.loads(text)
    return {name: {row["name"]: row for row in rows} for name, rows in found.items()}


def _rows(backend: str) -> list[dict[str, object]]:
    _, rows = asyncio.run(hostile_stage.run_all(backend))
    return [asdict(row) for row in rows]


def _inherit_a_secret() -> None:
    """Have a descriptor on a secret that children would inherit, as a careless app might."""
    read, write = os.pipe()
    os.close(write)
    os.close(read)
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 -- a descriptor is wanted
        os.dup2(file.fileno(), _FD, inheritable=True)


def _cell(row: dict[str, str] | None) -> str:
    if row is None:
        return "-"
    if row["fault"]:
        return f"FAULT {row['fault'][:26]}"
    return f"through: {row['through'][:24]}" if row["through"] else f"held ({row['outcome']})"


if __name__ == "__main__":
    main()
