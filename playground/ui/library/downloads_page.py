"""The tab *Downloads*: under way, in need of somebody, finished. Rows are kept; only what differs is set."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from playground.models.downloads.download import Download
from playground.ui.library import downloads_words as words
from playground.ui.library.bars import ShareBar
from playground.ui.library.download_row import DownloadRowView
from playground.ui.library.downloads_vm import DownloadsVm
from playground.ui.library.downloads_words import DownloadsState, Section
from playground.ui.library.kit import (
    STRETCH,
    DropButton,
    IconLabel,
    button,
    column,
    frame,
    on_click,
    plain,
    row,
    rule,
    scrolled,
    set_button,
    set_shown,
    set_text,
)
from playground.ui.library.notices import Note, Plate
from playground.ui.library.question import ask
from playground.ui.meters import ElidedLabel, label

_PROMISE = "Downloads go on after a restart from the last whole byte, and every file is checked before it can be used."


class _SectionView(QWidget):
    """A caption and a card with rows."""

    def __init__(self, name: Section) -> None:
        super().__init__()
        self.name = name
        self.caption = label("", "k")
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(1, 1, 1, 1)
        self._rows.setSpacing(0)
        self._order: tuple[str, ...] = ()
        self._rules: list[QFrame] = []
        self.setLayout(column(self.caption, frame("card", self._rows), gap=5))

    def lay_out(self, views: list[DownloadRowView]) -> None:
        """Put rows below each other, when they are others than before."""
        order = tuple(view.id for view in views)
        if order == self._order:
            return
        self._order = order
        while self._rows.takeAt(0) is not None:
            pass
        for line in self._rules:
            line.deleteLater()
        self._rules = [rule() for _ in views[1:]]
        for index, view in enumerate(views):
            if index:
                self._rows.addWidget(self._rules[index - 1])
            self._rows.addWidget(view)
            view.show()


class DownloadsPage(QWidget):
    """Emits ``folder_wanted`` and what the view-model emits."""

    search_wanted = Signal()

    def __init__(self, vm: DownloadsVm) -> None:
        super().__init__()
        self._vm = vm
        self.views: dict[str, DownloadRowView] = {}
        self.limit = DropButton("Limit", words.LIMITS, "How fast all go together")
        self.limit.chosen.connect(vm.set_limit)
        self.parallel = DropButton("At once", words.PARALLEL, "How many go at the same time")
        self.parallel.chosen.connect(vm.set_parallel)
        self.pause = on_click(button("Pause all", "pause"), self._pause_or_resume)
        self.tools: tuple[QPushButton, ...] = (self.parallel, self.limit, self.pause)
        self._problem = Note("alert", "Bad")
        self._stack = QStackedWidget()
        self._plate = Plate("Find a model")
        self._plate.other_wanted.connect(self.search_wanted)
        self._stack.addWidget(self._plate)
        self._stack.addWidget(self._make_list())
        self.setLayout(column(self._make_strip(), self._problem, (self._stack, 1), gap=10))
        vm.changed.connect(self.render_state)
        self.render_state(vm.state)

    def _make_strip(self) -> QWidget:
        self._free, self._after = label("", "h2"), ElidedLabel()
        self._after.setProperty("role", "small")
        self._bar = ShareBar("Disk", 8, 180)
        line = row(
            IconLabel("folder"), self._free, self._bar, (self._after, 1), gap=9, margins=(12, 7, 12, 7)
        )
        return frame("strip", line)

    def _make_list(self) -> QWidget:
        inner = QWidget()
        self._sections = {name: _SectionView(name) for name in words.SECTIONS}
        promise = label(_PROMISE, "small")
        promise.setWordWrap(True)
        inner.setLayout(column(*self._sections.values(), promise, STRETCH, gap=10, margins=(0, 0, 4, 0)))
        self._area = scrolled(inner)
        return plain(column(self._area))

    def render_state(self, state: DownloadsState) -> None:
        """Show a state; sets only what differs."""
        free, after = words.disk_words(state)
        set_text(self._free, free)
        self._free.setToolTip(state.rules.folder)
        self._after.set_whole_text(after)
        self._bar.show_parts(words.disk_shares(state), f"{free}. {after}")
        self._problem.show_text(state.problem or state.rules.problem)
        self.limit.show_value(state.rules.limit_bytes_per_s)
        self.parallel.show_value(state.rules.parallel)
        self._render_pause(state)
        if not state.downloads:
            self._plate.show_words(
                "No downloads",
                "Models that you fetch are listed here, also after a restart.",
                "get",
                other=True,
            )
        self._stack.setCurrentIndex(1 if state.downloads else 0)
        self._render_rows(state)

    def _render_pause(self, state: DownloadsState) -> None:
        resumes = not words.can_pause(state.downloads) and words.can_resume(state.downloads)
        set_button(self.pause, "Resume all" if resumes else "Pause all", "play" if resumes else "pause")
        self.pause.setEnabled(resumes or words.can_pause(state.downloads))

    def _render_rows(self, state: DownloadsState) -> None:
        focused = self.focusWidget()
        had = next((id_ for id_, view in self.views.items() if _holds(view, focused)), "")
        for gone in [id_ for id_ in self.views if id_ not in {one.id for one in state.downloads}]:
            view = self.views.pop(gone)
            view.hide()
            view.deleteLater()
        for name, place in self._sections.items():
            mine = [one for one in state.downloads if words.section(one) == name]
            place.lay_out([self._view(one) for one in mine])
            set_text(place.caption, words.caption(name, state.downloads))
            set_shown(place, bool(mine))
        for one in state.downloads:
            self.views[one.id].show_row(words.row(one, state.now_s))
        if had not in self.views:
            if had:
                self.focus_first()
        elif not _holds(
            self.views[had], self.focusWidget()
        ):  # a row that goes to another section loses the focus
            self.views[had].setFocus(Qt.FocusReason.OtherFocusReason)

    def _view(self, download: Download) -> DownloadRowView:
        view = self.views.get(download.id)
        if view is None:
            view = self.views[download.id] = DownloadRowView(download.id)
            view.acted.connect(self._vm.act)
            view.removal_wanted.connect(self._remove)
            view.moved.connect(self._move)
        return view

    def _remove(self, id_: str) -> None:
        shown = self.views[id_].row
        if shown is None or not shown.asks_first:
            self._vm.remove(id_)
            return
        title, text = words.question(shown)
        ask(self.window(), title, text, "Delete", lambda: self._vm.remove(id_))

    def _pause_or_resume(self) -> None:
        if words.can_pause(self._vm.state.downloads):
            self._vm.pause_all()
        else:
            self._vm.resume_all()

    def _ordered(self) -> list[DownloadRowView]:
        mine = self._vm.state.downloads
        return [self.views[one.id] for name in words.SECTIONS for one in mine if words.section(one) == name]

    def _move(self, step: int) -> None:
        views = self._ordered()
        here = next((n for n, view in enumerate(views) if _holds(view, self.focusWidget())), 0)
        target = views[max(0, min(here + step, len(views) - 1))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._area.ensureWidgetVisible(target, 0, 12)

    def focus_first(self) -> None:
        """Give the focus to the first row, or to the way to one."""
        views = self._ordered()
        (views[0] if views else self._plate.other).setFocus(Qt.FocusReason.OtherFocusReason)

    def set_narrow(self, narrow: bool) -> None:
        """Give the disk's bar less room in a small window."""
        self._bar.setFixedWidth(110 if narrow else 220)


def _holds(view: QWidget, focused: QWidget | None) -> bool:
    return focused is not None and (view is focused or view.isAncestorOf(focused))
