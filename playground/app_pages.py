"""The pages beside Compare: made when they are first wanted, and what one of them asks of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from playground.app_library import AppLibrary
from playground.models.downloads.download import DownloadState
from playground.ui.bridge import Bridge
from playground.ui.compare_vm import CompareVm
from playground.ui.main_window import MainWindow
from playground.ui.rail import PAGES

_SHOWN_MS = 8000


class AppPages(QObject):
    """Shows pages. ``library`` works before its page is made: downloads go on when the app starts."""

    def __init__(self, window: MainWindow, compare: CompareVm, bridge: Bridge, library: AppLibrary) -> None:
        super().__init__(window)
        self._window, self._compare, self._bridge = window, compare, bridge
        self.library = library
        self._makers: dict[str, Callable[[], QWidget]] = {"library": self._make_library}
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

    def show_page(self, name: str) -> None:
        """Show a page, made now if it was not yet."""
        if name not in self.pages:
            self.pages[name] = self._makers[name]()
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
