"""Resident memory of the window's own process while two models are loaded and have answered.

Run: python -m tests.benchmarks.window_memory [prompts] [--models REF REF]

The real app, offscreen, in this process; each engine is a process of its own and not counted, but named. Needs the
optional starter model unless other models are given.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
from PySide6.QtWidgets import QApplication

from playground import app as application
from playground.ui.loop import Loop
from playground.ui.main_window import MainWindow
from tests.benchmarks import result
from tests.support.waiting import until

_PATIENCE_S = 300
_REST_S = 2.0  # what was started with the window ends, and the last frame is painted
_PROMPTS = (
    "Write a Python function that returns the first n prime numbers, and explain it.",
    "Now write tests for it with pytest.",
    "Make it a generator.",
)


class Visit:
    """The app from its start to its end. Sizes are megabytes (10^6 bytes)."""

    def __init__(self, qt: QApplication, window: MainWindow) -> None:
        self._me = psutil.Process()
        self.painted_mb = self._resident_mb()
        self._app = application.App(qt, window)

    async def figures(self, models: list[str], prompts: int) -> dict[str, object]:
        """Choose the models, put the prompts one after the other, and look."""
        try:
            self._app.begin(models, None)
            async with asyncio.timeout(_PATIENCE_S):
                return await self._figures(prompts)
        finally:
            self._app.end()
            await self._app.wait()

    async def _figures(self, prompts: int) -> dict[str, object]:
        vm = self._app.vm
        await until(vm, lambda state: state.can_run and all(lane.model for lane in state.lanes))
        await asyncio.sleep(_REST_S)
        chosen_mb = self._resident_mb()
        answered_mb = []
        for number in range(prompts):
            vm.run(_PROMPTS[number % len(_PROMPTS)])
            await until(vm, lambda state: not state.is_running)
            await asyncio.sleep(_REST_S)
            answered_mb.append(self._resident_mb())
        failed = [lane.error for lane in vm.state.lanes if lane.error is not None]
        if failed:
            raise RuntimeError(f"no answer: {failed}")
        pids = self._app.pool.pids()
        return {
            "painted_mb": self.painted_mb,
            "models_chosen_mb": chosen_mb,
            "answered_mb": answered_mb,
            "engines_mb": [_megabytes(psutil.Process(pid).memory_info().rss) for pid in pids],
            "tokens": [lane.tokens for lane in vm.state.lanes],
            "models": [f"{lane.model.name} {lane.model.quant}" for lane in vm.state.lanes if lane.model],
        }

    def _resident_mb(self) -> float:
        return _megabytes(self._me.memory_info().rss)


def main() -> None:
    """Print one JSON line."""
    parser = result.arguments(__doc__)
    parser.add_argument("prompts", type=int, nargs="?", default=len(_PROMPTS))
    parser.add_argument("--models", nargs=2, default=["starter", "starter:Q2_K"], metavar="REF")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("PLAYGROUND_HOME", folder)
        qt = application.make_application()
        window = application.open_window(qt, "light")
        loop = Loop(qt)
        asyncio.set_event_loop(loop)
        with loop:
            visit = Visit(qt, window)
            figures = loop.run_until_complete(visit.figures(wanted.models, wanted.prompts))
    result.write("window memory", __spec__.name, {**figures, "peak_mb": _peak_mb()})


def _megabytes(size_bytes: int) -> float:
    return round(size_bytes / 1e6, 1)


def _peak_mb() -> float | None:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return _megabytes(int(lines[0][1]) * 1024) if lines else None


if __name__ == "__main__":
    main()
