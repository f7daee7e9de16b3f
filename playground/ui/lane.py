"""One lane as a card: header, transcript, foot with its buttons. Shows a state, emits intents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from playground.ui import compare_words as words
from playground.ui.icons import icon
from playground.ui.lane_header import LaneHeader
from playground.ui.meters import ElidedLabel
from playground.ui.transcript import TranscriptView

if TYPE_CHECKING:
    from playground.chat.options import AnswerOptions, LoadOptions
    from playground.models.files import ModelFile
    from playground.ui.compare_state import LaneState
    from playground.ui.compare_vm import Step

_EMPTY = "Choose a model above, or drop a .gguf file here."
_IDLE = "Pick one of the prompts below or write your own, then press Ctrl+Enter."


class LaneCard(QFrame):
    """A lane's widgets."""

    stop_wanted = Signal()
    again_wanted = Signal()
    model_chosen = Signal(str)
    copy_wanted = Signal(str)
    options_chosen = Signal(object, object)

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(f"Lane {slot}")
        self.setMinimumWidth(340)
        self.setAcceptDrops(True)
        self._slot, self._cores = slot, 1
        self._options: tuple[LoadOptions, AnswerOptions] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        self.header = LaneHeader(slot)
        self.header.model_chosen.connect(self.model_chosen)
        self.header.copy_wanted.connect(self.copy_wanted)
        self.header.file_wanted.connect(self._choose_file)
        self.transcript = TranscriptView()
        self.transcript.setAccessibleName(f"Answer {slot}")
        self.transcript.setAcceptDrops(False)
        self.transcript.setPlaceholderText(_EMPTY)
        layout.addWidget(self.header)
        layout.addWidget(self.transcript, 1)
        layout.addWidget(self._foot())

    def _foot(self) -> QFrame:
        foot = QFrame()
        foot.setObjectName("cardfoot")
        row = QHBoxLayout(foot)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        self.stop = _button("Stop", f"Stop {self._slot}", "Stop this answer  (Esc stops both)")
        self.again = _button(
            "", f"Regenerate {self._slot}", "Answer the last prompt again, with another seed"
        )
        self.settings = _button("", f"Settings {self._slot}", "How this model is loaded and answers")
        self.stop.clicked.connect(self.stop_wanted)
        self.again.clicked.connect(self.again_wanted)
        self.settings.clicked.connect(self._open_settings)
        self.next_step = _button(
            "Try again", f"Try again {self._slot}", "Load the model once more and answer"
        )
        self.next_step.clicked.connect(self.again_wanted)
        self._note = ElidedLabel()
        self._note.setProperty("role", "small")
        for widget in (self.stop, self.again, self.settings, self.next_step):
            row.addWidget(widget)
        for widget in (self.stop, self.again, self.next_step):
            widget.setEnabled(False)
        self.next_step.setVisible(False)
        row.addStretch()
        row.addWidget(self._note, 1)
        self.set_icons()
        return foot

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        for button, name in ((self.stop, "stop"), (self.again, "redo"), (self.settings, "settings")):
            button.setIcon(icon(name, size=16))
        self.header.set_icons()

    def offer(self, quant_types: tuple[str, ...], cores: int) -> None:
        """Set what the menus can offer: types for smaller copies, cores for threads."""
        self.header.offer_copies(quant_types)
        self._cores = cores

    def render_state(
        self, lane: LaneState, other: LaneState, models: tuple[ModelFile, ...], can_run: bool
    ) -> None:
        """Show a lane's state; sets only what differs."""
        self.header.render_state(lane, other, models)
        self.stop.setEnabled(lane.is_busy and not lane.stopping)
        self.again.setEnabled(can_run and lane.model is not None and (lane.result is not None))
        self.next_step.setVisible(lane.has_failed)
        self.next_step.setEnabled(can_run)
        self.settings.setEnabled(not lane.is_busy)
        self._note.set_whole_text(words.note(lane))
        self.transcript.setPlaceholderText(_IDLE if lane.model else _EMPTY)
        self._options = lane.load, lane.answer

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

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """Take a single GGUF file."""
        if _dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 -- Qt's name
        """Use the file that was dropped."""
        if path := _dropped_file(event):
            event.acceptProposedAction()
            self.model_chosen.emit(path)

    def _choose_file(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        dialog = QFileDialog(self, f"Model for lane {self._slot}", "", "GGUF models (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.model_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open_settings(self) -> None:
        if self._options is None:
            return
        from playground.ui.lane_settings import LaneSettings

        dialog = LaneSettings(self._slot, *self._options, self._cores, self)
        dialog.accepted_options.connect(self.options_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _button(text: str, name: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setIconSize(QSize(16, 16))
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made


def _dropped_file(event: QDropEvent) -> str:
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return paths[0] if len(paths) == 1 and paths[0].lower().endswith(".gguf") else ""
