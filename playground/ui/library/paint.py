"""What the painted rows of the Library share: their ground, pills and chips from the right, texts shortened to fit."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from playground.ui import theme
from playground.ui.library.words import Pill

LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_PILL, _CHIP, _GAP = 19.0, 19.0, 7.0
_GROUNDS = {"ok": "okbg", "bad": "badbg", "warn": "warnbg", "run": "accent2", "plain": "codehead"}
_INKS = {"run": "accent", "plain": "muted"}


@lru_cache(maxsize=32)
def font(point_size: float, weight: int = 400) -> QFont:
    """Return the interface's font; rows are painted too often to make it each time."""
    return theme.font(point_size, weight)


@lru_cache(maxsize=512)
def width(words: str, point_size: float, weight: int = 400) -> float:
    """Return how wide a text is."""
    return QFontMetricsF(font(point_size, weight)).horizontalAdvance(words)


def colour(token: str) -> QColor:
    """Return a colour of the theme."""
    return QColor(getattr(theme.current(), token))


def ground(painter: QPainter, option: QStyleOptionViewItem, area: QRectF, *, marked: bool = False) -> None:
    """Paint what lies under a row: selected, in focus, or under the pointer."""
    state = option.state
    chosen = marked or bool(state & QStyle.StateFlag.State_Selected)
    if chosen or state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("accent2" if chosen else "raised"))
        painter.drawRoundedRect(area, 8, 8)
    if state & QStyle.StateFlag.State_HasFocus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("accent"), 2))
        painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 7, 7)


def pill(painter: QPainter, area: QRectF, words: Pill, *, at_left: bool = False) -> QRectF:
    """Paint a pill or a chip at the right, or left, end and return what is left of the area."""
    text, role = words
    if not text:
        return area
    is_chip = role == "badge"
    weight = 400 if is_chip else 600
    painter.setFont(font(8.5, weight))
    wide = width(text, 8.5, weight) + (14 if is_chip else 20)
    height = _CHIP if is_chip else _PILL
    left = area.left() if at_left else area.right() - wide
    box = QRectF(left, area.center().y() - height / 2, wide, height)
    painter.setPen(QPen(colour("line"), 1) if is_chip else Qt.PenStyle.NoPen)
    painter.setBrush(colour("raised" if is_chip else _GROUNDS[role]))
    radius = 6 if is_chip else height / 2
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5) if is_chip else box, radius, radius)
    painter.setPen(colour("muted" if is_chip else _INKS.get(role, role)))
    painter.drawText(box, CENTRE, text)
    return area.adjusted(wide + _GAP, 0, 0, 0) if at_left else area.adjusted(0, 0, -wide - _GAP, 0)


def text(
    painter: QPainter,
    area: QRectF,
    words: str,
    point_size: float,
    weight: int = 400,
    ink: str = "text",
    align: int = LEFT,
) -> None:
    """Paint a text, shortened to the area."""
    painter.setFont(font(point_size, weight))
    painter.setPen(colour(ink))
    if width(words, point_size, weight) > area.width():
        metrics = QFontMetricsF(painter.font())
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(area.width(), 0))
    painter.drawText(area, align, words)
