"""One pair as a card: both models, their memory, how they fit, one button. Shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from playground.ui.library.bars import MemoryBars, ShareBar
from playground.ui.library.kit import (
    STRETCH,
    IconLabel,
    button,
    column,
    on_click,
    pill,
    plain,
    row,
    set_button,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.library.pairs_state import PairCard, SideLine
from playground.ui.library.pairs_words import icon_of
from playground.ui.meters import ElidedLabel, Tile, label

_MARGINS = (16, 11, 14, 11)
_NARROW = 470  # of a card's half; below it the licence goes


class SideRow(QWidget):
    """A model of a pair."""

    def __init__(self, slot: str) -> None:
        super().__init__()
        self._name, self._quant = ElidedLabel(), pill("", "badge")
        self._name.setProperty("role", "model")
        self._state, self._licence, self._size = pill(), label("", "small"), label("", "h2")
        self._size.setMinimumWidth(66)
        self._size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line: QHBoxLayout = row(
            Tile(slot), self._name, self._quant, STRETCH, self._state, self._licence, self._size, gap=7
        )
        self.setLayout(line)

    def show_line(self, side: SideLine) -> None:
        """Show a model."""
        self._name.set_whole_text(side.name, side.tip)
        set_text(self._quant, side.quant)
        set_text(self._licence, side.licence)
        set_text(self._size, side.size)
        show_pill(self._state, *side.pill)
        self.setAccessibleName(
            f"{side.slot}: {side.name} {side.quant}, {side.licence}, {side.size} {side.pill[0]}".strip()
        )
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave out the licence where there is no room for it beside the state."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        set_shown(self._licence, self.width() >= _NARROW or not self._state.text())


class PairCardView(QFrame):
    """Emits ``acted`` when its button is used."""

    acted = Signal(str)

    def __init__(self, *, wide: bool) -> None:
        super().__init__()
        self.setObjectName("card")
        self.card: PairCard | None = None
        self._title, self._how = label("", "muted"), pill()
        self._sides = (SideRow("A"), SideRow("B"))
        self._bars, self._progress = MemoryBars(), ShareBar("Downloaded", 6)
        self._why, self._remark, self._problem = label("", "muted"), label("", "h2"), label("", "why")
        for words in (self._why, self._remark, self._problem):
            words.setWordWrap(True)
        self._remark_line = plain(row(IconLabel("globe", "warn"), (self._remark, 1), gap=7))
        self._foot = ElidedLabel()
        self._foot.setProperty("role", "small")
        self.button = on_click(button(""), self._act)
        foot = row((self._foot, 1), self.button)
        head = row(self._title, STRETCH, self._how)
        if wide:
            left = column(*self._sides, 2, self._why, STRETCH, gap=7)
            right = column(self._bars, self._remark_line, self._problem, self._progress, foot, STRETCH, gap=6)
            inner = row((plain(left), 1), (plain(right), 1), gap=28)
            self.setLayout(column(head, inner, gap=7, margins=_MARGINS))
        else:
            parts = (self._bars, self._remark_line, self._problem, STRETCH, self._progress, foot)
            self.setLayout(column(head, *self._sides, *parts, gap=7, margins=_MARGINS))

    def show_card(self, card: PairCard) -> None:
        """Show a card; sets only what differs."""
        if card == self.card:
            return
        self.card = card
        set_text(self._title, card.title)
        self._title.setToolTip("" if card.is_wide else card.why)
        show_pill(self._how, *card.how, card.how_tip)
        for view, side in zip(self._sides, card.sides, strict=True):
            view.show_line(side)
        self._bars.show_bars(card.bars)
        set_text(self._why, card.why if card.is_wide else "")
        set_text(self._remark, card.remark)
        set_shown(self._remark_line, bool(card.remark))
        set_text(self._problem, card.problem)
        set_shown(self._problem, bool(card.problem))
        self._foot.set_whole_text(card.foot)
        set_shown(self._progress, card.fraction is not None)
        self._progress.show_parts(((card.fraction or 0.0, "accent"),), card.foot)
        self._show_button(card)
        self.setAccessibleName(f"{card.title}: {card.sides[0].name} and {card.sides[1].name}, {card.how[0]}")

    def _show_button(self, card: PairCard) -> None:
        set_button(self.button, card.button, icon_of(card.act), primary=card.is_primary, tip=card.button_tip)
        self.button.setAccessibleDescription(
            f"{card.title}: {card.sides[0].name} and {card.sides[1].name}. {card.foot}"
        )
        set_shown(self.button, bool(card.button))
        self.button.setEnabled(card.can_act)

    def _act(self) -> None:
        if self.card is not None:
            self.acted.emit(self.card.id)
