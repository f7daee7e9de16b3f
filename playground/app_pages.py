"""The pages beside Compare: made when they are first wanted, and what one of them asks of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from playground.app_library import AppLibrary
from playground.engines.pool import EnginePool
from playground.models.downloads.download import DownloadState
from playground.ui.bridge import Bridge
from playground.ui.compare_vm import CompareVm
from playground.ui.main_window import MainWindow
from playground.ui.rail import PAGES

if TYPE_CHECKING:
    from playground.app_results import AppResults
    from playground.ui.compare_state import CompareState
    from playground.ui.results.vm import ResultsVm

_SHOWN_MS = 8000
_IDLE_MS = 300  # after the first paint, when the models of the start are on their way


class AppPages(QObject):
    """Shows pages. ``library`` works before its page is made: downloads go on when the app starts."""

    def __init__(self, window: MainWindow, compare: CompareVm, bridge: Bridge, pool: EnginePool) -> None:
        super().__init__(window)
        self._window, self._compare, self._bridge, self._pool = window, compare, bridge, pool
        self.library = AppLibrary(pool, self._chosen)
        self._results: AppResults | None = None
        self._results_vm: ResultsVm | None = None
        self._makers: dict[str, Callable[[], QWidget]] = {
            "library": self._make_library,
            "results": self._make_results,
        }
        self.pages: dict[str, QWidget] = {"compare": window.page}
        self._fetched = frozenset[str]()
        window.page_wanted.connect(self.show_page)

    def start(self) -> None:
        """Go on with downloads, take keys and dropped files."""
        from playground.ui.file_drop import accept_models

        self.library.start(self._take_downloads)
        for number, name in enumerate(PAGES, 1):
            QShortcut(QKeySequence(f"Ctrl+{number}"), self._window, lambda page=name: self.show_page(page))
        accept_models(self._window, self._take_dropped)
        QTimer.singleShot(_IDLE_MS, self, self._offer_tests)

    def _chosen(self) -> list[str]:
        """Return the files of the models that the lanes have."""
        return [lane.model.path for lane in self._compare.state.lanes if lane.model is not None]

    def show_page(self, name: str) -> None:
        """Show a page, made now if it was not yet."""
        if name not in self.pages:
            self.pages[name] = self._makers[name]()
        if name == "results" and self._results_vm is not None:
            models = [lane.model for lane in self._compare.state.lanes if lane.model is not None]
            self._results_vm.start.suggest(models)
        self._window.show_page(name, self.pages[name])

    def use(self, slot: str, ref: str) -> None:
        """Put a model into a lane and show Compare. A lane that is getting another model takes this one after it."""
        self.show_page("compare")
        self._bridge.spawn(self._use(slot, ref), self)

    async def _use(self, slot: str, ref: str) -> None:
        await self._compare.prepared(slot)
        if self._compare.state.lane(slot).is_busy:
            sentence = f"Lane {slot} is at work: stop it, then choose the model again."
            self._window.statusBar().showMessage(sentence, _SHOWN_MS)
        else:
            self._compare.choose_model(slot, ref)

    def _compare_pair(self, compact: str, larger: str) -> None:
        self.use("A", compact)
        self.use("B", larger)

    def _take_dropped(self, models: list[Path], place: QPoint) -> None:
        from playground.ui.file_drop import slot_at

        cards = self._window.page.lanes
        if len(models) > 1:
            self._compare_pair(str(models[0]), str(models[1]))
        else:
            self.use(slot_at(self._window, cards, place), str(models[0]))

    def _make_library(self) -> QWidget:
        from playground.ui.library.page import LibraryPage
        from playground.ui.library.vm import LibraryVm

        vm = LibraryVm(self.library, self._bridge, self._window)
        page = LibraryPage(vm)
        page.use_model.connect(self.use)
        page.compare_pair.connect(self._compare_pair)
        page.status.connect(lambda text: self._window.say("library", text))
        vm.disk.found.connect(lambda _disk: self._compare.refresh_models())
        return page

    def _take_downloads(self) -> None:
        """Have Compare see what has come, and say what goes on as long as there is no page that does."""
        from playground.ui.library import downloads_words as words

        downloads = self.library.downloads()
        fetched = frozenset(one.id for one in downloads if one.state is DownloadState.DONE)
        if fetched - self._fetched:
            self._compare.refresh_models()
        self._fetched = fetched
        if "library" not in self.pages:
            self._window.say("library", words.status(downloads))

    # ---- tests and results

    def _services(self) -> AppResults:
        from playground.app_results import AppResults

        if self._results is None:
            self._results = AppResults(self._pool)
        return self._results

    def _offer_tests(self) -> None:
        """Give the lanes of Compare their *Run tests*."""
        from playground.ui.results.lane_tests import attach
        from playground.ui.results.lane_tests_vm import LaneTestsVm

        tests = LaneTestsVm(self._services(), self._compare, self._bridge, self)
        attach(self._window.page, tests)
        tests.start()

    def _make_results(self) -> QWidget:
        from playground.ui.results.page import ResultsPage
        from playground.ui.results.vm import ResultsVm

        vm = ResultsVm(self._services(), self._bridge, self)
        page = ResultsPage(vm)
        self._results_vm = vm
        page.status.connect(lambda text: self._window.say("results", text))
        page.library_wanted.connect(lambda: self.show_page("library"))
        page.compare_wanted.connect(self._compare_prompt)
        vm.busy_changed.connect(self._compare.set_blocked)
        self._compare.changed.connect(lambda state: _block(vm, state))
        _block(vm, self._compare.state)
        return page

    def _compare_prompt(self, compact: str, larger: str, prompt: str) -> None:
        self._compare_pair(compact, larger)
        self._window.page.prompt.editor.setPlainText(prompt)


def _block(results: ResultsVm, state: CompareState) -> None:
    """Let no run begin while a lane has the engines at work."""
    results.set_blocked("Compare is answering: wait for its end, or stop it." if state.is_running else "")
