"""The window's composition root: builds the services, owns the event loop and the ordered end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import traceback
from collections.abc import Sequence

import psutil
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from playground import logs
from playground.compare.events import Lane, LaneResult, WantedPlan
from playground.compare.prompts import Prompt, all_prompts, by_id
from playground.engines.pool import EnginePool
from playground.errors import PlaygroundError
from playground.models import hardware
from playground.models.files import ModelFile
from playground.models.quants import QUANTIZE_TYPES
from playground.ui import theme
from playground.ui.bridge import Bridge, watch_lateness
from playground.ui.compare_page import ComparePage
from playground.ui.compare_vm import CompareVm
from playground.ui.main_window import MainWindow
from playground.ui.services import MemoryReading, OnProgress, Run

_STARTER_PAIR = ("starter", "starter:Q2_K")
_END_S = 8.0
_MEMORY_MS = 2000
_log = logs.get("app")


class AppServices:
    """The real services behind the Compare screen. Heavy modules are imported when they are first needed."""

    def __init__(self, pool: EnginePool) -> None:
        self.pool = pool

    def local_models(self) -> list[ModelFile]:
        """Return the models on this disk. Blocking."""
        from playground.models.library import local_models

        return local_models()

    def prompts(self) -> tuple[Prompt, ...]:
        """Return the built-in prompts."""
        return all_prompts()

    async def prepare(self, ref: str, progress: OnProgress) -> ModelFile:
        """Return the model for a reference."""
        from playground.compare.prepare import prepare

        return await prepare(ref, progress)

    async def make_copy(self, source: ModelFile, quant: str, progress: OnProgress) -> ModelFile:
        """Make a smaller copy in the app's data folder."""
        from playground.compare.prepare import make_copy

        return await make_copy(source, quant, None, progress)

    def run(self, lanes: Sequence[Lane], wanted: WantedPlan) -> Run:
        """Begin a comparison."""
        from playground.compare.run import Comparison

        return Comparison(lanes, wanted, self.pool)

    def sentence(self, results: Sequence[LaneResult]) -> str:
        """Return what can be said about two results."""
        from playground.compare.verdict import sentence

        return sentence(results)

    def memory(self) -> MemoryReading:
        """Return the machine's memory now."""
        total, available = hardware.total_memory_bytes(), hardware.available_memory_bytes()
        ours = 0
        for pid in self.pool.pids():
            with contextlib.suppress(psutil.Error):
                ours += psutil.Process(pid).memory_info().rss
        loaded = len(self.pool.loaded())
        return MemoryReading(total, max(total - available, ours), ours, loaded, self.pool.budget.cores)

    def quant_types(self) -> tuple[str, ...]:
        """Return the types that smaller copies can have."""
        return QUANTIZE_TYPES


class App(QObject):
    """The window and what stands behind it."""

    def __init__(self, qt: QApplication, theme_name: str) -> None:
        super().__init__()
        self._qt = qt
        self._ended = asyncio.Event()
        self._ending = False
        self.pool = EnginePool(hardware.physical_cores())
        self.services = AppServices(self.pool)
        self.bridge = Bridge(self._show_bug)
        self.vm = CompareVm(self.services, self.bridge)
        page = self.page = ComparePage(
            self.vm, self.services.prompts(), self.services.quant_types(), self.pool.budget.cores
        )
        self.window = MainWindow(page, theme_name)
        self.vm.changed.connect(self.window.render_state)
        self.window.theme_wanted.connect(self.set_theme)
        self.window.closing.connect(self.end)
        self._memory_timer = QTimer(self)
        self._memory_timer.setInterval(_MEMORY_MS)
        self._memory_timer.timeout.connect(self.vm.read_memory)

    def set_theme(self, name: str) -> None:
        """Put a theme in force: system, light or dark."""
        dark = theme.system_prefers_dark(self._qt) if name == "system" else name == "dark"
        theme.apply(self._qt, dark)

    def begin(self, models: Sequence[str], prompt: str | None) -> None:
        """Fill the lanes and run the prompt, after the window's first paint."""
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
        self.bridge.spawn(watch_lateness(), self)
        self._memory_timer.start()
        self.vm.read_memory()
        self.vm.refresh_models()
        self.bridge.spawn(self._fill(models, prompt), self)

    def end(self) -> None:
        """End in order: the run, the engines, the tasks, the window."""
        if not self._ending:
            self._ending = True
            self._end_task = asyncio.get_running_loop().create_task(self._end())

    async def wait(self) -> None:
        """Return when the app has ended."""
        await self._ended.wait()

    async def _fill(self, models: Sequence[str], prompt: str | None) -> None:
        from playground.models import starter

        wanted = list(models) or (list(_STARTER_PAIR) if starter.installed() else [])
        for lane, ref in zip(self.vm.state.lanes, wanted, strict=False):
            self.vm.choose_model(lane.slot, ref)
            await self.vm.prepared(lane.slot)
        self.vm.refresh_models()
        gc.collect()
        gc.freeze()
        if prompt:
            self.vm.run(prompt)

    async def _end(self) -> None:
        self._memory_timer.stop()
        self.vm.stop(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self.bridge.close()
                await self.pool.close()
        self.window.close_now()
        self._ended.set()

    def _show_bug(self, error: BaseException) -> None:
        lines = traceback.format_tb(error.__traceback__)
        self.window.show_bug(f"{type(error).__name__}\n{''.join(lines[-6:])}")


def run(models: Sequence[str], prompt: str | None, prompt_id: str | None, theme_name: str | None) -> int:
    """Open the window and return the exit status when it has closed."""
    from qasync import QEventLoop  # behind PySide6, whose binding it takes

    logs.start()
    try:
        text = by_id(prompt_id).text if prompt_id else prompt
    except PlaygroundError as error:
        sys.stderr.write(f"playground: {error.sentence()}\n")
        return 2
    qt = make_application()
    loop = QEventLoop(qt)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(_main(qt, models, text, theme_name or "system"))
    return 0


def make_application() -> QApplication:
    """Return the Qt application with its style and fonts."""
    qt = QApplication(sys.argv[:1])
    qt.setApplicationName("playground")
    qt.setApplicationDisplayName("Playground")
    qt.setDesktopFileName("playground")
    qt.setQuitOnLastWindowClosed(False)
    qt.setStyle("Fusion")
    theme.load_fonts()
    qt.setFont(theme.font(10))
    return qt


async def _main(qt: QApplication, models: Sequence[str], prompt: str | None, theme_name: str) -> None:
    app = App(qt, theme_name)
    app.set_theme(theme_name)
    app.window.show()
    app.page.prompt.editor.setFocus()
    await asyncio.sleep(0.05)  # the first paint comes first
    app.begin(models, prompt)
    await app.wait()


def _warm_up() -> None:
    from playground.ui import transcript

    transcript.prewarm()
