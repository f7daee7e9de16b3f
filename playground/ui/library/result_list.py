"""Search results as a Qt list that asks for more at its end. Belongs to the view-model; knows no widget."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from playground.models.hub.repository import FoundModel
from playground.ui.library import search_words as words
from playground.ui.library.search_state import Known

FOUND_ROLE = int(Qt.ItemDataRole.UserRole)
KNOWN_ROLE = FOUND_ROLE + 1
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class ResultList(QAbstractListModel):
    """``FOUND_ROLE`` gives the FoundModel, ``KNOWN_ROLE`` what is known or likely about its fit."""

    more_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._found: tuple[FoundModel, ...] = ()
        self._known: dict[str, Known] = {}
        self._free_bytes = 0
        self._has_more = False

    def show_found(self, found: tuple[FoundModel, ...], *, has_more: bool) -> None:
        """Show results; those that only continue the old ones are added to them."""
        self._has_more = has_more
        old = self._found
        if found == old:
            return
        if old and found[: len(old)] == old:
            self.beginInsertRows(QModelIndex(), len(old), len(found) - 1)
            self._found = found
            self.endInsertRows()
        else:
            self.beginResetModel()
            self._found = found
            self.endResetModel()

    def set_free(self, free_bytes: int) -> None:
        """Set what a model may take."""
        if free_bytes != self._free_bytes:
            self._free_bytes = free_bytes
            self._touch(0, len(self._found) - 1)

    def set_known(self, id_: str, known: Known) -> None:
        """Set what a repository has turned out to need."""
        if self._known.get(id_) != known:
            self._known[id_] = known
            row = self.row_of(id_)
            self._touch(row, row)

    def row_of(self, id_: str) -> int:
        """Return a result's row, -1 for one that is not listed."""
        return next((row for row, one in enumerate(self._found) if one.id == id_), -1)

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of results so far."""
        return 0 if parent.isValid() else len(self._found)

    def canFetchMore(self, parent: _Index) -> bool:  # noqa: N802 -- Qt's name
        """Return whether the Hub has more."""
        return not parent.isValid() and self._has_more

    def fetchMore(self, parent: _Index) -> None:  # noqa: N802 -- Qt's name
        """Ask for more; they come later."""
        if not parent.isValid() and self._has_more:
            self._has_more = False
            self.more_wanted.emit()

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        found = self._found[index.row()]
        if role == FOUND_ROLE:
            return found
        if role == KNOWN_ROLE:
            return self._about(found)
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.result_tip(found)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return words.result_line(found, self._about(found))
        return None

    def _about(self, found: FoundModel) -> Known:
        return self._known.get(found.id) or words.likely(found, self._free_bytes)

    def _touch(self, first: int, last: int) -> None:
        if 0 <= first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, 0))
