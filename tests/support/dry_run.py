"""Asks llama.cpp what memory it takes for a model in many contexts, in one process for all of them.

``dry_run`` takes no memory for weights, cache and compute; ``real_run`` loads the model and makes each context. Run as
a program it prints the figures: it maps llama.cpp, which only a process of its own may.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from playground.chat.options import LoadOptions
from playground.engines.child import worker_environment

_TOTAL = re.compile(r"^llama_(kv_cache|memory_recurrent)\w*: size = +([\d.]+) MiB")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Buffers:
    """MiB as llama.cpp prints them, to two places. ``caches``: how many figures ``cache_mib`` is the sum of.

    ``weights_mib``: 0 in a dry run. ``copies_mib``: weights rearranged for this processor, which take the place of mapped
    ones that are not read again; they are not in ``weights_mib``.
    """

    cache_mib: float
    caches: int
    compute_mib: float
    weights_mib: float = 0.0
    copies_mib: float = 0.0

    @property
    def total_mib(self) -> float:
        """Return everything, the copies too."""
        return self.weights_mib + self.copies_mib + self.cache_mib + self.compute_mib


def dry_run(path: Path, contexts: Sequence[LoadOptions]) -> list[Buffers]:
    """Return the buffers of each context for one model, without taking them."""
    return _run("dry", path, contexts)


def real_run(path: Path, contexts: Sequence[LoadOptions]) -> list[Buffers]:
    """Return the buffers of each context for one model, with its weights in memory."""
    return _run("real", path, contexts)


def _run(how: str, path: Path, contexts: Sequence[LoadOptions]) -> list[Buffers]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.dry_run", how, str(path)],
        input=msgspec.json.encode(contexts),
        capture_output=True,
        cwd=_ROOT,
        env=worker_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [Buffers(**found) for found in json.loads(done.stdout)]


def _main() -> None:
    from playground.engines.llama import accounting, library
    from playground.engines.llama.context import Context
    from playground.engines.llama.library import L, log
    from playground.engines.llama.model import Model
    from playground.engines.protocol import Placement

    class DryModel(Model):
        def _params(self, options: LoadOptions, placement: Placement, load_mtp: bool) -> Any:  # noqa: ANN401 -- a ctypes struct
            params = super()._params(options, placement, load_mtp)
            params.no_alloc = True
            params.load_mode = L.LLAMA_LOAD_MODE_NONE
            return params

    library.start()
    lines: list[str] = []
    log.on_line = lines.append
    kind = DryModel if sys.argv[1] == "dry" else Model
    model = kind(
        Path(sys.argv[2]),
        LoadOptions(),
        Placement(n_ctx=0),
        on_progress=lambda _fraction: None,
        is_cancelled=lambda: False,
    )
    copied = accounting.from_log(line for line in log.sizes if "REPACK" in line)
    copies = sum(use.weights_bytes for use in copied) / (1 << 20)
    weights = sum(use.weights_bytes for use in accounting.from_log(log.sizes)) / (1 << 20) - copies
    found = []
    for options in msgspec.json.decode(sys.stdin.buffer.read(), type=list[LoadOptions]):
        log.clear()
        lines.clear()
        context = Context(model, options, Placement(options.n_ctx or 0, options.kv_type), threads=1)
        sizes = [float(match[2]) for line in lines if (match := _TOTAL.match(line))]
        compute = sum(use.compute_bytes for use in accounting.from_log(log.sizes)) / (1 << 20)
        context.close()
        figures = {"cache_mib": sum(sizes), "caches": len(sizes), "compute_mib": compute}
        found.append(figures | {"weights_mib": weights, "copies_mib": copies})
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _main()
