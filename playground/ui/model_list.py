"""The models on this disk as a Qt list, and a filtered view of it. Belongs to the view-model; knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from playground.models.files import ModelFile
from playground.ui import compare_words as words

MODEL_ROLE = int(Qt.ItemDataRole.UserRole)
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class ModelList(QAbstractListModel):
    """``MODEL_ROLE`` gives the ModelFile; the display text is what the filter and a screen reader get."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[ModelFile, ...] = ()

    def set_models(self, models: Sequence[ModelFile]) -> None:
        """Show other models, when they differ."""
        if tuple(models) != self._models:
            self.beginResetModel()
            self._models = tuple(models)
            self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of models."""
        return 0 if parent.isValid() else len(self._models)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        model = self._models[index.row()]
        if role == MODEL_ROLE:
            return model
        if role == Qt.ItemDataRole.ToolTipRole:
            return model.path
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return words.model_line(model)
        return None


class ModelFilter(QSortFilterProxyModel):
    """The rows that hold every word of the filter, in any order and case."""

    def __init__(self, source: ModelList, parent: QObject) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self.setSourceModel(source)

    def set_text(self, text: str) -> None:
        """Filter by these words."""
        self.beginFilterChange()
        self._words = text.casefold().split()
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:  # noqa: N802 -- Qt's name
        """Return whether a model fits the filter."""
        if not self._words:
            return True
        model = self.sourceModel().index(source_row, 0, source_parent).data(MODEL_ROLE)
        text = f"{words.model_line(model)} {model.ref} {model.arch}".casefold()
        return all(word in text for word in self._words)
