"""Chooses what a run is compared with: one of its lanes, another run, a lane of that. Opened, never waited for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QWidget

from playground.bench.run_list import RunFile
from playground.ui.library.kit import STRETCH, button, column, on_click, row
from playground.ui.meters import label
from playground.ui.results import start_state, words
from playground.ui.results.pieces import wrapped

_WIDTH, _CAPTION_WIDTH = 520, 76


class PairDialog(QDialog):
    """``chosen`` carries the own lane's letter, the other run's path, and the letter of its lane."""

    chosen = Signal(str, str, str)

    def __init__(self, own: Sequence[tuple[str, str]], runs: Sequence[RunFile], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare with another run")
        self.setMinimumWidth(_WIDTH)
        self._runs = [run for run in runs if run.header is not None]
        self.own, self.run, self.lane = (
            _combo(name) for name in ("Lane of this run", "Other run", "Its lane")
        )
        for slot, name in own:
            self.own.addItem(f"{slot}  {name}", slot)
        for run in self._runs:
            self.run.addItem(start_state.run_line(run), run.path)
        self.run.currentIndexChanged.connect(self._offer_lanes)
        why = "One lane of each run is paired task by task, as if they were one run. Only runs over the same suite are offered."
        text = wrapped(
            why if self._runs else "There is no other run over the same suite on this computer.", "muted"
        )
        cancel = on_click(button("Cancel"), self.reject)
        self.ok = on_click(button("Compare", "compare", kind="primary"), self.accept)
        self.ok.setEnabled(bool(self._runs))
        self.ok.setDefault(True)
        self.setLayout(
            column(
                text,
                *(
                    row(_caption(name), (field, 1))
                    for name, field in (("This run's", self.own), ("against", self.run), ("its", self.lane))
                ),
                row(STRETCH, cancel, self.ok),
                gap=10,
                margins=(16, 14, 16, 14),
            )
        )
        self.accepted.connect(self._choose)
        self._offer_lanes()

    def _offer_lanes(self) -> None:
        self.lane.clear()
        place = self.run.currentIndex()
        header = self._runs[place].header if 0 <= place < len(self._runs) else None
        for lane in header.lanes if header is not None else ():
            self.lane.addItem(
                f"{lane.slot}  {words.one_line(lane.model.name, 48)} {lane.model.quant}", lane.slot
            )

    def _choose(self) -> None:
        if self.lane.currentData():
            self.chosen.emit(self.own.currentData(), self.run.currentData(), self.lane.currentData())


def _caption(text: str) -> QLabel:
    made = label(text, "muted")
    made.setFixedWidth(_CAPTION_WIDTH)
    return made


def _combo(name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    return made
