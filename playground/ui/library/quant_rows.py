"""Paints one quantization: a mark for the picked one, size, the memory bar with its sum, how it fits."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from playground.ui.library import paint
from playground.ui.library.bars import paint_shares
from playground.ui.library.quant_list import QUANT_ROLE
from playground.ui.library.repository_words import MARK, QuantRow

ROW_HEIGHT = 28
EDGE, NAME, SIZE, GAP = 8, 112, 60, 9
WIDE_BAR, NARROW_BAR, _WIDE = 150, 66, 600
_TOTAL = 32
_SMALL, _SUM = 9.5, 9.0  # points


def bar_width(width: float) -> int:
    """Return how long a row's bar is."""
    return WIDE_BAR if width >= _WIDE else NARROW_BAR


class QuantRows(QStyledItemDelegate):
    """All rows have the same height."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return it."""
        return QSize(200, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the columns; the verdict stands at the right."""
        row: QuantRow = index.data(QUANT_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        paint.ground(painter, option, area, marked=row.is_picked)
        bar = bar_width(area.width())
        area = area.adjusted(EDGE, 0, -EDGE, 0)
        _paint_radio(painter, QPointF(area.left() + 7, area.center().y()), on=row.is_picked)
        name_area = QRectF(area.left() + 22, area.top(), NAME - 22, area.height())
        paint.text(painter, name_area, row.name, _SMALL, 600 if row.is_picked else 400)
        left = area.left() + NAME + GAP
        paint.text(painter, QRectF(left, area.top(), SIZE, area.height()), row.size, _SMALL)
        left += SIZE + GAP
        right = paint.pill(painter, area, row.pill)
        right = (
            paint.pill(painter, right, row.mark) if right.width() > left - area.left() + bar + 190 else right
        )
        if row.total:
            paint_shares(painter, QRectF(left, area.center().y() - 5, bar, 10), row.parts, MARK)
            self._paint_sum(
                painter,
                QRectF(left + bar + GAP, area.top(), right.right() - left - bar - GAP, area.height()),
                row,
            )
        painter.restore()

    def _paint_sum(self, painter: QPainter, area: QRectF, row: QuantRow) -> None:
        width = max(paint.width(row.total, _SMALL, 600), _TOTAL)
        paint.text(painter, QRectF(area.left(), area.top(), width, area.height()), row.total, _SMALL, 600)
        rest = area.adjusted(width + 4, 0, 0, 0)
        words = f"= {row.sum}"
        if rest.width() >= paint.width(words, _SUM):  # half a sum says nothing
            paint.text(painter, rest, words, _SUM, ink="muted")


def _paint_radio(painter: QPainter, centre: QPointF, *, on: bool) -> None:
    painter.setBrush(paint.colour("panel"))
    painter.setPen(QPen(paint.colour("accent" if on else "faint"), 4 if on else 1.2))
    painter.drawEllipse(centre, 5 if on else 6, 5 if on else 6)
    painter.setPen(Qt.PenStyle.NoPen)
