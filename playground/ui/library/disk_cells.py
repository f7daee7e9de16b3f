"""Paints the cells of the table of models on disk: check marks and locks, names, places, states."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from playground.models.disk.inventory_values import DiskModel
from playground.ui import theme
from playground.ui.icons import icon
from playground.ui.library import disk_words as words
from playground.ui.library import paint
from playground.ui.library.bars import tint
from playground.ui.library.disk_table import CHECK, DISK_ROLE, NAME, PILL_ROLE, PLACE, SIZE, STATE
from playground.ui.library.words import PLACES

ROW_HEIGHT = 33
_BOX, _LOCK = 15.0, 14


class DiskCells(QStyledItemDelegate):
    """A click on a check mark's cell sets or takes it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return the same height for all rows."""
        return QSize(60, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a cell; a row's ground and its line are one across all cells."""
        model: DiskModel = index.data(DISK_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        _paint_ground(painter, option, area)
        inner = area.adjusted(8, 0, -6, 0)
        column = index.column()
        if column == CHECK:
            self._paint_mark(painter, area, model, checked=index.data(Qt.ItemDataRole.CheckStateRole))
        elif column == PLACE:
            _paint_place(painter, inner, model)
        elif column == STATE:
            paint.pill(painter, inner, index.data(PILL_ROLE), at_left=True)
        else:
            token = "text" if column in (NAME, SIZE) else "muted"
            font = (10.0, 600) if column == NAME else (9.5, 400)
            align = paint.RIGHT if column == SIZE else paint.LEFT
            paint.text(painter, inner, index.data() or "", *font, ink=token, align=align)
        painter.restore()

    def _paint_mark(self, painter: QPainter, area: QRectF, model: DiskModel, *, checked: object) -> None:
        centre = area.center()
        if not model.can_delete:
            place = QRectF(centre.x() - _LOCK / 2, centre.y() - _LOCK / 2, _LOCK, _LOCK).toRect()
            icon("lock", theme.current().faint, _LOCK).paint(painter, place)
            return
        is_on = checked == Qt.CheckState.Checked
        box = QRectF(centre.x() - _BOX / 2, centre.y() - _BOX / 2, _BOX, _BOX)
        painter.setPen(QPen(paint.colour("accent" if is_on else "faint"), 1.2))
        painter.setBrush(paint.colour("accent" if is_on else "panel"))
        painter.drawRoundedRect(box, 4, 4)
        if is_on:
            cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
            painter.setPen(QPen(paint.colour("onaccent"), 1.8, Qt.PenStyle.SolidLine, cap, join))
            painter.drawPolyline(
                [box.topLeft() + QPointF(*point) for point in ((3.7, 7.7), (6.5, 10.5), (11.5, 4.9))]
            )

    def editorEvent(  # noqa: N802 -- Qt's name
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """Toggle on a click anywhere in the cell of the mark, which is larger than the mark."""
        is_click = event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent)
        if index.column() == CHECK and is_click and index.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            is_on = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
            wanted = Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked
            return model.setData(index, wanted, int(Qt.ItemDataRole.CheckStateRole))
        return index.column() != CHECK and super().editorEvent(event, model, option, index)


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem, area: QRectF) -> None:
    state = option.state
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(area, paint.colour("accent2"))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(area, paint.colour("raised"))
    painter.fillRect(QRectF(area.left(), area.bottom() - 1, area.width(), 1), paint.colour("line"))


def _paint_place(painter: QPainter, area: QRectF, model: DiskModel) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint(words.PLACE_TINTS[model.place]))
    painter.drawRoundedRect(QRectF(area.left(), area.center().y() - 4.5, 9, 9), 2.5, 2.5)
    paint.pill(painter, area.adjusted(15, 0, 0, 0), (PLACES[model.place], "badge"), at_left=True)
