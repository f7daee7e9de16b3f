"""Paints one search result: name and fit, author and size, the best quantization, downloads."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from playground.models.hub.repository import FoundModel
from playground.ui import theme
from playground.ui.icons import icon
from playground.ui.library import paint
from playground.ui.library import search_words as words
from playground.ui.library.result_list import FOUND_ROLE, KNOWN_ROLE
from playground.ui.library.search_state import Known
from playground.ui.library.words import count, short_name

ROW_HEIGHT = 52
_MARK = 12
_SMALL = 9.0  # points


class ResultRows(QStyledItemDelegate):
    """All rows have the same height."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return it."""
        return QSize(200, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint from both ends; names take what is left."""
        found: FoundModel = index.data(FOUND_ROLE)
        known: Known = index.data(KNOWN_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(6, 1, -6, -1)
        paint.ground(painter, option, area)
        area = area.adjusted(12, 5, -10, -5)
        half = area.height() / 2
        upper, lower = area.adjusted(0, 0, 0, -half), area.adjusted(0, half, 0, 0)
        upper = paint.pill(painter, upper, known.pill)
        upper = paint.pill(painter, upper, words.gated_pill(found))
        paint.text(painter, upper, short_name(found.id), 10.5, 600)
        self._paint_figures(painter, lower, found, known)
        painter.restore()

    def _paint_figures(self, painter: QPainter, area: QRectF, found: FoundModel, known: Known) -> None:
        loads = count(found.downloads)
        if found.downloads:
            paint.text(painter, area, loads, _SMALL, ink="muted", align=paint.RIGHT)
            area = area.adjusted(0, 0, -paint.width(loads, _SMALL) - 4, 0)
            mark = QRectF(area.right() - _MARK, area.center().y() - _MARK / 2, _MARK, _MARK).toRect()
            icon("get", theme.current().faint, _MARK).paint(painter, mark)
            area = area.adjusted(0, 0, -_MARK - 10, 0)
        if known.words:
            paint.text(painter, area, known.words, _SMALL, ink="muted", align=paint.RIGHT)
            area = area.adjusted(0, 0, -paint.width(known.words, _SMALL) - 12, 0)
        paint.text(painter, area, words.by_line(found), _SMALL, ink="muted")
