"""Paints the cells of the tables of tasks: pills, figures, names. A row's ground and line are one across all cells."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from playground.ui import theme
from playground.ui.library import paint
from playground.ui.results.task_rows import TaskRow
from playground.ui.results.task_table import LANE_A, LANE_B, NUMERIC, ROW_ROLE, TASK

ROW_HEIGHT = 29
_EDGE = 3


class TaskCells(QStyledItemDelegate):
    """Each cell by its column."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return the same height for all rows."""
        return QSize(60, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a cell."""
        row: TaskRow = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, column = QRectF(option.rect), index.column()
        marked = _ground(painter, option, area, row, first=column == 0)
        inner = area.adjusted(8, 0, -8, -1)
        if column in (LANE_A, LANE_B):
            place = 0 if column == LANE_A else 1
            pill = row.cells[place].pill if place < len(row.cells) else ("", "plain")
            pill_on(painter, inner, pill, on_tint=marked)
        else:
            weight = 500 if column == TASK else 400
            align = paint.RIGHT if column in NUMERIC else paint.LEFT
            paint.text(
                painter, inner, index.data() or "", 9.5, weight, "text" if column == TASK else "muted", align
            )
        painter.restore()


def _ground(
    painter: QPainter, option: QStyleOptionViewItem, area: QRectF, row: TaskRow, *, first: bool
) -> bool:
    chosen = bool(option.state & QStyle.StateFlag.State_Selected)
    marked = chosen or row.live
    if marked:
        painter.fillRect(area, paint.colour("accent2"))
    elif option.state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(area, paint.colour("raised"))
    if marked and first:
        painter.fillRect(QRectF(area.left(), area.top(), _EDGE, area.height()), paint.colour("accent"))
    painter.fillRect(QRectF(area.left(), area.bottom() - 1, area.width(), 1), paint.colour("line"))
    return marked


def pill_on(painter: QPainter, area: QRectF, words: tuple[str, str], *, on_tint: bool = False) -> None:
    """Paint a pill at the left; on a tinted row its ground is the panel's."""
    text, role = words
    if not text:
        return
    if not on_tint:
        paint.pill(painter, area, words, at_left=True)
        return
    painter.setFont(theme.font(8.5, 600))
    width = painter.fontMetrics().horizontalAdvance(text) + 20
    box = QRectF(area.left(), area.center().y() - 9.5, width, 19)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(paint.colour("panel"))
    painter.drawRoundedRect(box, 9.5, 9.5)
    painter.setPen(QPen(paint.colour({"run": "accent", "plain": "muted"}.get(role, role))))
    painter.drawText(box, paint.CENTRE, text)
