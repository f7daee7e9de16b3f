"""The window's composition root: paints the window, then builds what stands behind it; owns the loop and the end.

In two steps, because what stands behind the window takes longer to import than the window takes to build. The
first paint therefore needs nothing but widgets: what is imported at the top of this module, and of what the
window is made of, is on its path.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from playground.ui import theme
from playground.ui.compare_page import ComparePage
from playground.ui.main_window import MainWindow

if TYPE_CHECKING:
    import asyncio

_STARTER_PAIR = ("starter", "starter:Q2_K")
_PAINT_MS = 2000
_END_S = 8.0
_MEMORY_MS = 2000


class App(QObject):
    """What stands behind a window, built in a running loop."""

    def __init__(self, qt: QApplication, window: MainWindow) -> None:
        import asyncio

        from playground.app_library import AppLibrary
        from playground.app_pages import AppPages
        from playground.app_services import AppServices
        from playground.engines.pool import EnginePool
        from playground.models import hardware
        from playground.ui.bridge import Bridge
        from playground.ui.compare_vm import CompareVm

        super().__init__()
        self._qt = qt
        self._ended = asyncio.Event()
        self._end_task: asyncio.Task[None] | None = None
        self.window, self.page = window, window.page
        self.pool = EnginePool(hardware.physical_cores())
        self.services = AppServices(self.pool)
        self.bridge = Bridge(self._show_bug)
        self.vm = CompareVm(self.services, self.bridge)
        self.page.connect_to(
            self.vm, self.services.prompts(), self.services.quant_types(), self.pool.budget.cores
        )
        self.vm.changed.connect(window.render_state)
        self.pages = AppPages(window, self.vm, self.bridge, AppLibrary(self.pool, self._chosen))
        window.theme_wanted.connect(self.set_theme)
        window.closing.connect(self.end)
        self._memory_timer = QTimer(self)
        self._memory_timer.setInterval(_MEMORY_MS)
        self._memory_timer.timeout.connect(self.vm.read_memory)

    def _chosen(self) -> list[str]:
        return [lane.model.path for lane in self.vm.state.lanes if lane.model is not None]

    def set_theme(self, name: str) -> None:
        """Put a theme in force: system, light or dark."""
        dark = theme.system_prefers_dark(self._qt) if name == "system" else name == "dark"
        if dark != theme.is_dark():
            theme.apply(self._qt, dark)
        if name != "system":
            theme.tell_platform(self._qt)

    def begin(self, models: Sequence[str], prompt: str | None) -> None:
        """Fill the lanes and run the prompt."""
        from playground.ui.bridge import watch_lateness

        _warm_up()
        self.set_theme(self.window.theme_name)
        self.bridge.spawn(watch_lateness(), self)
        self._memory_timer.start()
        self.pages.start()
        self.vm.read_memory()
        self.vm.refresh_models()
        self.bridge.spawn(self._fill(models, prompt), self)

    def end(self) -> None:
        """End in order: the run, the engines, the tasks, the window."""
        import asyncio

        if self._end_task is None:
            self._end_task = asyncio.get_running_loop().create_task(self._end())

    async def wait(self) -> None:
        """Return when the app has ended."""
        await self._ended.wait()

    async def _fill(self, models: Sequence[str], prompt: str | None) -> None:
        from playground.models import starter

        wanted = list(models) or (list(_STARTER_PAIR) if starter.installed() else [])
        for slot, ref in zip([lane.slot for lane in self.vm.state.lanes], wanted, strict=False):
            lane = self.vm.state.lane(slot)
            if lane.model is None and not lane.is_busy:  # the user may have been quicker
                self.vm.choose_model(slot, ref)
                await self.vm.prepared(slot)
        self.vm.refresh_models()
        gc.collect()
        gc.freeze()
        if prompt:
            self.vm.run(prompt)

    async def _end(self) -> None:
        import asyncio
        import contextlib

        self._memory_timer.stop()
        self.vm.stop(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self.bridge.close()
                await asyncio.gather(self.pool.close(), self.pages.library.close())
        self.window.close_now()
        self._ended.set()

    def _show_bug(self, error: BaseException) -> None:
        import traceback

        lines = traceback.format_tb(error.__traceback__)
        self.window.show_bug(f"{type(error).__name__}\n{''.join(lines[-6:])}")


def run(models: Sequence[str], prompt: str | None, prompt_id: str | None, theme_name: str | None) -> int:
    """Open the window and return the exit status when it has closed."""
    if prompt_id:
        from playground.compare.prompts import by_id
        from playground.errors import PlaygroundError

        try:
            prompt = by_id(prompt_id).text
        except PlaygroundError as error:
            sys.stderr.write(f"playground: {error.sentence()}\n")
            return 2
    qt = make_application()
    window = open_window(qt, theme_name or "system")
    gc.enable()  # the start has switched it off
    return stay_open(qt, window, models, prompt)


def make_application() -> QApplication:
    """Return the Qt application with its style and fonts."""
    # As an argument, because QApplication.setStyle() returns the style, and its private type takes 5 ms to wrap.
    qt = QApplication([*(sys.argv[:1] or ["playground"]), "-style", "Fusion"])
    qt.setApplicationName("playground")
    qt.setApplicationDisplayName("Playground")
    qt.setDesktopFileName("playground")
    qt.setQuitOnLastWindowClosed(False)
    theme.load_fonts()
    qt.setFont(theme.font(10))
    return qt


def make_window(qt: QApplication, theme_name: str) -> MainWindow:
    """Return the window, built first and dressed then.

    With a style sheet in force, a widget and all in it is styled again for each layout that it enters.
    """
    theme.choose(theme.starts_dark(qt) if theme_name == "system" else theme_name == "dark")
    window = MainWindow(ComparePage(), theme_name)
    theme.dress(qt)
    return window


def open_window(qt: QApplication, theme_name: str) -> MainWindow:
    """Return the window when it has been painted for the first time.

    The loop is Qt's own and short: asyncio is not imported yet, so no coroutine can be waiting for it.
    """
    window = make_window(qt, theme_name)
    loop, patience = QEventLoop(), QTimer()
    window.painted.connect(loop.quit)
    window.closing.connect(loop.quit)
    patience.timeout.connect(loop.quit)  # a window that is opened out of sight is not painted
    patience.start(_PAINT_MS)
    window.show()
    window.page.prompt.editor.setFocus()
    loop.exec()
    return window


def stay_open(qt: QApplication, window: MainWindow, models: Sequence[str], prompt: str | None) -> int:
    """Build what stands behind the window, and return the exit status when it has closed."""
    import asyncio

    from playground import logs
    from playground.ui.loop import Loop

    logs.start()
    loop = Loop(qt)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(serve(qt, window, models, prompt))
    return 0


async def serve(qt: QApplication, window: MainWindow, models: Sequence[str], prompt: str | None) -> None:
    """Bring a window to life and return when the app has ended."""
    app = App(qt, window)
    if window.close_wanted:
        app.end()
    else:
        app.begin(models, prompt)
    await app.wait()


def _warm_up() -> None:
    import threading

    from playground.ui.transcript.blocks import prewarm

    threading.Thread(target=prewarm, name="warm-up", daemon=True).start()
