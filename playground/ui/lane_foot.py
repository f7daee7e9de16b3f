"""The bottom of a lane: stop, again, settings, a remark; above them the ways on when the lane has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from playground.ui import compare_words as words
from playground.ui.icons import icon
from playground.ui.meters import ElidedLabel

if TYPE_CHECKING:
    from playground.ui.compare_state import LaneState
    from playground.ui.lane_actions import LaneAction

_MOST_ACTIONS = 2


class LaneFoot(QFrame):
    """Shows a lane's state; emits intents. ``action_wanted`` carries a LaneAction."""

    action_wanted = Signal(object)

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("cardfoot")
        self._slot = slot
        self._shown: tuple[LaneAction, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addWidget(self._make_actions())
        column.addLayout(self._make_buttons())

    def _make_actions(self) -> QWidget:
        self._bar = QWidget()
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.ways = [_button("", f"Way on {n + 1} {self._slot}", "") for n in range(_MOST_ACTIONS)]
        for index, made in enumerate(self.ways):
            made.clicked.connect(lambda _on=False, i=index: self.action_wanted.emit(self._shown[i]))
            row.addWidget(made)
        row.addStretch()
        self._bar.setVisible(False)
        return self._bar

    def _make_buttons(self) -> QHBoxLayout:
        slot = self._slot
        self.stop = _button("Stop", f"Stop {slot}", "Stop this answer  (Esc stops both)")
        self.again = _button(
            "", f"Regenerate {slot}", "Answer the last prompt again, with another seed  (Ctrl+R: both)"
        )
        self.settings = _button("", f"Settings {slot}", "How this model is loaded and answers")
        self._note = ElidedLabel()
        self._note.setProperty("role", "small")
        row = QHBoxLayout()
        row.setSpacing(8)
        for made in (self.stop, self.again, self.settings):
            row.addWidget(made)
        row.addWidget(self._note, 1)
        for made in (self.stop, self.again):
            made.setEnabled(False)
        return row

    def stops(self) -> list[QWidget]:
        """Return what the keyboard reaches, in order."""
        return [*self.ways, self.stop, self.again, self.settings]

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        for made, name in ((self.stop, "stop"), (self.again, "redo"), (self.settings, "settings")):
            made.setIcon(icon(name, size=16))

    def render_state(self, lane: LaneState, can_run: bool) -> None:
        """Show a lane's state; sets only what differs."""
        self.stop.setEnabled(lane.is_busy and not lane.stopping)
        self.again.setEnabled(can_run and lane.model is not None and lane.result is not None)
        self.settings.setEnabled(not lane.is_busy)
        self._note.set_whole_text(words.note(lane))
        self._render_actions(lane, can_run)

    def _render_actions(self, lane: LaneState, can_run: bool) -> None:
        from playground.ui.lane_actions import actions  # the first paint need not wait for it

        self._shown = actions(lane)
        self._bar.setVisible(bool(self._shown))
        for index, made in enumerate(self.ways):
            made.setVisible(index < len(self._shown))
            if index < len(self._shown):
                self._render_action(made, self._shown[index], can_run)

    def _render_action(self, made: QPushButton, action: LaneAction, can_run: bool) -> None:
        if made.text() != action.text:
            made.setText(action.text)
        made.setAccessibleName(f"{action.text} {self._slot}")
        made.setToolTip(action.tip)
        made.setEnabled(can_run)


def _button(text: str, name: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setIconSize(QSize(16, 16))
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made
