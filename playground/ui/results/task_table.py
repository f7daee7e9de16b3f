"""The tasks of a run as a Qt table, and its filtered and sorted view. Belongs to a view-model; knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from playground.ui.meters import plain_tip
from playground.ui.results import task_rows as rows_of
from playground.ui.results import words
from playground.ui.results.task_rows import ALL, LaneCell, TaskRow

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
_SORT_ROLE = ROW_ROLE + 1
NUMBER, TASK, TOPIC, LANE_A, LANE_B, SOLVED, TIME_A, TIME_B, TOKENS_A, TOKENS_B = range(10)
NUMERIC = (NUMBER, TIME_A, TIME_B, TOKENS_A, TOKENS_B)
OF_SECOND_LANE = (LANE_B, TIME_B, TOKENS_B)
_LANES = {LANE_A: 0, LANE_B: 1, TIME_A: 0, TIME_B: 1, TOKENS_A: 0, TOKENS_B: 1}
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class TaskTable(QAbstractTableModel):
    """``ROW_ROLE`` gives the TaskRow; ``names`` are what the lanes are called."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[TaskRow, ...] = ()
        self.names: tuple[str, ...] = ()

    def show_rows(self, rows: Sequence[TaskRow], names: Sequence[str]) -> None:
        """Show other rows; rows that are new above the old ones, or changed in place, keep the selection."""
        if tuple(names) != self.names:
            self.beginResetModel()
            self.rows, self.names = tuple(rows), tuple(names)
            self.endResetModel()
            return
        old, new = [each.task for each in self.rows], [each.task for each in rows]
        more = len(new) - len(old)
        if more > 0 and new[more:] == old:
            self.beginInsertRows(QModelIndex(), 0, more - 1)
            self.rows = (*rows[:more], *self.rows)
            self.endInsertRows()
        elif new != old:
            self.beginResetModel()
            self.rows = tuple(rows)
            self.endResetModel()
        self._change(tuple(rows))

    def _change(self, rows: tuple[TaskRow, ...]) -> None:
        before, self.rows = self.rows, rows
        for place, (one, other) in enumerate(zip(before, rows, strict=True)):
            if one != other:
                self.dataChanged.emit(self.index(place, 0), self.index(place, self.columnCount() - 1))

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of tasks."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of columns."""
        return 0 if parent.isValid() else TOKENS_B + 1

    def headerData(  # noqa: N802 -- Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:  # noqa: ANN401 -- Qt's type
        """Return a heading; a lane's is its letter and its model."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in NUMERIC else _LEFT
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if section in (LANE_A, LANE_B):
            place = _LANES[section]
            name = self.names[place] if place < len(self.names) else ""
            return f"{'AB'[place]}  {name}"
        return ("#", "Task", "Topic", "", "", "Solved by", "Time A", "Time B", "Tokens A", "Tokens B")[
            section
        ]

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return rows_of.spoken(row, self.names) if column == TASK else _text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole and column == TASK:
            return plain_tip(f"{row.title} ({words.one_line(row.task, 80)})")
        return _sort_key(row, column) if role == _SORT_ROLE else None


class TaskFilter(QSortFilterProxyModel):
    """The rows of one filter that hold every word; in their own order, or sorted by a heading that was clicked."""

    def __init__(self, source: TaskTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kind, self._words = ALL, ""
        self.setSortRole(_SORT_ROLE)
        self.setSourceModel(source)

    def set_filter(self, kind: str, text: str) -> None:
        """Show other rows, where the filter differs."""
        if (kind, text) != (self._kind, self._words):
            self.beginFilterChange()
            self._kind, self._words = kind, text
            self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def tasks(self) -> tuple[str, ...]:
        """Return the tasks in sight, in their order."""
        return tuple(self.index(place, 0).data(ROW_ROLE).task for place in range(self.rowCount()))

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:  # noqa: N802 -- Qt's name
        """Return whether a task passes."""
        row = self.sourceModel().index(source_row, 0, source_parent).data(ROW_ROLE)
        return rows_of.passes(row, self._kind, self._words)


def _cell(row: TaskRow, column: int) -> LaneCell | None:
    place = _LANES[column]
    return row.cells[place] if place < len(row.cells) else None


def _text(row: TaskRow, column: int) -> str:
    if column in _LANES:
        cell = _cell(row, column)
        if cell is None:
            return ""
        if column in (LANE_A, LANE_B):
            return cell.pill[0]
        if column in (TIME_A, TIME_B):
            return words.seconds(cell.time_s)
        return "–" if cell.tokens is None else f"{cell.tokens:,}"
    return {NUMBER: str(row.number), TASK: row.title, TOPIC: row.topic, SOLVED: row.solved_by}[column]


def _sort_key(row: TaskRow, column: int) -> str | float:
    if column == NUMBER:
        return float(row.number)
    if column in NUMERIC:
        cell = _cell(row, column)
        value = None if cell is None else cell.time_s if column in (TIME_A, TIME_B) else cell.tokens
        return -1.0 if value is None else float(value)
    return _text(row, column).casefold()
