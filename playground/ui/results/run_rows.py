"""Paints the rows of the list of runs: what it is called, which models, whether anything is missing."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from playground.bench.run_list import RunFile
from playground.ui.library import paint
from playground.ui.results import start_state
from playground.ui.results.run_list_model import RUN_ROLE

_HEIGHT = 52


class RunRows(QStyledItemDelegate):
    """Two lines and a pill."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """Return the same height for all rows."""
        return QSize(120, _HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a row."""
        run: RunFile = index.data(RUN_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(1, 1, -1, -1)
        paint.ground(painter, option, area)
        inner = paint.pill(painter, area.adjusted(10, 6, -10, -6), start_state.run_pill(run))
        top = QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2)
        ink = "text" if run.header is not None else "muted"
        paint.text(painter, top, start_state.run_line(run), 10, 600, ink)
        paint.text(painter, top.translated(0, top.height()), start_state.run_models(run), 9.5, 400, "muted")
        painter.restore()
