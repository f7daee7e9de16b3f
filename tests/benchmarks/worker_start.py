"""A worker's start, and a warm load by memory mapping.

Run: python -m tests.benchmarks.worker_start [pairs]

Start: from the process's start until it takes commands, against a bare import of the same native library (low-level
layer, package stepped around) in the same interpreter, in alternating pairs. Load: seconds to load the starter as F16
and as F32, both in the page cache: what each further MB costs. Needs the optional starter model and 1.7 GB of disk.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playground.chat.options import LoadOptions
from playground.engines.child import worker_command, worker_environment
from playground.engines.process import EngineProcess
from playground.models import starter
from tests.benchmarks import result

_BARE = """
import importlib.util, sys, types
spec = importlib.util.find_spec("llama_cpp")
package = types.ModuleType("llama_cpp")
package.__path__ = list(spec.submodule_search_locations)
package.__spec__ = spec
sys.modules["llama_cpp"] = package
import llama_cpp.llama_cpp as low_level
low_level.llama_backend_init()
print("ready", flush=True)
"""
_QUANTS = ("F16", "F32")


def main() -> None:
    """Print the ratio of the starts, and the cost of a MB of weights."""
    parser = result.arguments(__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=11)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**worker_environment(), "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _bare_s(environment), _worker_s(environment)  # byte code and page cache
        starts = [(_worker_s(environment), _bare_s(environment)) for _ in range(given.pairs)]
        loads = asyncio.run(_loads(Path(folder), given.pairs))
    assert __spec__ is not None
    figures = {
        "ratio": result.ratio(starts),
        "worker_s": round(median(ours for ours, _ in starts), 3),
        "bare_s": round(median(bare for _, bare in starts), 3),
        "warm_load": loads,
    }
    result.write("start of a worker", __spec__.name, figures)


def _bare_s(environment: dict[str, str]) -> float:
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _BARE], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - started


def _worker_s(environment: dict[str, str]) -> float:
    started = time.perf_counter()
    with subprocess.Popen(
        worker_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"type":"setthreads","threads":1}\n')
        process.stdin.flush()
        process.stdout.readline()  # the greeting
        process.stdout.readline()  # the first command is carried out
        elapsed = time.perf_counter() - started
        process.stdin.close()
        process.wait()
    return elapsed


async def _loads(folder: Path, rounds: int) -> dict[str, object]:
    """Return the seconds of warm loads and what a MB costs: the slope between a small and a large file."""
    paths = [await _copy(folder, quant) for quant in _QUANTS]
    sizes_mb = [path.stat().st_size / 1e6 for path in paths]
    seconds: list[list[float]] = [[], []]
    for round_ in range(rounds + 1):
        for path, found in zip(paths, seconds, strict=True):
            loaded_s = await _load_s(path)
            if round_:  # the first time fills the page cache
                found.append(loaded_s)
    typical = [median(found) for found in seconds]
    return {
        "sizes_mb": [round(size, 1) for size in sizes_mb],
        "seconds": [round(value, 4) for value in typical],
        "ms_per_mb": round(1000 * (typical[1] - typical[0]) / (sizes_mb[1] - sizes_mb[0]), 3),
    }


async def _copy(folder: Path, quant: str) -> Path:
    engine, target = EngineProcess(), folder / f"{quant}.gguf"
    try:
        await engine.start()
        await engine.quantize(starter.assemble(), target, quant, 2, lambda _fraction: None)
    finally:
        await engine.close()
    return target


async def _load_s(path: Path) -> float:
    engine = EngineProcess()
    try:
        await engine.start()
        loaded = await engine.load(path, LoadOptions(n_ctx=256), 1, lambda _fraction: None)
    finally:
        await engine.close()
    return loaded.load_s


if __name__ == "__main__":
    main()
