"""The run files as a Qt list. Belongs to the view-model; knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from playground.bench.run_list import RunFile
from playground.ui.meters import plain_tip
from playground.ui.results import start_state

RUN_ROLE = int(Qt.ItemDataRole.UserRole)
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class RunListModel(QAbstractListModel):
    """``RUN_ROLE`` gives the RunFile."""

    _runs: tuple[RunFile, ...] = ()

    def show_runs(self, runs: Sequence[RunFile]) -> None:
        """Show other runs, where they differ."""
        if tuple(runs) != self._runs:
            self.beginResetModel()
            self._runs = tuple(runs)
            self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self._runs)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        run = self._runs[index.row()]
        if role == RUN_ROLE:
            return run
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(start_state.run_tip(run))
        if role == Qt.ItemDataRole.DisplayRole:
            return start_state.run_line(run)
        return start_state.spoken(run) if role == Qt.ItemDataRole.AccessibleTextRole else None
