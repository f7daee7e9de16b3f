"""Painted bars of the Library: shares of a whole, the memory of one or two models against what is free, swatches."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from playground.ui import theme
from playground.ui.library.pairs_state import BarRow, Bars, Part

_TINTS = {"a2": ("a", 110), "b2": ("b", 110), "buffers": ("faint", 160), "other": ("faint", 110)}
_TOP = 0.9  # where in a bar the free memory ends
_ROW, _HEAD, _LEFT, _RIGHT, _BAR = 22, 14, 38, 66, 12


def tint(name: str) -> QColor:
    """Return a colour of the theme, or one of the paler ones of bars."""
    token, alpha = _TINTS.get(name, (name, 255))
    colour = QColor(getattr(theme.current(), token))
    colour.setAlpha(alpha)
    return colour


def paint_shares(painter: QPainter, area: QRectF, parts: Sequence[Part], mark: float | None = None) -> None:
    """Paint a rounded bar with parts as shares of it; what lies behind ``mark`` is hatched."""
    colours = theme.current()
    painter.save()
    clip = QPainterPath()
    clip.addRoundedRect(area, area.height() / 2, area.height() / 2)
    painter.setClipPath(clip, Qt.ClipOperation.IntersectClip)
    painter.fillRect(area, QColor(colours.line))
    x = area.left()
    for share, name in parts:
        width = area.width() * share
        painter.fillRect(QRectF(x, area.top(), width, area.height()), tint(name))
        x += width
    line = area.left() + area.width() * (mark or 0)
    if mark and x > line + 1:
        _hatch(painter, QRectF(line, area.top(), area.right() - line, area.height()), min(x, area.right()))
    painter.restore()
    if mark:
        painter.fillRect(QRectF(line - 0.7, area.top(), 1.4, area.height()), QColor(colours.text))


def _hatch(painter: QPainter, area: QRectF, end: float) -> None:
    colours = theme.current()
    painter.fillRect(area, QColor(colours.badbg))
    over = QRectF(area.left(), area.top(), end - area.left(), area.height())
    painter.fillRect(over, QBrush(QColor(colours.bad), Qt.BrushStyle.BDiagPattern))


class ShareBar(QWidget):
    """A thin bar of shares."""

    def __init__(self, name: str, height: int = 6, width: int = 0) -> None:
        super().__init__()
        self._parts: tuple[Part, ...] = ()
        self.setFixedHeight(height)
        self.setAccessibleName(name)
        if width:
            self.setFixedWidth(width)

    def show_parts(self, parts: Sequence[Part], words: str = "") -> None:
        """Show other shares; ``words`` say them."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.update()
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_shares(painter, QRectF(self.rect()), self._parts)
        painter.end()


class Swatch(QWidget):
    """Small squares in the tints of a bar."""

    def __init__(self, *tints: str) -> None:
        super().__init__()
        self._tints = tints
        self.setFixedSize(11 * len(tints) - 2, 9)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the squares."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for index, name in enumerate(self._tints):
            painter.setBrush(tint(name))
            painter.drawRoundedRect(QRectF(index * 11, 0, 9, 9), 2.5, 2.5)
        painter.end()


class MemoryBars(QWidget):
    """One or two models' memory; what is more than the free memory is hatched."""

    def __init__(self) -> None:
        super().__init__()
        self._bars = Bars((), 1, "")
        self.setFixedHeight(_HEAD + 2 * _ROW)

    def show_bars(self, bars: Bars) -> None:
        """Show other figures."""
        if bars != self._bars:
            self._bars = bars
            self.setAccessibleName(bars.spoken())
            self.setToolTip(bars.note)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint bars, the line where the free memory ends, and the note."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bars = self._bars
        top = max(bars.free_bytes, 1) / _TOP
        for index, row in enumerate(bars.rows):
            area = QRectF(_LEFT, _HEAD + _ROW * index + 4, max(self.width() - _LEFT - _RIGHT, 10), _BAR)
            self._paint_row(painter, area, row, top)
        if bars.rows:
            self._paint_line(painter)
        if bars.note and len(bars.rows) == 1:
            painter.setFont(theme.font(8.5))
            painter.setPen(QColor(theme.current().muted))
            area = QRectF(_LEFT, _HEAD + _ROW + 2, self.width() - _LEFT, 18)
            note = painter.fontMetrics().elidedText(bars.note, Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), note)
        painter.end()

    def _paint_row(self, painter: QPainter, area: QRectF, row: BarRow, top: float) -> None:
        colours = theme.current()
        painter.setPen(QColor(colours.muted))
        painter.setFont(theme.font(8.5, 600))
        wide = area.adjusted(0, -3, 0, 3)
        painter.drawText(
            QRectF(0, wide.top(), _LEFT - 4, wide.height()), int(Qt.AlignmentFlag.AlignVCenter), row.title
        )
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(area, 4, 4)
        painter.setClipPath(clip)
        painter.fillRect(area, QColor(colours.line))
        x = area.left()
        for size_bytes, name in row.parts:
            end = min(x + area.width() * size_bytes / top, area.right())
            painter.fillRect(QRectF(x, area.top(), end - x, area.height()), tint(name))
            x = end
            if x < area.right():
                painter.fillRect(QRectF(x - 0.5, area.top(), 1, area.height()), QColor(colours.panel))
        if row.is_over:
            line = area.left() + area.width() * _TOP
            _hatch(painter, QRectF(line, area.top(), area.right() - line, area.height()), x)
        painter.restore()
        painter.setPen(QColor(colours.bad if row.is_over else colours.text))
        painter.setFont(theme.font(9, 600))
        end_area = QRectF(area.right() + 8, wide.top(), _RIGHT - 8, wide.height())
        painter.drawText(end_area, int(Qt.AlignmentFlag.AlignVCenter), row.end)

    def _paint_line(self, painter: QPainter) -> None:
        colours, rows = theme.current(), len(self._bars.rows)
        x = _LEFT + max(self.width() - _LEFT - _RIGHT, 10) * _TOP
        painter.setPen(QPen(QColor(colours.text), 1.4))
        painter.drawLine(QPointF(x, _HEAD), QPointF(x, _HEAD + _ROW * rows - 2))
        painter.setPen(QColor(colours.muted))
        painter.setFont(theme.font(8))
        painter.drawText(QRectF(x - 100, -1, 200, _HEAD), int(Qt.AlignmentFlag.AlignCenter), self._bars.free)
