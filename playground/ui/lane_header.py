"""The top of a lane: letter, model, chips, state, figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6 import QtCore
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from playground.ui import compare_words as words
from playground.ui.by_name import set_by_name
from playground.ui.icons import icon
from playground.ui.meters import Metric, Sparkline, Tile, label, set_role

if TYPE_CHECKING:
    from playground.models.files import ModelFile
    from playground.ui.compare_state import LaneState
    from playground.ui.model_list import ModelList
    from playground.ui.model_picker import ModelPicker

_MARGINS = (16, 10, 12, 10)
_CHIPS = 3
_SPACING = 7
_LEAST_NAME = 110  # pixels
_SPARKLINE_WIDTH = 420  # of the header; a narrower one has no room for it
_NO_NAME = "Choose a model"


class LaneHeader(QFrame):
    """Emits what was chosen in the model picker: a reference, a file to look for, a smaller copy to make."""

    model_chosen = Signal(str)
    file_wanted = Signal()
    copy_wanted = Signal(str)

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("cardhead")
        self._slot = slot
        self._models: ModelList | None = None
        self._quant_types: tuple[str, ...] = ()
        self._current: ModelFile | None = None
        self._name = _NO_NAME
        self._picker: ModelPicker | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*_MARGINS)
        layout.setSpacing(7)
        layout.addLayout(self._first_row(slot))
        layout.addLayout(self._second_row(slot))

    def _first_row(self, slot: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(_SPACING)
        self.model = QPushButton(_NO_NAME)
        self.model.setObjectName("model")
        self.model.setAccessibleName(f"Model {slot}")
        set_by_name(self.model, layoutDirection="RightToLeft")
        self.model.setIconSize(QSize(14, 14))
        self.model.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.model.clicked.connect(self.open_picker)
        self._chips = [label("", "badge") for _ in range(_CHIPS)]
        text, role = words.NO_MODEL
        self._pill = label(text, role, f"State {slot}: {text}")
        row.addWidget(Tile(slot))
        row.addWidget(self.model)
        for chip in self._chips:
            row.addWidget(chip)
        row.addStretch()
        row.addWidget(self._pill)
        return row

    def _second_row(self, slot: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        self._speed, self._first = Metric("TOKENS / S"), Metric("FIRST TOKEN")
        self._tokens, self._memory = Metric("TOKENS"), Metric("MEMORY")
        for metric in (self._speed, self._first, self._tokens, self._memory):
            row.addWidget(metric)
        row.addStretch()
        self._sparkline = Sparkline(slot)
        row.addWidget(self._sparkline)
        return row

    def offer(self, models: ModelList, quant_types: tuple[str, ...]) -> None:
        """Set what the picker offers: models, and types of smaller copies."""
        self._models, self._quant_types = models, quant_types

    def set_icons(self) -> None:
        """Draw the icon in the theme's colours."""
        self.model.setIcon(icon("down", size=14))

    def render_state(self, lane: LaneState, other: LaneState) -> None:
        """Show a lane's state."""
        self._render_model(lane)
        text, role = words.pill(lane, other)
        self._pill.setText(text)
        self._pill.setAccessibleName(f"State {lane.slot}: {text}")
        set_role(self._pill, role)
        self._speed.show_value(words.tokens_per_s(lane), "shared" if words.is_shared(lane) else "")
        self._first.show_value(words.first_token(lane))
        self._tokens.show_value(words.tokens(lane))
        self._memory.show_value(words.memory(lane), tip=words.memory_parts(lane))
        self._sparkline.show_values(lane.speeds)
        self._render_chips(words.badges(lane))
        self._fit()

    def _render_model(self, lane: LaneState) -> None:
        self._current = lane.model
        self._name = lane.model.name if lane.model else _NO_NAME
        self.model.setAccessibleDescription(f"{self._name} {lane.model.quant}" if lane.model else self._name)
        self.model.setEnabled(not lane.is_busy)
        self.model.setToolTip(words.model_tip(lane))
        if lane.is_busy and self._picker is not None:
            self._picker.leave()

    def _render_chips(self, badges: tuple[str, ...]) -> None:
        padded = ("",) * (_CHIPS - len(badges)) + badges
        for chip, text in zip(self._chips, padded, strict=True):
            if chip.text() != text:
                chip.setText(text)

    def _fit(self) -> None:
        """Share the first row out: the state, the last chip, the name, then the other chips while they fit."""
        self.model.ensurePolished()
        measure = self.model.fontMetrics()
        frame = self.model.sizeHint().width() - measure.horizontalAdvance(self.model.text())
        fixed = _MARGINS[0] + _MARGINS[2] + 3 * _SPACING + Tile.SIZE + self._pill.sizeHint().width() + frame
        chips = [chip.sizeHint().width() + _SPACING if chip.text() else 0 for chip in self._chips]
        whole = measure.horizontalAdvance(self._name) + 1  # an advance is rounded, eliding is exact
        name, shown = shared_row(self.width() - fixed, whole, chips)
        short = self._name
        if name < whole:
            short = measure.elidedText(self._name, QtCore.Qt.TextElideMode.ElideMiddle, name)
        if self.model.text() != short:
            self.model.setText(short)
        for chip, is_shown in zip(self._chips, shown, strict=True):
            chip.setVisible(is_shown)
        self._sparkline.setVisible(self.width() >= _SPARKLINE_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Drop what no longer fits."""
        super().resizeEvent(event)
        self._fit()

    def open_picker(self) -> None:
        """Show the list of models, or put it away when it is open."""
        if self._picker is not None:
            self._picker.leave()
        elif self.model.isEnabled() and self._models is not None:
            self._picker = self._make_picker(self._models)
            self._picker.open_below(self.model, self._current)

    def _make_picker(self, models: ModelList) -> ModelPicker:
        from playground.ui.model_picker import ModelPicker  # the first paint need not wait for it

        picker = ModelPicker(self._slot, models, self._quant_types, self.window())
        picker.model_chosen.connect(self.model_chosen)
        picker.file_wanted.connect(self.file_wanted)
        picker.copy_wanted.connect(self.copy_wanted)
        picker.closed.connect(self._put_away)
        return picker

    def _put_away(self, had_focus: bool) -> None:
        if self._picker is not None:
            self._picker.deleteLater()
            self._picker = None
        if had_focus:
            self.model.setFocus()


def shared_row(room: int, name: int, chips: Sequence[int]) -> tuple[int, list[bool]]:
    """Return the width of the name, and which chips are shown, of those that have a width.

    The last chip comes first while the name keeps a readable part; then the name; then the chips from the last.
    """
    shown = [False] * len(chips)
    if chips and chips[-1] and room - chips[-1] >= min(name, _LEAST_NAME):
        shown[-1], room = True, room - chips[-1]
    width = max(0, min(name, room))
    room -= width
    for index in range(len(chips) - 2, -1, -1):
        if not 0 < chips[index] <= room:
            break
        shown[index], room = True, room - chips[index]
    return width, shown
