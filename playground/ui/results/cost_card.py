"""Quality beside its cost: the shares that were solved, and what each lane took for them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel

from playground.bench.words import number
from playground.ui.library.kit import STRETCH, column, row, rule, set_shown, set_text
from playground.ui.meters import ElidedLabel, Tile, label, set_role
from playground.ui.results import plots
from playground.ui.results.plots import Plot
from playground.ui.results.verdict_state import CostLine, VerdictState

_LINES = 5
_TILE = 16


class CostCard(QFrame):
    """A plot and a small table."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._legend = label("bars: solved, line: 95 % Wilson", "small")
        self._plot = Plot(66, "Shares that were solved")
        self._note = ElidedLabel()
        self._note.setProperty("role", "smallwarn")
        head = row(label("Quality beside its cost", "model"), STRETCH, self._legend)
        self.setLayout(
            column(
                head,
                self._plot,
                2,
                rule(),
                self._make_table(),
                self._note,
                STRETCH,
                gap=4,
                margins=(16, 11, 16, 10),
            )
        )

    def _make_table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        right = Qt.AlignmentFlag.AlignRight
        self._tiles = [Tile(slot) for slot in "AB"]
        for place, tile in enumerate(self._tiles, 1):
            tile.setFixedSize(_TILE, _TILE)
            grid.addWidget(tile, 0, place, right)
        self._caption = label("COMPACT IS", "k")
        grid.addWidget(self._caption, 0, 3)
        self._cells: list[tuple[ElidedLabel, QLabel, QLabel, QLabel]] = []
        for line in range(1, _LINES + 1):
            name, compared = ElidedLabel(), label("", "better")
            name.setProperty("role", "muted")
            values = label("", "v"), label("", "muted")
            for place, value in enumerate(values, 1):
                grid.addWidget(value, line, place, right)
            grid.addWidget(name, line, 0)
            grid.addWidget(compared, line, 3)
            self._cells.append((name, *values, compared))
        return grid

    def show_cost(self, shown: VerdictState) -> None:
        """Show another run."""
        told = "; ".join(
            f"{name} solved {number(s.solved)} of {s.tasks}, {100 * s.low:.0f} to {100 * s.high:.0f} percent"
            for name, s in zip(shown.names, shown.found.scores, strict=True)
        )
        self._plot.show_plot(plots.score_bars(shown.found.scores), told, shown.found.scores)
        for cells, line in zip(self._cells, shown.cost, strict=True):
            _show_line(cells, line)
        two = len(shown.names) > 1
        set_shown(self._tiles[1], two)
        set_shown(self._caption, two)
        self._note.set_whole_text(shown.cost_note)
        set_shown(self._note, bool(shown.cost_note))

    def set_narrow(self, narrow: bool) -> None:
        """Leave out the legend in a small window."""
        set_shown(self._legend, not narrow)


def _show_line(cells: tuple[ElidedLabel, QLabel, QLabel, QLabel], line: CostLine) -> None:
    name, first, second, compared = cells
    name.set_whole_text(line.name)
    set_text(first, line.values[0])
    set_text(second, line.values[1] if len(line.values) > 1 else "")
    set_text(compared, line.compare)
    set_role(compared, "better" if line.good and line.compare != "about the same" else "muted")
    spoken = ", ".join(filter(None, (line.name, *line.values, line.compare and f"compact is {line.compare}")))
    first.setAccessibleName(spoken)
