"""The quantizations of a repository as a Qt list. Belongs to the view-model; knows no widget."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from playground.ui.library.repository_words import QuantRow

QUANT_ROLE = int(Qt.ItemDataRole.UserRole)
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class QuantList(QAbstractListModel):
    """``QUANT_ROLE`` gives the QuantRow. Other figures for the same names change rows in place."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[QuantRow, ...] = ()

    def show_rows(self, rows: tuple[QuantRow, ...]) -> None:
        """Show other rows, where they differ."""
        old = self._rows
        if [one.name for one in rows] != [one.name for one in old]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        self._rows = rows
        for place, (before, now) in enumerate(zip(old, rows, strict=True)):
            if before != now:
                self.dataChanged.emit(self.index(place, 0), self.index(place, 0))

    def row_of(self, name: str) -> int:
        """Return the row of a quantization, -1 for none."""
        return next((place for place, one in enumerate(self._rows) if one.name == name), -1)

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of quantizations."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == QUANT_ROLE:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.spoken()
        return None
