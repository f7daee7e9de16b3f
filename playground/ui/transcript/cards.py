"""Paints what lies under the text (code cards, user bubbles, bars, notices) and places the Copy buttons.

Only visible blocks are looked at, so a frame costs the same in a document of any length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTextBlock
from PySide6.QtWidgets import QTextEdit, QToolButton

from playground.ui import theme
from playground.ui.transcript.formats import (
    CARD,
    CODE,
    CODE_HEAD,
    NOTICE,
    REASONING_HEAD,
    ROLE,
    TABLE_HEAD,
    TABLE_ROW,
    USER,
)

_RADIUS = 9.0
_BEYOND = 60.0  # a card whose header is scrolled away goes on above the edge
_NOTICE_COLOURS = {"info": ("codehead", "line"), "warn": ("warnbg", "warn"), "bad": ("badbg", "bad")}


@dataclass(slots=True)
class Card:
    """One visible card, in viewport pixels. ``head`` is the height of its header line, 0 without one in sight."""

    role: int
    number: int
    rect: QRectF
    head: float = 0.0


_Sight = tuple[int, int, QSize]  # the document's revision, how far it is scrolled, the viewport
_seen: WeakKeyDictionary[QTextEdit, tuple[_Sight, list[Card]]] = WeakKeyDictionary()


def visible_cards(view: QTextEdit) -> list[Card]:
    """Return the cards in sight, from top to bottom. A frame asks several times; only changes are looked at."""
    sight = (view.document().revision(), view.verticalScrollBar().value(), view.viewport().size())
    known = _seen.get(view)
    if known is None or known[0] != sight:
        known = _seen[view] = (sight, _find_cards(view))
    return known[1]


def _find_cards(view: QTextEdit) -> list[Card]:
    layout = view.document().documentLayout()
    offset, height = view.verticalScrollBar().value(), view.viewport().height()
    block: QTextBlock = view.cursorForPosition(QPoint(20, 0)).block()
    cards: list[Card] = []
    while block.isValid():
        rect = layout.blockBoundingRect(block).translated(0, -offset)
        if rect.top() > height + 40:
            break
        _collect(cards, block, rect)
        block = block.next()
    return cards


def _collect(cards: list[Card], block: QTextBlock, rect: QRectF) -> None:
    block_format = block.blockFormat()
    role, number = block_format.intProperty(ROLE), block_format.intProperty(CARD)
    if not role:
        return
    if role in (CODE, CODE_HEAD):
        last = cards[-1] if cards else None
        if last is not None and last.role == CODE and last.number == number:
            last.rect = last.rect.united(rect)
            return
        is_head = role == CODE_HEAD
        shown = rect if is_head else rect.adjusted(0, -_BEYOND, 0, 0)
        cards.append(Card(CODE, number, shown, rect.height() if is_head else 0.0))
    elif role in (USER, REASONING_HEAD, NOTICE, TABLE_HEAD, TABLE_ROW):
        cards.append(Card(role, number, rect))


def paint(painter: QPainter, cards: list[Card], width: float, margin: float, kinds: dict[int, str]) -> None:
    """Paint the cards. ``kinds`` names the kind of each notice."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colours = theme.current()
    for card in cards:
        rect = QRectF(margin - 0.5, card.rect.top() - 6.5, width - 2 * margin, card.rect.height() + 14)
        if card.role == USER:
            _fill(painter, rect, colours.accent2, None, 10)
        elif card.role == CODE:
            _paint_code(painter, rect, card.head)
        elif card.role == REASONING_HEAD:
            _fill(painter, rect.adjusted(0, 2, 0, -2), colours.raised, colours.line, 8)
        elif card.role == NOTICE:
            fill, line = _NOTICE_COLOURS[kinds.get(card.number, "info")]
            _fill(painter, rect, getattr(colours, fill), getattr(colours, line), 8)
        else:
            y = card.rect.bottom() + 2.5
            painter.setPen(QPen(QColor(colours.line2 if card.role == TABLE_HEAD else colours.line), 1))
            painter.drawLine(int(margin), int(y), int(width - margin), int(y))


def _fill(painter: QPainter, rect: QRectF, fill: str, line: str | None, radius: float) -> None:
    painter.setPen(QPen(QColor(line), 1) if line else Qt.PenStyle.NoPen)
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(rect, radius, radius)


def _paint_code(painter: QPainter, rect: QRectF, head: float) -> None:
    colours = theme.current()
    _fill(painter, rect, colours.code, colours.line, _RADIUS)
    if not head:
        return
    bar = QRectF(rect.left(), rect.top(), rect.width(), head + 13)
    path = QPainterPath()
    path.addRoundedRect(rect, _RADIUS, _RADIUS)
    painter.save()
    painter.setClipPath(path)
    painter.fillRect(bar, QColor(colours.codehead))
    painter.setPen(QPen(QColor(colours.line), 1))
    painter.drawLine(bar.bottomLeft(), bar.bottomRight())
    painter.restore()
    painter.setPen(QPen(QColor(colours.line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, _RADIUS, _RADIUS)


class CopyButtons:
    """A pool of buttons over the visible code cards, pinned to the top while a card is in sight."""

    def __init__(self, view: QTextEdit, copy: Callable[[int], None]) -> None:
        self._view = view
        self._copy = copy
        self._buttons: list[QToolButton] = []
        self._numbers: list[int] = []

    def place(self, cards: list[Card], margin: float) -> None:
        """Put a button on each code card and hide the others."""
        code = [card for card in cards if card.role == CODE]
        self._numbers = [card.number for card in code]
        while len(self._buttons) < len(code):
            self._buttons.append(self._make(len(self._buttons)))
        width = self._view.viewport().width()
        for button, card in zip(self._buttons, code, strict=False):
            lowest = card.rect.bottom() - button.height()
            y = min(max(card.rect.top() - 4, 4.0), lowest)
            button.move(int(width - margin - button.width() - 6), int(y))
            button.setVisible(card.rect.bottom() > button.height())
        for button in self._buttons[len(code) :]:
            button.hide()

    def _make(self, index: int) -> QToolButton:
        button = QToolButton(self._view.viewport())
        button.setObjectName("codebutton")
        button.setText("Copy")
        button.setAccessibleName("Copy code")
        button.setToolTip("Copy this code  (Ctrl+Shift+C: the last code of the answer)")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self._copy(self._numbers[index]))
        button.adjustSize()
        return button
