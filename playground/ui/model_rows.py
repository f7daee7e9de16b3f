"""Paints one row of the model list: a mark, the name shortened to what is free, quantization, size, base or chat."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from playground.models.files import ModelFile
from playground.ui import compare_words as words
from playground.ui import theme
from playground.ui.icons import icon
from playground.ui.model_list import MODEL_ROLE

ROW_HEIGHT = 32
_MARK, _GAP, _SIZE, _KIND = 22, 8, 62, 34
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class ModelRows(QStyledItemDelegate):
    """``current_path`` names the model that carries the mark."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.current_path = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return the same height for all rows."""
        return QSize(200, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the columns from both ends; the name takes what is left."""
        model: ModelFile = index.data(MODEL_ROLE)
        colours, state = theme.current(), option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area: QRect = option.rect.adjusted(4, 1, -4, -1)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.accent2 if chosen else colours.raised))
            painter.drawRoundedRect(QRectF(area), 7, 7)
        area.adjust(6, 0, -10, 0)
        if model.path == self.current_path:
            icon("check", colours.accent, 14).paint(painter, area.left(), area.top(), 14, area.height())
        area.setLeft(area.left() + _MARK)
        painter.setPen(QColor(colours.muted))
        painter.setFont(theme.font(8.5))
        area = _column(painter, area, words.model_kind(model), _KIND)
        area = _column(painter, area, words.size(model.size_bytes), _SIZE)
        area = _chip(painter, area, model.quant)
        painter.setFont(theme.font(10))
        painter.setPen(QColor(colours.text))
        name = QFontMetrics(painter.font()).elidedText(model.name, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, _LEFT, name)
        painter.restore()


def _column(painter: QPainter, area: QRect, text: str, width: int) -> QRect:
    """Paint a right-aligned column and return what is left of it."""
    painter.drawText(QRect(area.right() - width, area.top(), width, area.height()), _RIGHT, text)
    return area.adjusted(0, 0, -width - _GAP, 0)


def _chip(painter: QPainter, area: QRect, text: str) -> QRect:
    width = painter.fontMetrics().horizontalAdvance(text) + 14
    box = QRectF(area.right() - width + 0.5, area.center().y() - 8.5, width, 18)
    painter.setBrush(QColor(theme.current().raised))
    pen = painter.pen()
    painter.setPen(QPen(QColor(theme.current().line), 1))
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(pen)
    painter.drawText(box, text, Qt.AlignmentFlag.AlignCenter)
    return area.adjusted(0, 0, -width - _GAP, 0)
