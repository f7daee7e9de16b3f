"""The top of a lane: letter, model, chips, state, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QVBoxLayout

from playground.ui import compare_words as words
from playground.ui.by_name import set_by_name
from playground.ui.icons import icon
from playground.ui.meters import Metric, Sparkline, Tile, label, set_role

if TYPE_CHECKING:
    from playground.models.files import ModelFile
    from playground.ui.compare_state import LaneState

_CHIP_WIDTHS = (520, 440, 360)  # below such a width the first, second, third chip goes
_LONGEST_NAME = 24


class LaneHeader(QFrame):
    """Emits what was chosen in the model's menu: a reference, a file to look for, a smaller copy to make."""

    model_chosen = Signal(str)
    file_wanted = Signal()
    copy_wanted = Signal(str)

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("cardhead")
        self._quant_types: tuple[str, ...] = ()
        self._shown_models: tuple[ModelFile, ...] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 12, 10)
        layout.setSpacing(7)
        layout.addLayout(self._first_row(slot))
        layout.addLayout(self._second_row(slot))

    def _first_row(self, slot: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(7)
        self.model = QPushButton("Choose a model")
        self.model.setObjectName("model")
        self.model.setAccessibleName(f"Model {slot}")
        set_by_name(self.model, layoutDirection="RightToLeft")
        self.model.setIconSize(QSize(14, 14))
        self.model.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self.model)
        self._menu.setAccessibleName(f"Models for {slot}")
        self.model.clicked.connect(self._open_menu)
        self._chips = [label("", "badge") for _ in range(3)]
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
        row.setSpacing(18)
        self._speed, self._first = Metric("TOKENS / S"), Metric("FIRST TOKEN")
        self._tokens, self._memory = Metric("TOKENS"), Metric("MEMORY")
        for metric in (self._speed, self._first, self._tokens, self._memory):
            row.addWidget(metric)
        row.addStretch()
        self._sparkline = Sparkline(slot)
        row.addWidget(self._sparkline)
        return row

    def offer_copies(self, quant_types: tuple[str, ...]) -> None:
        """Set the types that the menu offers for smaller copies."""
        self._quant_types = quant_types

    def set_icons(self) -> None:
        """Draw the icon in the theme's colours."""
        self.model.setIcon(icon("down", size=14))

    def render_state(self, lane: LaneState, other: LaneState, models: tuple[ModelFile, ...]) -> None:
        """Show a lane's state."""
        name = lane.model.name if lane.model else "Choose a model"
        short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        if self.model.text() != short:
            self.model.setText(short)
        self.model.setAccessibleDescription(f"{name} {lane.model.quant}" if lane.model else name)
        self.model.setEnabled(not lane.is_busy)
        self.model.setToolTip("Stop the answer to choose another model." if lane.is_busy else name)
        text, role = words.pill(lane, other)
        self._pill.setText(text)
        self._pill.setAccessibleName(f"State {lane.slot}: {text}")
        set_role(self._pill, role)
        self._speed.show_value(
            words.tokens_per_s(lane), "TOKENS / S · SHARED" if words.is_shared(lane) else "TOKENS / S"
        )
        self._first.show_value(words.first_token(lane))
        self._tokens.show_value(words.tokens(lane))
        self._memory.show_value(words.memory(lane))
        self._sparkline.show_values(lane.speeds)
        self._render_chips(words.badges(lane))
        self._models, self._current = models, lane.model

    def _render_chips(self, badges: tuple[str, ...]) -> None:
        padded = ("",) * (3 - len(badges)) + badges
        for chip, text, width in zip(self._chips, padded, _CHIP_WIDTHS, strict=True):
            if chip.text() != text:
                chip.setText(text)
            chip.setVisible(bool(text) and self.width() >= width)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Drop chips that no longer fit."""
        super().resizeEvent(event)
        for chip, width in zip(self._chips, _CHIP_WIDTHS, strict=True):
            chip.setVisible(bool(chip.text()) and self.width() >= width)

    _models: tuple[ModelFile, ...] = ()
    _current: ModelFile | None = None

    def _want_file(self) -> None:
        self.file_wanted.emit()

    def _open_menu(self) -> None:
        menu = self._menu
        menu.clear()
        for model in self._models:
            text = f"{model.name}   {model.quant} · {words.size(model.size_bytes)}"
            action = menu.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(self._current is not None and model.path == self._current.path)
            action.triggered.connect(lambda _checked=False, ref=model.ref: self.model_chosen.emit(ref))
        if not self._models:
            menu.addAction("No models found on this disk").setEnabled(False)
        menu.addSeparator()
        menu.addAction("Open a GGUF file…").triggered.connect(self._want_file)
        copies = menu.addMenu("Make a smaller copy")
        copies.setEnabled(self._current is not None)
        for quant in self._quant_types:
            copies.addAction(quant).triggered.connect(
                lambda _checked=False, q=quant: self.copy_wanted.emit(q)
            )
        menu.popup(self.model.mapToGlobal(self.model.rect().bottomLeft()))
