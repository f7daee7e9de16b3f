"""How late the window's thread is while the Library works: a download, and a search with its results scrolled through.

Run: python -m tests.benchmarks.library_frames [bytes] [--models COUNT] [--rounds COUNT]

A whole app, offscreen, with its real services; the fake Hub runs in a process of its own. A precise timer of 4 ms in the
window's thread ticks all the time. ``worst_ms`` and ``p99_ms`` are times between two ticks, ``worst_cpu_ms`` is the most
CPU time that this thread has spent between two: that does not grow when others use the machine. A download is measured
from the click until half a second after its file is verified and listed, beside the same tab idle for the same time.
A search is measured from the first key until all results have been listed and scrolled through, one repository open;
``first`` is the time from the click on *Library* to the first results and the first repository's fits of the process.
``late``: how many times between two ticks were above 33 ms.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from playground import app as application
from playground.models.downloads.download import DownloadState
from playground.ui.library.page import DOWNLOADS, SEARCH, LibraryPage
from playground.ui.loop import Loop
from tests.benchmarks import result
from tests.benchmarks.download import make
from tests.support.tiny_gguf import build

_ROOT = Path(__file__).resolve().parents[2]
_REPO, _NAME, _QUANT = "acme/large-GGUF", "large-Q4_K_M.gguf", "Q4_K_M"
_TICK_MS, _FRAME_S = 4, 0.033
_REST_S = 0.5
_SETTLED_S = 2.0
_KEY_S, _SCROLL_S = 0.12, 0.016
_SCROLL_PIXELS = 104
_MOST_S = 300


@dataclass(slots=True)
class Beat:
    """Ticks of the window's thread: (seconds, CPU seconds of the thread) between two."""

    found: list[tuple[float, float]] = field(default_factory=list)
    _last: tuple[float, float] = (0.0, 0.0)
    _timer: QTimer = field(default_factory=QTimer)

    def start(self) -> None:
        """Begin to tick."""
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter(), time.thread_time()
        self._timer.start(_TICK_MS)

    def stop(self) -> dict[str, object]:
        """End, and return the figures."""
        self._tick()
        self._timer.stop()
        walls, cpus = [wall_s for wall_s, _ in self.found], [cpu_s for _, cpu_s in self.found]
        return {
            "worst_ms": round(max(walls) * 1000, 1),
            "p99_ms": round(result.percentile(walls, 99) * 1000, 1),
            "worst_cpu_ms": round(max(cpus) * 1000, 1),
            "late": sum(wall_s > _FRAME_S for wall_s in walls),
            "late_by_cpu": sum(cpu_s > _FRAME_S for cpu_s in cpus),
            "ticks": len(walls),
        }

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.found.append((now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now


class Stage:
    """The app with its Library in sight."""

    def __init__(self, qt: QApplication) -> None:
        self._window = application.make_window(qt, "light")
        self._app = application.App(qt, self._window)
        self._window.resize(1280, 800)
        self._window.show()
        self._app.begin((), None)
        self._pages = self._app.pages

    async def open(self) -> dict[str, object]:
        """Let the app come to rest, then show the Library and its search."""
        await _until(lambda: gc.get_freeze_count() > 0)  # the last thing that a start does
        await asyncio.sleep(_SETTLED_S)
        beat = Beat()
        beat.start()
        self._pages.show_page("library")
        page = self._pages.pages["library"]
        assert isinstance(page, LibraryPage)
        self._page = page
        await _until(lambda: bool(page.vm.pairs.state.proposals) and not page.vm.disk.state.is_looking)
        await asyncio.sleep(_REST_S)  # as long as anybody looks at the first tab
        page.go_to(SEARCH)
        await _until(lambda: bool(page.vm.search.opened.state.fits))
        await asyncio.sleep(_REST_S)
        return beat.stop()

    async def search(self, count: int) -> dict[str, object]:
        """Type, then scroll down until all models have been listed and seen."""
        vm, view = self._page.vm.search, self._page.search.list
        beat = Beat()
        beat.start()
        for length in range(1, len("coder") + 1):
            self._page.search.field.setText("coder"[:length])
            await asyncio.sleep(_KEY_S)
        await _until(lambda: not vm.is_waiting() and not vm.state.is_searching and bool(vm.state.found))
        await _until(lambda: bool(vm.opened.state.fits))
        bar = view.verticalScrollBar()
        while bar.value() < bar.maximum() or vm.state.cursor:
            bar.setValue(bar.value() + _SCROLL_PIXELS)
            await asyncio.sleep(_SCROLL_S)
        await asyncio.sleep(_REST_S)
        figures = beat.stop()
        if vm.results.rowCount() != count:
            raise RuntimeError(f"{vm.results.rowCount()} of {count} models were listed: {vm.state.trouble}")
        return {**figures, "listed": count}

    async def download(self) -> tuple[dict[str, object], dict[str, object], float]:
        """Fetch the large file; return the figures, those of the same time at rest, and the time."""
        self._page.go_to(DOWNLOADS)
        await asyncio.sleep(_REST_S)
        began, beat = time.perf_counter(), Beat()
        beat.start()
        await self._pages.library.download(_REPO, _QUANT, "")
        ends = (DownloadState.DONE, DownloadState.FAILED)
        await _until(lambda: self._pages.library.downloads()[0].state in ends)
        fetched_s = time.perf_counter() - began
        await asyncio.sleep(_REST_S)
        figures, done = beat.stop(), self._pages.library.downloads()[0]
        if done.state is not DownloadState.DONE:
            raise RuntimeError(done.error)
        await asyncio.sleep(_SETTLED_S)
        beat = Beat()
        beat.start()
        await asyncio.sleep(fetched_s + _REST_S)
        idle = beat.stop()
        self._pages.library.forget(done.id)
        shutil.rmtree(Path(os.environ["HF_HUB_CACHE"]))
        return figures, idle, fetched_s

    async def close(self) -> None:
        """End the app in order."""
        self._app.end()
        await self._app.wait()


async def measured(qt: QApplication, models: int, rounds: int) -> dict[str, object]:
    """Return the figures of all parts."""
    stage = Stage(qt)
    try:
        first = await stage.open()
        search = await stage.search(models)
        downloads = [await stage.download() for _ in range(rounds)]
    finally:
        await stage.close()
    return {
        "first": first,
        "search": search,
        "downloads": [
            {"fetched_s": round(taken_s, 2), **found, "idle": idle} for found, idle, taken_s in downloads
        ],
    }


def main() -> None:
    """Print one JSON line."""
    parser = result.arguments(__doc__)
    parser.add_argument("bytes", type=int, nargs="?", default=1_500_000_000, help="to download")
    parser.add_argument("--models", type=int, default=600, metavar="COUNT", help="that a search finds")
    parser.add_argument("--rounds", type=int, default=3, metavar="COUNT", help="of the download")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "large.gguf", wanted.bytes)
        build("qwen3", folder / "small.gguf")
        with _hub(folder, wanted.models) as url:
            figures = _run(folder, url, wanted.models, wanted.rounds)
    result.write("library_frames", __spec__.name, {"size_bytes": wanted.bytes, **figures})


def _run(folder: Path, url: str, models: int, rounds: int) -> dict[str, object]:
    os.environ |= {
        "HF_ENDPOINT": url,
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_CACHE": str(folder / "hf" / "hub"),
    }
    os.environ["PLAYGROUND_HOME"] = str(folder / "home")
    qt = application.make_application()
    loop = Loop(qt)
    asyncio.set_event_loop(loop)
    with loop:
        figures: dict[str, object] = loop.run_until_complete(measured(qt, models, rounds))
    return figures


@contextmanager
def _hub(folder: Path, models: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.fake_hub", "--port", "0", "--repo", _REPO]
    command += ["--file", f"{_NAME}={folder / 'large.gguf'}", "--models", f"{models}={folder / 'small.gguf'}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_MOST_S):
        while not condition():  # noqa: ASYNC110 -- what is waited for has no event in common
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
