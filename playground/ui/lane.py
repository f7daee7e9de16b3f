"""One lane as a card: header, transcript, foot with its buttons. Shows a state, emits intents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from playground.ui.lane_foot import LaneFoot
from playground.ui.lane_header import LaneHeader
from playground.ui.transcript import TranscriptView

if TYPE_CHECKING:
    from playground.models.files import ModelFile
    from playground.ui.compare_state import LaneSetup, LaneState
    from playground.ui.lane_actions import LaneAction
    from playground.ui.model_list import ModelList
    from playground.ui.transcript_steps import Step

_EMPTY = "Choose a model above, or drop a .gguf file here."
_IDLE = "Write a prompt below, or pick one, then press Ctrl+Enter."


class LaneCard(QFrame):
    """A lane's widgets."""

    stop_wanted = Signal()
    again_wanted = Signal()
    model_chosen = Signal(str)
    copy_wanted = Signal(str)
    setup_chosen = Signal(object, bool)
    action_wanted = Signal(object)

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(f"Lane {slot}")
        self.setMinimumWidth(370)
        self._slot, self._cores = slot, 1
        self.devices = ""  # for the settings: in words
        self._model: ModelFile | None = None
        self._setup: LaneSetup | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        self.header = LaneHeader(slot)
        self.header.model_chosen.connect(self.model_chosen)
        self.header.copy_wanted.connect(self.copy_wanted)
        self.header.file_wanted.connect(self._choose_file)
        self.transcript = TranscriptView()
        self.transcript.setAccessibleName(f"Answer {slot}")
        self.transcript.set_hint(_EMPTY)
        layout.addWidget(self.header)
        layout.addWidget(self.transcript, 1)
        self.foot = LaneFoot(slot)
        self.foot.stop.clicked.connect(self.stop_wanted)
        self.foot.again.clicked.connect(self.again_wanted)
        self.foot.settings.clicked.connect(self._open_settings)
        self.foot.action_wanted.connect(self._act)
        layout.addWidget(self.foot)

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self.header.set_icons()
        self.foot.set_icons()

    def offer(self, models: ModelList, quant_types: tuple[str, ...], cores: int) -> None:
        """Set what there is to choose from: models, types for smaller copies, cores for threads."""
        self.header.offer(models, quant_types)
        self._cores = cores

    def stops(self) -> list[QWidget]:
        """Return what the keyboard reaches, in order."""
        return [self.header.model, self.transcript, *self.foot.stops()]

    def render_state(self, lane: LaneState, other: LaneState, can_run: bool) -> None:
        """Show a lane's state; sets only what differs."""
        self.header.render_state(lane, other)
        self.foot.render_state(lane, can_run)
        self.transcript.set_hint(_IDLE if lane.model else _EMPTY)
        self._model, self._setup = lane.model, lane.setup

    def apply_steps(self, steps: Sequence[Step]) -> None:
        """Bring the transcript up to date."""
        view = self.transcript
        for step in steps:
            if step.kind == "answer":
                view.feed(step.text)
            elif step.kind == "reasoning":
                view.feed_reasoning(step.text)
            elif step.kind == "user":
                view.add_user(step.text)
            elif step.kind == "begin":
                view.begin_answer()
            elif step.kind == "finish":
                view.finish()
            elif step.kind == "notice":
                view.add_notice(step.text, kind=step.level)
            elif step.kind == "remove_answer":
                view.remove_last_answer()
            else:
                view.clear_all()

    def _choose_file(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        dialog = QFileDialog(self, f"Model for lane {self._slot}", "", "GGUF models (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.model_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open_settings(self) -> None:
        if self._setup is None:
            return
        from playground.ui.lane_settings import LaneSettings  # the first paint need not wait for it

        dialog = LaneSettings(self._slot, self._setup, self._cores, self.window(), self._model, self.devices)
        dialog.chosen.connect(self.setup_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _act(self, action: LaneAction) -> None:
        if action.kind == "choose_model":
            self.header.open_picker()
        elif action.kind == "settings":
            self._open_settings()
        else:
            self.action_wanted.emit(action)
