"""The models on disk as a Qt table with check marks, and its filtered view. Belongs to the view-model; no widget."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)

from playground.models.disk.inventory_values import DiskModel, Place
from playground.ui.compare_words import size
from playground.ui.library import disk_words as words
from playground.ui.library.words import PLACES

DISK_ROLE = int(Qt.ItemDataRole.UserRole)
PILL_ROLE = DISK_ROLE + 1
_SORT_ROLE = DISK_ROLE + 2
CHECK, NAME, ARCH, QUANT, SIZE, CONTEXT, PLACE, STATE = range(8)
HEADINGS = ("", "MODEL", "ARCH", "QUANT", "SIZE", "CONTEXT", "FOUND IN", "STATE")
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class DiskTable(QAbstractTableModel):
    """``DISK_ROLE`` gives the DiskModel, ``PILL_ROLE`` its state in words. ``check_wanted``: a mark was clicked."""

    check_wanted = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[DiskModel, ...] = ()
        self._checked: frozenset[str] = frozenset()
        self._places: dict[str, Place] = {}

    def show_models(self, models: tuple[DiskModel, ...], checked: frozenset[str]) -> None:
        """Show other models or marks, where they differ."""
        if models != self._models:
            self.beginResetModel()
            self._models, self._checked = models, checked
            self._places = {model.path: model.place for model in models}
            self.endResetModel()
        elif checked != self._checked:
            changed, self._checked = self._checked ^ checked, checked
            for row, model in enumerate(models):
                if model.path in changed:
                    self.dataChanged.emit(self.index(row, CHECK), self.index(row, CHECK))

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of models."""
        return 0 if parent.isValid() else len(self._models)

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of columns."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(  # noqa: N802 -- Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:  # noqa: ANN401 -- Qt's type
        """Return a heading."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section == SIZE else _LEFT
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Return that only models which can be deleted can be checked."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.isValid() and index.column() == CHECK and self._models[index.row()].can_delete:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        model, column = self._models[index.row()], index.column()
        if role == DISK_ROLE:
            return model
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(model, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return words.spoken(model) if column == NAME else _text(model, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.tip(model)
        if role == Qt.ItemDataRole.CheckStateRole and column == CHECK and model.can_delete:
            return Qt.CheckState.Checked if model.path in self._checked else Qt.CheckState.Unchecked
        if role == PILL_ROLE:
            return words.state_pill(model, self._places.get(model.same_as))
        if role == _SORT_ROLE:
            return _sort_key(model, column)
        return None

    def setData(self, index: _Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:  # noqa: ANN401, N802 -- Qt's
        """Ask for a mark to be set; it shows when the view-model agrees."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        self.check_wanted.emit(self._models[index.row()].path, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class DiskFilter(QSortFilterProxyModel):
    """The rows of one place, or with a problem, that hold every word; sorted by a heading that was clicked."""

    def __init__(self, source: DiskTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chip, self._words = words.ALL, ""
        self.setSortRole(_SORT_ROLE)
        self.setSourceModel(source)

    def set_filter(self, chip: str, text: str) -> None:
        """Show other rows, where the filter differs."""
        if (chip, text) != (self._chip, self._words):
            self.beginFilterChange()
            self._chip, self._words = chip, text
            self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:  # noqa: N802 -- Qt's name
        """Return whether a model passes."""
        model = self.sourceModel().index(source_row, 0, source_parent).data(DISK_ROLE)
        return words.is_shown(model, self._chip, self._words)


def _text(model: DiskModel, column: int) -> str:
    texts = (
        "",
        model.name,
        model.arch or "–",
        words.quant(model) or "–",
        size(model.size_bytes),
        words.context_words(model),
        PLACES[model.place],
        words.state_pill(model)[0],
    )
    return texts[column]


def _sort_key(model: DiskModel, column: int) -> str | float:
    if column == SIZE:
        return float(
            model.size_bytes
        )  # Qt compares no small with large integers: they are different types to it
    return float(model.n_ctx_train) if column == CONTEXT else _text(model, column).casefold()
