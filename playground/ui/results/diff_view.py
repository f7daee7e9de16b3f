"""Paints a program with line numbers, syntax colours and what has changed; side by side, or both in one column."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from playground.ui import theme
from playground.ui.library.paint import LEFT, RIGHT, colour
from playground.ui.results.code_diff import How, Line, Span, Unified, lines_of
from playground.ui.transcript.highlight import START, Run, lexer_for, runs_of_line

_LINE, _TOP, _NUMBERS, _BAR = 20, 6, 40, 3
_LONGEST_PAINTED = 2000


class _Row:
    """One painted line: its numbers, text, colours, whose it is, and what of it has changed."""

    __slots__ = ("how", "numbers", "runs", "spans", "text", "token")

    def __init__(
        self, numbers: str, text: str | None, runs: list[Run], token: str, spans: tuple[Span, ...], how: How
    ) -> None:
        self.numbers, self.text, self.runs = numbers, text, runs
        self.token, self.spans, self.how = token, spans, how


class CodeView(QWidget):
    """Paints the lines in sight only. A screen reader gets the whole program as the description."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._numbers = _NUMBERS
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_side(self, code: str, lines: Sequence[Line], language: str, token: str) -> None:
        """Show one program."""
        texts, runs = _coloured(code, language)
        self._numbers = _NUMBERS
        self._rows = [
            _Row("", None, [], token, (), "")
            if line.number is None
            else _Row(
                str(line.number + 1), texts[line.number], runs[line.number], token, line.spans, line.how
            )
            for line in lines
        ]
        self._settle(code)

    def show_unified(self, codes: tuple[str, str], lines: Sequence[Unified], language: str) -> None:
        """Show both programs in one column."""
        both = [_coloured(code, language) for code in codes]
        self._numbers = 2 * _NUMBERS - 8
        self._rows = []
        for line in lines:
            side = line.side or 0
            number = line.numbers[side]
            assert number is not None
            numbers = " ".join(("" if n is None else str(n + 1)).rjust(4) for n in line.numbers)
            texts, runs = both[side]
            token = "text" if line.side is None else "ab"[side]
            self._rows.append(_Row(numbers, texts[number], runs[number], token, line.spans, line.how))
        self._settle("\n".join(codes))

    def _settle(self, code: str) -> None:
        self.setAccessibleDescription(code[:20_000])
        font = theme.font(9.25, mono=True)
        self._char = QFontMetricsF(font).horizontalAdvance(" ")
        longest = max((len(row.text or "") for row in self._rows), default=0)
        self._size = QSize(
            int(self._numbers + 16 + min(longest, _LONGEST_PAINTED) * self._char),
            len(self._rows) * _LINE + 2 * _TOP,
        )
        self.setMinimumSize(self._size)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Return the size of all lines."""
        return self._size if self._rows else QSize(100, 100)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the lines in sight."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), colour("code"))
        painter.fillRect(QRectF(0, 0, self._numbers - 8, self.height()), colour("codehead"))
        first = max(0, (event.rect().top() - _TOP) // _LINE)
        last = (event.rect().bottom() - _TOP) // _LINE + 1
        for place in range(first, min(last, len(self._rows))):
            self._paint_row(painter, self._rows[place], _TOP + place * _LINE)
        painter.end()

    def _paint_row(self, painter: QPainter, row: _Row, y: float) -> None:
        edge = self._numbers - 8
        area = QRectF(edge, y, self.width() - edge, _LINE)
        if row.text is None:
            _hatch(painter, area)
            return
        if row.how:
            self._paint_change(painter, row, area)
        painter.setFont(theme.font(8.25, mono=True))
        painter.setPen(colour("faint"))
        painter.drawText(QRectF(0, y, edge - 7, _LINE), RIGHT, row.numbers)
        painter.setFont(theme.font(9.25, mono=True))
        x, left = float(self._numbers), _LONGEST_PAINTED
        for text, token in row.runs:
            text = text[:left]  # noqa: PLW2901 -- the rest of a very long line is not painted
            left -= len(text)
            painter.setPen(colour(token))
            painter.drawText(QRectF(x, y, self._char * len(text) + 9, _LINE), LEFT, text)
            x += self._char * len(text)

    def _paint_change(self, painter: QPainter, row: _Row, area: QRectF) -> None:
        soft, strong = colour(row.token), colour(row.token)
        soft.setAlpha(22)
        strong.setAlpha(70)
        painter.fillRect(area, soft)
        painter.fillRect(QRectF(area.left() - _BAR, area.top(), _BAR, area.height()), colour(row.token))
        text = row.text or ""
        spans = ((len(text) - len(text.lstrip()), len(text)),) if row.how == "all" else row.spans
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(strong)
        for start, end in spans:
            if end > start and start < _LONGEST_PAINTED:
                left = self._numbers + start * self._char
                painter.drawRoundedRect(
                    QRectF(left - 1, area.top() + 2, (end - start) * self._char + 2, _LINE - 4), 3, 3
                )


def _coloured(code: str, language: str) -> tuple[list[str], list[list[Run]]]:
    lexer, state = lexer_for(language), START
    texts, found = lines_of(code), []
    for text in texts:
        if len(text) > _LONGEST_PAINTED:
            found.append([(text[:_LONGEST_PAINTED], "text")])
            continue
        runs, state = runs_of_line(lexer, text, state)
        found.append(runs)
    return texts, found


def _hatch(painter: QPainter, area: QRectF) -> None:
    painter.fillRect(area, colour("raised"))
    painter.save()
    painter.setClipRect(area)
    painter.setPen(QPen(colour("line"), 1))
    x = area.left() - area.height()
    while x < area.right():
        painter.drawLine(QLineF(x, area.bottom(), x + area.height(), area.top()))
        x += 8
    painter.restore()


def scrolling(view: CodeView) -> QScrollArea:
    """Return a view in an area that the keyboard can scroll."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setAccessibleName(view.accessibleName())
    area.setWidget(view)
    return area
