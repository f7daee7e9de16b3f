"""The verdict's plots, painted: the paired bar, the difference with its interval, the shares that were solved."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.bench.verdict import Pair, Score
from playground.bench.words import number, points
from playground.ui import theme
from playground.ui.library.paint import CENTRE, LEFT, RIGHT, colour

_GAP = 2.0
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST_MARKS = 6
Draw = Callable[[QPainter, QRectF], None]


class Plot(QWidget):
    """A painted picture with a sentence for those who cannot see it."""

    def __init__(self, height: int, name: str) -> None:
        super().__init__()
        self._draw: Draw | None = None
        self._key: object = None
        self.setFixedHeight(height)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_plot(self, draw: Draw, words: str, key: object) -> None:
        """Paint another picture; ``key`` is what it is painted from."""
        if key != self._key:
            self._draw, self._key = draw, key
            self.setAccessibleDescription(words)
            self.setToolTip(words)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint it."""
        if self._draw is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter, QRectF(self.rect()))
        painter.end()


def _pale(name: str, alpha: int) -> QColor:
    made = colour(name)
    made.setAlpha(alpha)
    return made


def _say(
    painter: QPainter,
    area: QRectF,
    text: str,
    ink: str,
    *,
    weight: int = 400,
    size: float = 8.5,
    align: int = LEFT,
) -> None:
    painter.setFont(theme.font(size, weight))
    painter.setPen(colour(ink))
    painter.drawText(area, align, text)


# ---- all tasks in one bar


def paired_bar(pair: Pair) -> Draw:
    """Return the painter of one bar of all tasks: both solved, only A, only B, neither; and who solved what."""
    parts = (
        ("both solved", pair.both, "ok", 150),
        ("only A", pair.only_small, "a", 255),
        ("only B", pair.only_large, "b", 255),
        ("neither", pair.neither, "faint", 110),
    )

    def draw(painter: QPainter, area: QRectF) -> None:
        bar = QRectF(area.left(), area.top() + 20, area.width(), area.height() - 40)
        room = bar.width() - 3 * _GAP
        left, label_end = bar.left(), bar.left()
        for name, value, ink, alpha in parts:
            width = room * value / max(pair.tasks, 1)
            _part(painter, QRectF(left, bar.top(), width, bar.height()), value, ink, alpha)
            label_end = _label(painter, left, max(left, label_end), area, (name, value, ink))
            left += width + _GAP
        _brackets(painter, bar, pair, room / max(pair.tasks, 1))

    return draw


def _part(painter: QPainter, box: QRectF, value: float, ink: str, alpha: int) -> None:
    if box.width() <= 0.5:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    for brush in (colour("panel"), _pale(ink, alpha)):
        painter.setBrush(brush)
        painter.drawRoundedRect(box, min(5.0, box.width() / 2), 5)
    text = number(value)
    painter.setFont(theme.font(11, 700))
    if painter.fontMetrics().horizontalAdvance(text) + 4 <= box.width():
        _say(painter, box, text, "onaccent" if ink in "ab" else "text", weight=700, size=11, align=CENTRE)


def _label(painter: QPainter, left: float, free: float, area: QRectF, part: tuple[str, float, str]) -> float:
    """Write what a part is above it, unless the label before it takes the place; return where the next may begin."""
    name, value, ink = part
    painter.setFont(theme.font(8.5, 600))
    width = painter.fontMetrics().horizontalAdvance(name) + 6
    start = min(max(left, free), area.right() - width)
    if not value or start < free - 0.5:
        return free
    said = ink if ink in "ab" else "muted"
    _say(painter, QRectF(start, area.top(), width, 17), name, said, weight=600 if ink in "ab" else 400)
    return start + width


def _brackets(painter: QPainter, bar: QRectF, pair: Pair, unit: float) -> None:
    top, left = bar.bottom() + 5, bar.left()
    small_end = left + unit * (pair.both + pair.only_small) + (_GAP if pair.only_small else 0)
    painter.setPen(QPen(colour("a"), 2))
    if pair.both + pair.only_small:
        painter.drawLine(QPointF(left, top), QPointF(small_end, top))
    painter.setPen(QPen(colour("b"), 2))
    if pair.both:
        painter.drawLine(QPointF(left, top + 7), QPointF(left + unit * pair.both, top + 7))
    begin = left + unit * (pair.both + pair.only_small) + 2 * _GAP
    if pair.only_large:
        painter.drawLine(QPointF(begin, top + 7), QPointF(begin + unit * pair.only_large, top + 7))
    end = begin + unit * pair.only_large + _GAP
    texts = (
        ("a", f"A {number(pair.both + pair.only_small)}"),
        ("b", f"B {number(pair.both + pair.only_large)}"),
    )
    x = min(end + 4, bar.right() - 84)
    for ink, text in texts:
        box = QRectF(x, top - 5, 44, 18)
        painter.fillRect(box.adjusted(-3, 1, 0, 1), colour("panel"))
        _say(painter, box, text, ink, weight=600)
        x += 42


# ---- the difference


def difference_scale(pair: Pair) -> tuple[float, float, float]:
    """Return the ends of the axis and the step of its marks, in shares."""
    low, high = min(pair.low, -pair.margin), max(pair.high, 0.0)
    step = next((each for each in _STEPS if (high - low) / each <= _MOST_MARKS), 0.5)
    first, last = floor(low / step - 0.2) * step, ceil(max(high, step) / step + 0.2) * step
    return max(-1.0, first), min(1.0, last), step


def interval_plot(pair: Pair) -> Draw:
    """Return the painter of the difference with its interval, zero, and the side that lies within the margin."""
    first, last, step = difference_scale(pair)

    def draw(painter: QPainter, area: QRectF) -> None:
        box = QRectF(area.left() + 14, area.top() + 22, area.width() - 28, area.height() - 54)

        def x(share: float) -> float:
            return box.left() + box.width() * (share - first) / (last - first)

        _axis(painter, box, x, (first, last, step))
        margin = x(-pair.margin)
        painter.fillRect(QRectF(margin, box.top(), box.right() - margin, box.height()), _pale("ok", 28))
        painter.setPen(QPen(colour("ok"), 1.6, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(margin, box.top() - 4), QPointF(margin, box.bottom()))
        _texts(painter, area, box, x, pair)
        _whisker(painter, x(pair.low), x(pair.high), x(pair.difference), box.center().y())

    return draw


def _axis(
    painter: QPainter, box: QRectF, x: Callable[[float], float], scale: tuple[float, float, float]
) -> None:
    first, last, step = scale
    for index in range(ceil(first / step - 1e-9), floor(last / step + 1e-9) + 1):
        share = index * step
        place = x(share)
        painter.setPen(QPen(colour("line2" if index == 0 else "line"), 1))
        painter.drawLine(QPointF(place, box.top()), QPointF(place, box.bottom()))
        text = "0 equal" if index == 0 else points(share, signed=True)
        _say(painter, QRectF(place - 30, box.bottom() + 2, 60, 15), text, "muted", align=CENTRE)


def _texts(painter: QPainter, area: QRectF, box: QRectF, x: Callable[[float], float], pair: Pair) -> None:
    margin, middle = x(-pair.margin), x(pair.difference)
    words = f"your margin: within {points(pair.margin)} points"
    painter.setFont(theme.font(8.5, 600))
    width = painter.fontMetrics().horizontalAdvance(words) + 8
    left = min(margin + 4, area.right() - width)
    _say(painter, QRectF(left, area.top(), width, 17), words, "ok", weight=600)
    value = f"{points(pair.difference, signed=True)} points"
    painter.setFont(theme.font(9, 600))
    room = painter.fontMetrics().horizontalAdvance(value) + 8
    at = middle - room / 2
    if at < left + width and at + room > left:  # beside the words of the margin, on the side that has room
        at = left - room - 6 if left - room - 6 >= area.left() else left + width + 6
    _say(painter, QRectF(at, area.top(), room, 17), value, "text", weight=600, size=9, align=CENTRE)
    low = area.bottom() - 16
    _say(painter, QRectF(box.left() - 10, low, 220, 15), "← larger solves more", "muted")
    _say(painter, QRectF(box.right() - 210, low, 220, 15), "compact solves more →", "muted", align=RIGHT)


def _whisker(painter: QPainter, low: float, high: float, middle: float, y: float) -> None:
    painter.setPen(QPen(colour("text"), 2.4))
    painter.drawLine(QPointF(low, y), QPointF(high, y))
    for end in (low, high):
        painter.drawLine(QPointF(end, y - 5), QPointF(end, y + 5))
    painter.setPen(QPen(colour("panel"), 2))
    painter.setBrush(colour("text"))
    painter.drawEllipse(QPointF(middle, y), 6.5, 6.5)


# ---- the shares


def score_bars(scores: tuple[Score, ...]) -> Draw:
    """Return the painter of a bar for each lane: the share it solved, with its 95 % interval."""

    def draw(painter: QPainter, area: QRectF) -> None:
        box = area.adjusted(26, 2, -126, -18)
        for quarter in range(5):
            place = box.left() + box.width() * quarter / 4
            painter.setPen(QPen(colour("line"), 1))
            painter.drawLine(QPointF(place, box.top()), QPointF(place, box.bottom()))
            text = f"{25 * quarter} %"
            _say(painter, QRectF(place - 30, box.bottom() + 3, 60, 15), text, "muted", align=CENTRE)
        for place, score in enumerate(scores):
            _score(painter, box, score, place, box.height() / max(len(scores), 1))

    return draw


def _score(painter: QPainter, box: QRectF, score: Score, place: int, height: float) -> None:
    name, y = "ab"[place % 2], box.top() + height * (place + 0.5)
    ink = colour(name)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    tile = QRectF(0, y - 9, 18, 18)
    painter.drawRoundedRect(tile, 5, 5)
    _say(painter, tile, "AB"[place % 2], "onaccent", weight=700, size=8, align=CENTRE)
    if score.tasks:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_pale(name, 55))
        painter.drawRoundedRect(QRectF(box.left(), y - 7, box.width() * score.share, 14), 4, 4)
        painter.setPen(QPen(ink, 2))
        ends = [box.left() + box.width() * share for share in (score.low, score.high)]
        painter.drawLine(QPointF(ends[0], y), QPointF(ends[1], y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(box.left() + box.width() * score.share, y), 4.5, 4.5)
    solved = f"{number(score.solved)}/{score.tasks}"
    _say(painter, QRectF(box.right() + 10, y - 10, 62, 20), solved, "text", weight=600, size=9.5)
    interval = f"{100 * score.low:.0f}–{100 * score.high:.0f} %" if score.tasks else ""
    painter.setFont(theme.font(9.5, 600))
    left = box.right() + 16 + painter.fontMetrics().horizontalAdvance(solved)
    _say(painter, QRectF(left, y - 10, 84, 20), interval, "muted", size=9)
