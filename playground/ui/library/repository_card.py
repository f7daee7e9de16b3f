"""The right half of *Search*: a repository's essentials, the context, its quantizations, and fetching one of them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QSlider, QStackedWidget, QWidget

from playground.ui import theme
from playground.ui.library import quant_rows
from playground.ui.library import repository_words as words
from playground.ui.library.kit import (
    STRETCH,
    IconLabel,
    button,
    column,
    frame,
    on_click,
    pill,
    plain,
    row,
    scrolled,
    set_button,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.library.notices import Note, Plate, Skeleton
from playground.ui.library.quant_list import QUANT_ROLE
from playground.ui.library.repository_vm import RepositoryVm
from playground.ui.library.search_state import RepositoryState
from playground.ui.library.words import context, contexts_up_to, short_name
from playground.ui.meters import ElidedLabel, label

HUB = "https://huggingface.co"
_CHIPS, _NARROW_CHIPS, _NARROW = 4, 2, 620
_TALL = 560
_EDGE = 8


class Ticks(QWidget):
    """The contexts below the slider."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: tuple[str, ...] = ()
        self.setFixedHeight(15)

    def show_texts(self, texts: tuple[str, ...]) -> None:
        """Show other contexts."""
        if texts != self._texts:
            self._texts = texts
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint each one below its place."""
        painter = QPainter(self)
        painter.setFont(theme.font(8))
        painter.setPen(QColor(theme.current().faint))
        last = max(len(self._texts) - 1, 1)
        for index, text in enumerate(self._texts):
            centre = _EDGE + (self.width() - 2 * _EDGE) * index / last
            left = min(max(centre - 20, 0), self.width() - 40)
            side = Qt.AlignmentFlag.AlignHCenter
            if index in (0, last) and len(self._texts) > 1:
                side = Qt.AlignmentFlag.AlignRight if index else Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRectF(left, 0, 40, 15), int(side), text)
        painter.end()


class QuantView(QListView):
    """Enter does what the card's button says; there are no scroll bars of its own."""

    acted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Take Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.acted.emit()
        else:
            super().keyPressEvent(event)


class RepositoryCard(QFrame):
    """Shows a repository; emits what has to be done outside of it."""

    token_wanted = Signal()
    search_wanted = Signal(str)

    def __init__(self, vm: RepositoryVm) -> None:
        super().__init__()
        self.setObjectName("card")
        self._vm = vm
        self._steps: tuple[int, ...] = ()
        self._plate = Plate("Search for a GGUF of it")
        self._plate.retry_wanted.connect(vm.retry)
        self._plate.token_wanted.connect(self.token_wanted)
        self._plate.link_wanted.connect(open_page)
        self._plate.other_wanted.connect(self._search_other)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._plate)
        self._stack.addWidget(plain(column(Skeleton("Reading the repository", 60), margins=(16, 16, 16, 16))))
        self._stack.addWidget(self._make_whole())
        self.setLayout(column(self._stack, margins=(1, 1, 1, 1)))
        vm.changed.connect(self.render_state)
        self.render_state(vm.state)

    # ---- building

    def _make_whole(self) -> QWidget:
        inner = QWidget()
        inner.setLayout(
            column(
                self._make_summary(),
                self._make_context(),
                self._make_fits_note(),
                self._make_caption(),
                self._make_quants(),
                self._hint,
                self._others,
                STRETCH,
                self._make_licence(),
                self._make_gate(),
                gap=7,
                margins=(16, 10, 16, 8),
            )
        )
        self._area = scrolled(inner)
        return plain(column(self._make_head(), (self._area, 1), self._make_foot(), gap=0))

    def _make_head(self) -> QWidget:
        self._name, self._facts = ElidedLabel(), ElidedLabel()
        self._name.setProperty("role", "h1")
        self._facts.setProperty("role", "small")
        self._chips = [pill("", "badge") for _ in range(_CHIPS)]
        self.page_button = on_click(
            button("", "open", "Open the model card in the browser", kind="square", name="Model card"),
            lambda: open_page(f"{HUB}/{self._vm.state.ref}"),
        )
        first = row(self._name, *self._chips, STRETCH, self.page_button, gap=7)
        return frame("cardhead", column(first, self._facts, gap=1, margins=(16, 9, 10, 9)))

    def _make_summary(self) -> QWidget:
        self._summary = label("", "muted")
        self._summary.setWordWrap(True)
        return self._summary

    def _make_context(self) -> QWidget:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Context")
        self.slider.setMinimumWidth(160)
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._slid)
        self._ticks, self._context = Ticks(), label("", "h2")
        self._context.setMinimumWidth(42)
        middle = column(self.slider, self._ticks, gap=1)
        return plain(row(label("Context", "muted"), (plain(middle), 1), self._context, gap=10))

    def _make_fits_note(self) -> QWidget:
        again = on_click(button("Try again", "redo"), self._vm.retry_fits)
        self._fits_note = Note("alert", "Bad", again)
        return self._fits_note

    def _make_caption(self) -> QWidget:
        name, size = label("QUANT", "k"), label("SIZE", "k")
        name.setFixedWidth(quant_rows.NAME)
        size.setFixedWidth(quant_rows.SIZE)
        self._memory, self._free = label("", "k"), label("", "k")
        edge = quant_rows.EDGE
        return plain(
            row(name, size, self._memory, STRETCH, self._free, gap=quant_rows.GAP, margins=(edge, 0, edge, 0))
        )

    def _make_quants(self) -> QWidget:
        self._hint, self._others = label("", "small"), label("", "small")
        for shown in (self._hint, self._others):
            shown.setWordWrap(True)
        view = self.quants = QuantView()
        view.setAccessibleName("Quantizations")
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setItemDelegate(quant_rows.QuantRows(view))
        view.setModel(self._vm.quants)
        view.selectionModel().currentChanged.connect(self._moved)
        view.acted.connect(self._vm.act)
        view.doubleClicked.connect(lambda _index: self._vm.act())
        return view

    def _make_licence(self) -> QWidget:
        self._licence = on_click(
            button("", "", "Open the licence in the browser"), lambda: open_page(self._licence_url())
        )
        self._licence_note = ElidedLabel()
        self._licence_note.setProperty("role", "small")
        self._open_mark, self._open_words = (
            IconLabel("check", "ok", 14),
            label("Not gated: no account needed", "small"),
        )
        return plain(
            row(
                label("Licence", "muted"),
                self._licence,
                (self._licence_note, 1),
                self._open_mark,
                self._open_words,
                gap=8,
            )
        )

    def _make_gate(self) -> QWidget:
        self.accept = on_click(
            button("Accept on huggingface.co", "open"), lambda: open_page(f"{HUB}/{self._vm.state.ref}")
        )
        self.token = on_click(button("Enter a token…", "key"), self.token_wanted.emit)
        self._gate = Note("lock", "Warn", self.accept, self.token)
        return self._gate

    def _make_foot(self) -> QWidget:
        self._foot = ElidedLabel()
        self._foot.setProperty("role", "small")
        self._problem = label("", "why")
        self._problem.setWordWrap(True)
        self.use = on_click(
            button("Use as B", "compare", "Put it into pane B of Compare"), lambda: self._vm.use("B")
        )
        self.get = on_click(button("Download", "get", kind="primary"), self._vm.act)
        line = row((self._foot, 1), self.use, self.get)
        return frame("cardfoot", column(self._problem, line, gap=4, margins=(16, 8, 12, 8)))

    # ---- rendering

    def render_state(self, state: RepositoryState) -> None:
        """Show a state; sets only what differs."""
        repository = state.repository
        if state.trouble is not None:
            self._plate.show_trouble(state.trouble)
        elif not state.ref:
            self._plate.show_words(
                "Choose a model", "Its quantizations and how they fit this machine come here.", "library"
            )
        elif repository is not None and not repository.models:
            self._plate.show_words(
                "No GGUF files in this repository",
                "Playground runs GGUF models. Others often publish one of the same model.",
                "search",
                other=True,
            )
        elif repository is not None:
            self._render_whole(state)
            self._stack.setCurrentIndex(2)
            return
        self._stack.setCurrentIndex(1 if state.is_loading else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave out the card's words where the quantizations need the room."""
        super().resizeEvent(event)
        self._show_summary()

    def _show_summary(self) -> None:
        set_shown(self._summary, bool(self._summary.text()) and self.height() >= _TALL)

    def _render_whole(self, state: RepositoryState) -> None:
        repository = state.repository
        assert repository is not None
        self._name.set_whole_text(short_name(repository.id))
        self._facts.set_whole_text(words.facts(repository))
        most = _CHIPS if self.width() >= _NARROW else _NARROW_CHIPS
        badges = words.badges(repository)[:most]
        for index, chip in enumerate(self._chips):
            show_pill(chip, badges[index] if index < len(badges) else "", "badge")
        set_text(self._summary, repository.summary)
        self._show_summary()
        self._render_context(state, contexts_up_to(repository.n_ctx_train))
        trouble = state.fits_trouble
        self._fits_note.show_text(f"How it fits is not known: {trouble.text}" if trouble else "")
        narrow = quant_rows.bar_width(self.quants.width()) == quant_rows.NARROW_BAR
        set_text(
            self._memory,
            "GB = WEIGHTS + CACHE + OVERHEAD" if narrow else "MEMORY, GB = WEIGHTS + CACHE + OVERHEAD",
        )
        set_text(self._free, words.free_words(state))
        self._render_quants(state)
        self._render_texts(state)
        self._render_foot(state)

    def _render_context(self, state: RepositoryState, steps: tuple[int, ...]) -> None:
        blocked = self.slider.blockSignals(True)
        if steps != self._steps:
            self._steps = steps
            self.slider.setRange(0, len(steps) - 1)
            self._ticks.show_texts(tuple(context(step) for step in steps))
        if state.n_ctx in steps:
            self.slider.setValue(steps.index(state.n_ctx))
        self.slider.blockSignals(blocked)
        set_text(self._context, context(state.n_ctx))
        self.slider.setAccessibleDescription(f"{context(state.n_ctx)} tokens")

    def _render_quants(self, state: RepositoryState) -> None:
        model = self._vm.quants
        self.quants.setFixedHeight(max(model.rowCount(), 1) * quant_rows.ROW_HEIGHT + 2)
        place = model.row_of(state.picked)
        if place >= 0 and place != self.quants.currentIndex().row():
            self.quants.setCurrentIndex(model.index(place, 0))

    def _render_texts(self, state: RepositoryState) -> None:
        repository = state.repository
        assert repository is not None
        for shown, text in ((self._hint, words.hint(state)), (self._others, words.others(repository))):
            set_text(shown, text)
            set_shown(shown, bool(text))
        name, note = words.licence_words(repository)
        if name != self._licence.text():
            self._licence.setText(name)
            self._licence.setAccessibleName(f"Licence {name}")
        self._licence_note.set_whole_text(note)
        for mark in (self._open_mark, self._open_words):
            set_shown(mark, not repository.gated)
        self._gate.show_text(words.gate_words(state))

    def _render_foot(self, state: RepositoryState) -> None:
        foot = words.foot(state)
        self._foot.set_whole_text(foot.text)
        set_button(self.get, foot.button, foot.icon, primary=True)
        self.get.setEnabled(foot.can_act)
        self.get.setAccessibleDescription(foot.text)
        set_shown(self.use, foot.can_use)
        set_text(self._problem, state.problem)
        set_shown(self._problem, bool(state.problem))

    # ---- what the user does

    def _slid(self, place: int) -> None:
        if place < len(self._steps):
            self._vm.set_context(self._steps[place])

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self._vm.pick(now.data(QUANT_ROLE).name)
            self._area.ensureVisible(0, self.quants.y() + self.quants.visualRect(now).center().y(), 0, 60)

    def _licence_url(self) -> str:
        repository = self._vm.state.repository
        url = repository.licence_url if repository else ""
        return url if url.startswith(f"{HUB}/") else f"{HUB}/{self._vm.state.ref}"

    def _search_other(self) -> None:
        self.search_wanted.emit(short_name(self._vm.state.ref))


def open_page(url: str, opener: Callable[[QUrl], object] = QDesktopServices.openUrl) -> None:
    """Open a page of the Hub in the browser; other addresses are not opened."""
    if url.startswith(f"{HUB}/"):
        opener(QUrl(url))
