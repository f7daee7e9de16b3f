"""The table of tasks as a widget: its columns, what a narrow window leaves out, keys. Emits which task is to be opened."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from playground.ui.results import task_table as table
from playground.ui.results.task_cells import ROW_HEIGHT, TaskCells
from playground.ui.results.task_table import ROW_ROLE

_WIDTHS = {
    table.NUMBER: 46,
    table.TOPIC: 110,
    table.LANE_A: 138,
    table.LANE_B: 138,
    table.SOLVED: 132,
    table.TIME_A: 76,
    table.TIME_B: 76,
    table.TOKENS_A: 78,
    table.TOKENS_B: 78,
}
_NARROW = (table.TOPIC, table.TOKENS_A, table.TOKENS_B)


class TaskView(QTableView):
    """``opened`` carries a task's id: a double click, Enter, or Space."""

    opened = Signal(str)

    def __init__(self, model: QAbstractItemModel, *, sortable: bool, solved_by: bool) -> None:
        super().__init__()
        self._is_narrow, self._lanes, self._solved_by = False, 2, solved_by
        self.setModel(model)
        self.setItemDelegate(TaskCells(self))
        self.setAccessibleName("Tasks")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_headers(sortable=sortable)
        self.doubleClicked.connect(self._open)

    def _set_headers(self, *, sortable: bool) -> None:
        rows, head = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.setMinimumSectionSize(ROW_HEIGHT)
        head.setHighlightSections(False)
        head.setFixedHeight(28)
        head.setMinimumSectionSize(30)
        head.setTextElideMode(Qt.TextElideMode.ElideRight)
        for column in range(table.TOKENS_B + 1):
            width = _WIDTHS.get(column)
            fixed, stretched = QHeaderView.ResizeMode.Fixed, QHeaderView.ResizeMode.Stretch
            head.setSectionResizeMode(column, fixed if width else stretched)
            if width:
                self.setColumnWidth(column, width)
        if sortable:
            self.setSortingEnabled(True)
            head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            head.setSortIndicatorClearable(True)
        self._hide_columns()

    def set_shape(self, *, narrow: bool, lanes: int) -> None:
        """Leave out what a small window has no room for, and a second lane that is not there."""
        if (narrow, lanes) != (self._is_narrow, self._lanes):
            self._is_narrow, self._lanes = narrow, lanes
            self._hide_columns()

    def _hide_columns(self) -> None:
        for column in range(table.TOKENS_B + 1):
            hidden = (self._is_narrow and column in _NARROW) or (
                self._lanes < 2 and column in table.OF_SECOND_LANE
            )
            self.setColumnHidden(column, hidden or (column == table.SOLVED and not self._solved_by))

    def select_task(self, task: str) -> None:
        """Put the selection on a task, when it is in sight."""
        model = self.model()
        for place in range(model.rowCount()):
            if model.index(place, 0).data(ROW_ROLE).task == task:
                self.setCurrentIndex(model.index(place, table.TASK))
                return

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Show where the keyboard is, when it came here by keyboard."""
        super().focusInEvent(event)
        by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keyboard and not self.selectionModel().hasSelection() and self.model().rowCount():
            index = self.currentIndex()
            self.setCurrentIndex(index if index.isValid() else self.model().index(0, table.TASK))
            self.selectRow(self.currentIndex().row())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Open with Enter or Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(index.data(ROW_ROLE).task)
