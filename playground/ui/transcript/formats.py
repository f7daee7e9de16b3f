"""Character and block formats of a transcript, made from the theme's colours and kept until it changes."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QTextBlockFormat, QTextCharFormat, QTextFormat

from playground.ui import theme

ROLE: Final = QTextFormat.Property.UserProperty.value + 1
CARD: Final = ROLE + 1
USER, CODE_HEAD, CODE, REASONING_HEAD, REASONING, NOTICE, TABLE_HEAD, TABLE_ROW = range(1, 9)
CODE_POINTS: Final = 9.25
_HEADING_POINTS = {1: 14.0, 2: 12.5, 3: 11.0}


class Formats:
    """Formats by name."""

    def __init__(self) -> None:
        self._known: dict[str, QTextCharFormat] = {}

    @cached_property
    def code_width(self) -> float:
        """Return the width of one character of code, pixels."""
        return QFontMetricsF(theme.font(CODE_POINTS, mono=True)).horizontalAdvance(" ")

    def text(self, name: str = "text") -> QTextCharFormat:
        """Return the format of prose in a colour of the theme."""
        key = f"text:{name}"
        if key not in self._known:
            made = QTextCharFormat()
            made.setFont(theme.font(10))
            made.setForeground(_brush(name))
            self._known[key] = made
        return self._known[key]

    def code(self, colour: str) -> QTextCharFormat:
        """Return the format of code in a colour of the theme."""
        key = f"code:{colour}"
        if key not in self._known:
            made = QTextCharFormat()
            made.setFont(theme.font(CODE_POINTS, mono=True))
            made.setForeground(_brush(colour))
            made.setFontItalic(colour == "cm")
            self._known[key] = made
        return self._known[key]

    def inline_code(self) -> QTextCharFormat:
        """Return the format of code within prose."""
        if "inline" not in self._known:
            made = QTextCharFormat(self.code("text"))
            made.setBackground(_brush("codehead"))
            self._known["inline"] = made
        return self._known["inline"]

    def small(self, colour: str = "muted") -> QTextCharFormat:
        """Return the format of a code card's language and a reasoning bar."""
        key = f"small:{colour}"
        if key not in self._known:
            made = QTextCharFormat()
            made.setFont(theme.font(8.5, 500))
            made.setForeground(_brush(colour))
            self._known[key] = made
        return self._known[key]

    def heading(self, level: int) -> QTextCharFormat:
        """Return the format of a heading."""
        made = QTextCharFormat(self.text())
        made.setFontWeight(600)
        made.setFontPointSize(_HEADING_POINTS.get(level, 10.5))
        return made


def _brush(name: str) -> QBrush:
    return QBrush(QColor(getattr(theme.current(), name)))


def block(
    *,
    top: float = 0,
    bottom: float = 8,
    left: float = 0,
    right: float = 0,
    indent: float = 0,
    line_percent: float = 142,
    role: int = 0,
    card: int = 0,
) -> QTextBlockFormat:
    """Return a block format; distances in pixels."""
    made = QTextBlockFormat()
    made.setTopMargin(top)
    made.setBottomMargin(bottom)
    made.setLeftMargin(left)
    made.setRightMargin(right)
    made.setTextIndent(indent)
    made.setLineHeight(line_percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if role:
        made.setProperty(ROLE, role)
    if card:
        made.setProperty(CARD, card)
    return made
