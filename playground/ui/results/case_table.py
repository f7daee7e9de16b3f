"""The tests of one answer as a table: passed or not, what went in, what was expected, what came. Plain text only."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from playground.ui import theme
from playground.ui.library import paint
from playground.ui.results.task_cells import pill_on
from playground.ui.results.task_state import CaseRow

CASE_ROLE = int(Qt.ItemDataRole.UserRole)
ROW_HEIGHT = 28
_HEAD = 26
_STATE, _INPUT, _EXPECTED, _GOT = range(4)
_HEADINGS = ("", "Input", "Expected", "Got")
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class CaseModel(QAbstractTableModel):
    """``CASE_ROLE`` gives the CaseRow."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cases: tuple[CaseRow, ...] = ()

    def show_cases(self, cases: tuple[CaseRow, ...]) -> None:
        """Show other tests."""
        if cases != self.cases:
            self.beginResetModel()
            self.cases = cases
            self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of tests."""
        return 0 if parent.isValid() else len(self.cases)

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: N802 -- Qt's name
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_HEADINGS)

    def headerData(  # noqa: N802 -- Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:  # noqa: ANN401 -- Qt's type
        """Return a heading."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADINGS[section]
        return None

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:  # noqa: ANN401 -- Qt's type
        """Return what a role asks for."""
        if not index.isValid():
            return None
        case = self.cases[index.row()]
        texts = ("✓ pass" if case.passed else "✗ wrong", case.input, case.expected, case.got)
        if role == CASE_ROLE:
            return case
        if role == Qt.ItemDataRole.DisplayRole:
            return texts[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return case.whole if index.column() == _STATE else texts[index.column()]
        return None


class _Cells(QStyledItemDelegate):
    """A failing test is tinted; the first of them has an edge."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return the same height for all rows."""
        return QSize(60, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a cell."""
        case: CaseRow = index.data(CASE_ROLE)
        first = not case.passed and _is_first(index)
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, paint.colour("accent2"))
        elif first:
            painter.fillRect(area, paint.colour("badbg"))
        if first and index.column() == _STATE:
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), paint.colour("bad"))
        painter.fillRect(QRectF(area.left(), area.bottom() - 1, area.width(), 1), paint.colour("line"))
        inner = area.adjusted(8, 0, -8, -1)
        if index.column() == _STATE:
            pill_on(painter, inner, (index.data(), "ok" if case.passed else "bad"), on_tint=first)
        else:
            ink = "bad" if index.column() == _GOT and not case.passed else "text"
            painter.setFont(theme.font(9, mono=True))
            painter.setPen(paint.colour(ink))
            shown = painter.fontMetrics().elidedText(
                index.data(), Qt.TextElideMode.ElideRight, int(inner.width())
            )
            painter.drawText(inner, paint.LEFT, shown)
        painter.restore()


def _is_first(index: QModelIndex | QPersistentModelIndex) -> bool:
    return all(index.model().index(row, 0).data(CASE_ROLE).passed for row in range(index.row()))


class CaseTable(QTableView):
    """As high as its tests, up to ``most`` rows. Ctrl+C copies the test that is chosen, whole."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.cases = CaseModel(self)
        self.setModel(self.cases)
        self.setItemDelegate(_Cells(self))
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setFixedHeight(_HEAD)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Fixed)
        self.setColumnWidth(_STATE, 88)

    def show_cases(self, cases: tuple[CaseRow, ...], most: int) -> None:
        """Show tests; the first failing one is in sight."""
        self.cases.show_cases(cases)
        self.setFixedHeight(_HEAD + ROW_HEIGHT * max(1, min(len(cases), most)) + 2)
        failing = next((place for place, case in enumerate(cases) if not case.passed), 0)
        if cases:
            self.scrollTo(self.cases.index(min(failing + 1, len(cases) - 1), 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Copy a whole test."""
        index = self.currentIndex()
        if event.matches(QKeySequence.StandardKey.Copy) and index.isValid():
            from PySide6.QtGui import QGuiApplication

            QGuiApplication.clipboard().setText(index.data(CASE_ROLE).whole)
            return
        super().keyPressEvent(event)
