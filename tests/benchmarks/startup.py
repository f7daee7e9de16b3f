"""First window: process start to first paint, against an empty PySide6 window, in alternating pairs.

Run: python tests/benchmarks/startup.py [pairs]

Ours goes the program's own way from ``playground.__main__`` through the pre-flight, up to where the painted window
gets its services. Both clocks stop there: the wall clock at the child's first paint, the CPU clock (user and system
time) at its end right after. The first pair is not counted; it leaves the byte code of both behind, which an
installed program has from the start.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60
_STOP = """
def stop(*_arguments):
    import os, sys, time
    painted = time.monotonic()
    sys.stdout.write(f"{painted} {' '.join(sorted(sys.modules))}")
    sys.stdout.flush()
    os._exit(0)
"""
_EMPTY = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, stop)
app = QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
app.exec()
"""
_OURS = """
from playground import __main__ as start, preflight
look = preflight.window_problems
def look_and_set_the_stop():
    problems = look()
    from playground import app  # the program's own next step
    app.stay_open = stop
    return problems
preflight.window_problems = look_and_set_the_stop
start.main([])
"""
_HEAVY = {
    *(
        "asyncio",
        "qasync",
        "msgspec",
        "psutil",
        "platformdirs",
        "tomllib",
        "importlib.metadata",
        "dataclasses",
    ),
    *(
        "llama_cpp",
        "numpy",
        "huggingface_hub",
        "httpx2",
        "markdown_it",
        "pygments",
        "jinja2",
        "logging.handlers",
    ),
}


class _Start(NamedTuple):
    """One start: seconds of wall time and of CPU time, and what was imported at the first paint."""

    wall_s: float
    cpu_s: float
    modules: frozenset[str]


def _start(code: str, byte_code: str) -> _Start:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        "QT_QPA_PLATFORM": "offscreen",
        **kept,
        "PYTHONPATH": str(_ROOT),
        "PYTHONPYCACHEPREFIX": byte_code,
    }
    started = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", _STOP + code], stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    patience = threading.Timer(_PATIENCE_S, child.kill)
    patience.start()
    with child.stdout:
        said = child.stdout.read().decode()
    patience.cancel()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    painted, *modules = said.split()
    return _Start(float(painted) - started, usage.ru_utime + usage.ru_stime, frozenset(modules))


def main() -> None:
    """Print one JSON line with the medians of the ratios."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    with tempfile.TemporaryDirectory() as byte_code:
        taken = [(_start(_EMPTY, byte_code), _start(_OURS, byte_code)) for _ in range(pairs + 1)][1:]
    result = {
        "benchmark": "first window",
        "ratio": round(statistics.median(ours.wall_s / empty.wall_s for empty, ours in taken), 2),
        "cpu_ratio": round(statistics.median(ours.cpu_s / empty.cpu_s for empty, ours in taken), 2),
        "empty_s": round(statistics.median(empty.wall_s for empty, _ in taken), 3),
        "playground_s": round(statistics.median(ours.wall_s for _, ours in taken), 3),
        "heavy_modules": sorted(_HEAVY & taken[-1][1].modules),
        "pairs": pairs,
        "machine": platform.processor() or platform.machine(),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
