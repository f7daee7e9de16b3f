"""The tab *Search*: field, filters, results, and the repository that is selected. Renders states, forwards intents."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QPushButton, QStackedWidget, QToolButton, QWidget

from playground.ui.icons import icon
from playground.ui.library import search_words as words
from playground.ui.library.kit import STRETCH, DropButton, column, frame, plain, row, set_shown, set_text
from playground.ui.library.notices import Note, Plate, Skeleton
from playground.ui.library.repository_card import RepositoryCard, open_page
from playground.ui.library.result_list import FOUND_ROLE
from playground.ui.library.result_rows import ROW_HEIGHT, ResultRows
from playground.ui.library.search_state import SearchState
from playground.ui.library.search_vm import SearchVm
from playground.ui.library.words import LICENCE_CHOICES, licence
from playground.ui.meters import label

_WIDEST, _NARROWEST = 440, 324
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_PLACEHOLDER = "Search models, or paste a Hugging Face address   (Ctrl+K)"


class SearchPage(QWidget):
    """Emits what has to be done outside of it. ``card`` is half of the work to make it, and may be made before."""

    disk_wanted = Signal()
    token_wanted = Signal()

    def __init__(self, vm: SearchVm, card: RepositoryCard | None = None) -> None:
        super().__init__()
        self._vm = vm
        self.tools: tuple[QPushButton, ...] = ()
        self.field = self._make_field()
        self.card = card or RepositoryCard(vm.opened)
        self.card.token_wanted.connect(self.token_wanted)
        self.card.search_wanted.connect(self.search_for)
        halves = row((self._make_left(), 6), (self.card, 10), gap=12)
        self.setLayout(column(row((self.field, 1), *self._make_filters()), (plain(halves), 1), gap=10))
        vm.changed.connect(self.render_state)
        self.render_state(vm.state)
        self.set_icons()

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName("searchfield")
        field.setPlaceholderText(_PLACEHOLDER)
        field.setToolTip("Words of the name. “author:name” finds one author’s models.")
        field.setAccessibleName("Search models")
        field.setClearButtonEnabled(True)
        self._glass = field.addAction(icon("search", size=16), QLineEdit.ActionPosition.LeadingPosition)
        for made in field.findChildren(QToolButton):
            made.setAccessibleName("Search" if self._glass in made.actions() else "Clear the search")
        field.textChanged.connect(self._vm.type)
        return field

    def _make_filters(self) -> tuple[DropButton, ...]:
        licences = [
            ("", "Any"),
            ("open", "Any, not gated"),
            *((one, licence(one)[0]) for one in LICENCE_CHOICES),
        ]
        self.fits = DropButton("Fits", [("any", "Any"), ("fits", "Fits this machine")], "Which ones fit")
        self.sizes = DropButton("Size", words.SIZES, "Number of weights")
        self.licences = DropButton("Licence", licences, "What one may do with it")
        self.sorts = DropButton("", words.SORTS, "Order of the results")
        for made, intent in (
            (self.fits, self._vm.set_fit_wish),
            (self.sizes, self._vm.set_size),
            (self.licences, self._vm.set_licence),
            (self.sorts, self._vm.set_sort),
        ):
            made.chosen.connect(intent)
        return self.fits, self.sizes, self.licences, self.sorts

    def _make_left(self) -> QWidget:
        self._caption, self._at = label("", "k"), label("FIT", "k")
        view = self.list = QListView()
        view.setAccessibleName("Results")
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.verticalScrollBar().setSingleStep(ROW_HEIGHT // 2)
        view.setItemDelegate(ResultRows(view))
        view.setModel(self._vm.results)
        view.selectionModel().currentChanged.connect(self._moved)
        view.activated.connect(lambda _index: self.card.quants.setFocus(Qt.FocusReason.TabFocusReason))
        self._plate = Plate("Show what is on disk")
        self._plate.retry_wanted.connect(self._vm.retry)
        self._plate.token_wanted.connect(self.token_wanted)
        self._plate.link_wanted.connect(open_page)
        self._plate.other_wanted.connect(self.disk_wanted)
        self._stack = QStackedWidget()
        self._stack.addWidget(view)
        self._stack.addWidget(plain(column(Skeleton("Searching", ROW_HEIGHT, gap=0), margins=(6, 0, 6, 6))))
        self._stack.addWidget(self._plate)
        self._note = Note("alert", "Bad")
        head = row(self._caption, STRETCH, self._at, margins=(18, 9, 16, 0))
        note = column(self._note, margins=(8, 0, 8, 6))
        self._left = frame("card", column(head, (self._stack, 1), note, gap=4, margins=(1, 1, 1, 1)))
        self._left.setMinimumWidth(_NARROWEST)
        self._left.setMaximumWidth(_WIDEST)
        return self._left

    def render_state(self, state: SearchState) -> None:
        """Show a state; sets only what differs."""
        set_text(self._caption, words.caption(state))
        self.fits.show_value(state.fit_wish)
        self.sorts.show_value(state.query.sort)
        self.sizes.show_value((state.query.min_params, state.query.max_params))
        self.licences.show_value("open" if state.query.gated is False else state.query.licence)
        trouble = state.trouble
        self._note.show_text(trouble.text if trouble and state.found else "")
        if state.found and not (trouble and not state.found):
            self._stack.setCurrentIndex(0)
        elif trouble is not None:
            self._plate.show_trouble(trouble, other=trouble.is_offline)
            self._stack.setCurrentIndex(2)
        elif state.is_searching or not state.has_searched:
            self._stack.setCurrentIndex(1)
        else:
            self._plate.show_words(*words.nothing(state), "search")
            self._stack.setCurrentIndex(2)
        self._keep_selected(state)

    def _keep_selected(self, state: SearchState) -> None:
        """Keep a row selected while there is one: the one that is open, else the first."""
        if not state.found or state.is_searching:
            return
        place = max(self._vm.results.row_of(state.selected), 0)
        if self.list.currentIndex().row() != place:
            self.list.setCurrentIndex(self._vm.results.index(place, 0))

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self._vm.select(now.data(FOUND_ROLE).id)

    def search_for(self, text: str) -> None:
        """Search for words that somebody else has found."""
        self.field.setText(text)
        self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to the field, with what it holds selected."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move in the results from the field; Enter searches at once, or goes on to the quantizations."""
        row_ = self.list.currentIndex().row()
        if event.key() in _LIST_KEYS and self.field.hasFocus() and row_ >= 0:
            page = max(1, self.list.viewport().height() // ROW_HEIGHT - 1)
            step = page if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else 1
            up = event.key() in (Qt.Key.Key_Up, Qt.Key.Key_PageUp)
            place = max(0, min(row_ + (-step if up else step), self._vm.results.rowCount() - 1))
            self.list.setCurrentIndex(self._vm.results.index(place, 0))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.field.hasFocus():
            self._enter()
        elif event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        else:
            super().keyPressEvent(event)

    def _enter(self) -> None:
        if self._vm.is_waiting():
            self._vm.search_now()
        elif not self.list.isHidden():
            self.card.quants.setFocus(Qt.FocusReason.TabFocusReason)

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self._glass.setIcon(icon("search", size=16))

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        set_shown(self._at, not narrow)
