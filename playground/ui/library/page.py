"""The Library: four tabs below one head. Made when it is first asked for; the first paint imports none of this."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QTabBar, QWidget

from playground.ui import theme
from playground.ui.library import downloads_words as words
from playground.ui.library.disk_page import DiskPage
from playground.ui.library.downloads_page import DownloadsPage
from playground.ui.library.downloads_words import DownloadsState
from playground.ui.library.kit import STRETCH, column, frame, recolour, row, set_shown
from playground.ui.library.pairs_page import PairsPage
from playground.ui.library.repository_card import RepositoryCard, open_page
from playground.ui.library.search_page import SearchPage
from playground.ui.library.token import TokenDialog
from playground.ui.library.vm import LibraryVm
from playground.ui.meters import label

TABS = ("For this machine", "Search", "Downloads", "On disk")
PAIRS, SEARCH, DOWNLOADS, DISK = range(len(TABS))
_Page = PairsPage | SearchPage | DownloadsPage | DiskPage
_AHEAD_MS, _STEP_MS = 300, 30
_NARROW = 1050  # of the page; a window of 1024 pixels is narrow


class LibraryPage(QWidget):
    """``use_model``: a slot and what to load. ``compare_pair``: the compact one's and the larger one's reference.

    A pair that was fetched to be compared goes to Compare by itself only while the Library is in sight.
    ``status`` says in one line what is being downloaded, empty: nothing is.
    """

    use_model = Signal(str, str)
    compare_pair = Signal(str, str)
    status = Signal(str)

    def __init__(self, vm: LibraryVm) -> None:
        super().__init__()
        self.vm = vm
        self._has_started = False
        self._made: dict[int, _Page] = {}
        self._card: RepositoryCard | None = None
        self._ahead = QTimer(self)
        self._ahead.setSingleShot(True)
        self._ahead.timeout.connect(self._make_ahead)
        self._stack = QStackedWidget()
        self.tabs = self._make_tabs()
        self._tools = row()
        tabs = frame("tabs", row(self.tabs, margins=(3, 3, 3, 3)))
        head = row(label("Library", "h1"), 8, tabs, STRETCH, self._tools)
        self.setLayout(column(head, (self._stack, 1), gap=10, margins=(16, 12, 16, 12)))
        self._connect()
        self._add_keys()
        self._show_tab(PAIRS)
        self._render_downloads(vm.downloads.state)
        theme.notifier().changed.connect(self._recolour)

    @property
    def pairs(self) -> PairsPage:
        """Return the first tab's page."""
        page = self._page(PAIRS)
        assert isinstance(page, PairsPage)
        return page

    @property
    def search(self) -> SearchPage:
        """Return the second tab's page."""
        page = self._page(SEARCH)
        assert isinstance(page, SearchPage)
        return page

    @property
    def downloads(self) -> DownloadsPage:
        """Return the third tab's page."""
        page = self._page(DOWNLOADS)
        assert isinstance(page, DownloadsPage)
        return page

    @property
    def disk(self) -> DiskPage:
        """Return the fourth tab's page."""
        page = self._page(DISK)
        assert isinstance(page, DiskPage)
        return page

    def _page(self, index: int) -> _Page:
        """Return a tab's page, made when it is first wanted: all four at once would be felt."""
        if index not in self._made:
            page = self._made[index] = self._make_page(index)
            self._stack.addWidget(page)
            before: QWidget = self.tabs
            for tool in page.tools:
                self._tools.addWidget(tool)
                tool.setVisible(index == self.tabs.currentIndex())
                QWidget.setTabOrder(before, tool)
                before = tool
            page.set_narrow(self.width() < _NARROW)
        return self._made[index]

    def _make_page(self, index: int) -> _Page:
        vm = self.vm
        if index == PAIRS:
            return PairsPage(vm.pairs)
        if index == SEARCH:
            search = SearchPage(vm.search, self._card)
            search.disk_wanted.connect(lambda: self.go_to(DISK))
            search.token_wanted.connect(self.ask_for_token)
            return search
        empty = DownloadsPage(vm.downloads) if index == DOWNLOADS else DiskPage(vm.disk)
        empty.search_wanted.connect(lambda: self.go_to(SEARCH))
        return empty

    def _make_ahead(self) -> None:
        """Make the search while nobody waits for it, in two steps: the one behind a click would be felt."""
        if SEARCH in self._made:
            return
        if self._card is None:
            self._card = RepositoryCard(self.vm.search.opened)
            self._ahead.start(_STEP_MS)
        else:
            self._page(SEARCH)

    def _make_tabs(self) -> QTabBar:
        tabs = QTabBar()
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
        tabs.setAccessibleName("Library")
        for index, text in enumerate(TABS):
            tabs.addTab(text)
            tabs.setTabToolTip(index, f"{text}  (Alt+{index + 1})")
        tabs.currentChanged.connect(self._show_tab)
        return tabs

    def _connect(self) -> None:
        vm = self.vm
        vm.pairs.pair_ready.connect(self._pair_ready)
        vm.pairs.compare_wanted.connect(self.compare_pair)
        vm.pairs.use_wanted.connect(lambda path: self.use_model.emit("A", path))
        for source in (vm.search.opened, vm.downloads, vm.disk):
            source.use_wanted.connect(self.use_model)
        for asks in (vm.pairs, vm.search.opened, vm.disk):
            asks.downloads_wanted.connect(lambda: self.go_to(DOWNLOADS))
        vm.downloads.changed.connect(self._render_downloads)

    def _add_keys(self) -> None:
        for index in range(len(TABS)):
            self._key(f"Alt+{index + 1}", partial(self.go_to, index))
        self._key("Ctrl+K", lambda: self.go_to(SEARCH))
        self._key("F5", self._refresh)

    def _key(self, keys: str, intent: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self, intent)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # ---- tabs

    def go_to(self, index: int) -> None:
        """Show a tab and put the focus where one goes on."""
        self.tabs.setCurrentIndex(index)
        self._page(index).focus_first()

    def _show_tab(self, index: int) -> None:
        self._stack.setCurrentWidget(self._page(index))
        for place, page in self._made.items():
            for tool in page.tools:
                set_shown(tool, place == index)
        if index == DISK:
            set_shown(self.disk.folders, bool(self.vm.disk.state.added_folders))
        if index == SEARCH and self._has_started:
            self.vm.search.start()

    def _refresh(self) -> None:
        refreshes = {PAIRS: self.vm.pairs.refresh, SEARCH: self.vm.search.retry, DISK: self.vm.disk.refresh}
        refreshes.get(self.tabs.currentIndex(), self.vm.downloads.look)()

    def _render_downloads(self, state: DownloadsState) -> None:
        number = words.tab_count(state.downloads)
        text = f"{TABS[DOWNLOADS]}  {number}" if number else TABS[DOWNLOADS]
        if text != self.tabs.tabText(DOWNLOADS):
            self.tabs.setTabText(DOWNLOADS, text)
        self.status.emit(words.status(state.downloads))

    def _pair_ready(self, compact: str, larger: str) -> None:
        if self.isVisible():
            self.compare_pair.emit(compact, larger)

    # ---- the token

    def ask_for_token(self) -> None:
        """Ask for a Hub token; the dialog stays until the token was taken."""
        dialog = TokenDialog(self.window())
        dialog.link_wanted.connect(open_page)
        dialog.entered.connect(self.vm.save_token)
        self.vm.token_saved.connect(dialog.accept)
        self.vm.token_refused.connect(dialog.refuse)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # ---- Qt's

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Let Enter do what Space does on a button; outside of dialogs Qt leaves that out."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """Begin to look when it is first seen."""
        super().showEvent(event)
        if not self._has_started:
            self._has_started = True
            self.vm.start()
            self._show_tab(self.tabs.currentIndex())
            self._ahead.start(_AHEAD_MS)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """Say what goes on while it cannot be seen."""
        super().hideEvent(event)
        self.status.emit(words.status(self.vm.downloads.state.downloads))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave out what a small window has no room for."""
        super().resizeEvent(event)
        for page in self._made.values():
            page.set_narrow(self.width() < _NARROW)

    def _recolour(self) -> None:
        recolour(self)
        for page in self._made.values():
            if isinstance(page, SearchPage | DiskPage):
                page.set_icons()
