"""The tab *For this machine*: pairs as cards. Renders states, forwards intents."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QScrollArea, QStackedWidget, QWidget

from playground.ui.compare_words import size
from playground.ui.library import pairs_words as words
from playground.ui.library.bars import Swatch
from playground.ui.library.kit import (
    DropButton,
    IconLabel,
    button,
    column,
    frame,
    on_click,
    row,
    scrolled,
    set_shown,
    set_text,
)
from playground.ui.library.notices import Note, Plate, Skeleton
from playground.ui.library.pair_card import PairCardView
from playground.ui.library.pairs_state import PairCard, PairsState
from playground.ui.library.pairs_vm import DEFAULT_CONTEXT, PairsVm
from playground.ui.library.words import CONTEXTS, UNITS, context
from playground.ui.meters import ElidedLabel, label

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1}


class PairsPage(QWidget):
    """``tools`` are the buttons for the row of the tabs."""

    def __init__(self, vm: PairsVm) -> None:
        super().__init__()
        self._vm = vm
        self.cards: dict[str, PairCardView] = {}
        self._order: tuple[str, ...] = ()
        self._missing: list[PairCard] = []
        self._making = QTimer(self)
        self._making.setSingleShot(True)
        self._making.timeout.connect(self._make_next)
        self._context = DropButton(
            "",
            [(n, f"Context {context(n)}") for n in CONTEXTS],
            "Both models' caches are counted at this context",
        )
        self._context.show_value(DEFAULT_CONTEXT)
        self._context.chosen.connect(vm.set_context)
        self._again = on_click(button("Look again", "redo", "Read free memory again  (F5)"), vm.refresh)
        self.tools: tuple[QPushButton, ...] = (self._context, self._again)
        self._problem = Note("alert", "Bad")
        self._stack = QStackedWidget()
        self._plate = Plate()
        self._plate.retry_wanted.connect(vm.refresh)
        self._stack.addWidget(Skeleton("Reckoning which pairs fit", 190, columns=2))
        self._stack.addWidget(self._plate)
        self._stack.addWidget(self._make_grid())
        self.setLayout(column(self._make_strip(), self._problem, (self._stack, 1), gap=10))
        vm.changed.connect(self.render_state)
        self.render_state(vm.state)

    def _make_strip(self) -> QWidget:
        self._name, self._free = label("", "h2"), ElidedLabel()
        self._units = label(UNITS, "small")
        legend = (
            (Swatch("a", "b"), label("weights", "small")),
            (Swatch("a2", "b2"), label("cache", "small")),
            (Swatch("buffers"), label("buffers", "small")),
        )
        shown = [part for pair in legend for part in (*pair, 2)]
        line = row(
            IconLabel("chip"), self._name, (self._free, 1), *shown, self._units, gap=7, margins=(12, 7, 12, 7)
        )
        return frame("strip", line)

    def _make_grid(self) -> QScrollArea:
        inner = QWidget()
        self._grid = QGridLayout(inner)
        self._grid.setSpacing(12)
        self._grid.setContentsMargins(0, 0, 4, 0)
        for index in (0, 1):
            self._grid.setColumnStretch(index, 1)
        self._area = scrolled(inner)
        return self._area

    def render_state(self, state: PairsState) -> None:
        """Show a state; sets only what differs."""
        name, free = words.machine_words(state.machine, state.disk_free_bytes)
        set_text(self._name, name)
        self._free.set_whole_text(free)
        self._context.show_value(state.n_ctx)
        trouble = state.trouble
        self._problem.show_text(trouble.text if trouble and state.proposals else "")
        if state.proposals:
            if self._show_cards(words.cards(state)):
                self._stack.setCurrentIndex(2)
        elif trouble is not None:
            self._plate.show_trouble(trouble)
            self._stack.setCurrentIndex(1)
        elif state.is_loading:
            self._stack.setCurrentIndex(0)
        else:
            free_words = f" with {size(state.machine.free_bytes)} free" if state.machine else ""
            self._plate.show_words(
                "No pair for this machine",
                f"The catalog knows no pair for a machine{free_words}. Search finds smaller models.",
                "chip",
            )
            self._stack.setCurrentIndex(1)
        self._again.setEnabled(not state.is_loading)

    def _show_cards(self, cards: tuple[PairCard, ...]) -> bool:
        """Return whether all are in sight; those that are missing are made one at a time, and shown together."""
        self._missing = [card for card in cards if card.id not in self.cards]
        if self._missing:
            self._making.start()
            return False
        order = tuple(card.id for card in cards)
        if order != self._order:
            self._order = order
            self._lay_out(cards)
        for card in cards:
            self.cards[card.id].show_card(card)
        return True

    def _make_next(self) -> None:
        self._make_card(self._missing.pop(0))
        if self._missing:
            self._making.start()
        else:
            self.render_state(self._vm.state)

    def _lay_out(self, cards: tuple[PairCard, ...]) -> None:
        gone = [key for key in self.cards if key not in self._order]
        for key in gone:
            self.cards.pop(key).deleteLater()
        while self._grid.takeAt(0) is not None:
            pass
        place = 0
        for card in cards:
            view = self.cards[card.id]
            if card.is_wide:
                place += place % 2
                self._grid.addWidget(view, place // 2, 0, 1, 2)
                place += 2
            else:
                self._grid.addWidget(view, place // 2, place % 2)
                place += 1
        self._grid.setRowStretch(place // 2 + 1, 1)

    def _make_card(self, card: PairCard) -> None:
        view = self.cards[card.id] = PairCardView(wide=card.is_wide)
        view.acted.connect(self._vm.act)
        view.setParent(
            self._area.widget()
        )  # which styles all that is in it, here rather than for all at once
        view.show_card(card)

    def focus_first(self) -> None:
        """Give the focus to what comes first."""
        usable = self._buttons()
        (usable[0] if usable else self._context).setFocus(Qt.FocusReason.OtherFocusReason)

    def _buttons(self) -> list[QPushButton]:
        views = [self.cards[key] for key in self._order if key in self.cards]
        return [view.button for view in views if not view.button.isHidden() and view.button.isEnabled()]

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move from card to card."""
        usable = self._buttons()
        key = Qt.Key(event.key())
        if key in _STEPS and usable:
            here = next((i for i, made in enumerate(usable) if made.hasFocus()), None)
            place = 0 if here is None else max(0, min(here + _STEPS[key], len(usable) - 1))
            usable[place].setFocus(Qt.FocusReason.TabFocusReason)
            view = next(one for one in self.cards.values() if one.button is usable[place])
            self._area.ensureWidgetVisible(view, 0, 12)
        else:
            super().keyPressEvent(event)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        set_shown(self._units, not narrow)
