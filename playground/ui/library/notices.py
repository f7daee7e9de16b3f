"""What stands where there is nothing to show: a skeleton while it comes, a plate with the next step, a note in a line."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from playground.ui import theme
from playground.ui.library.kit import (
    STRETCH,
    IconLabel,
    button,
    column,
    frame,
    on_click,
    row,
    set_shown,
)
from playground.ui.library.trouble import Trouble
from playground.ui.meters import label

_WIDEST, _NARROWEST = 460, 300


class Skeleton(QWidget):
    """Grey shapes where cards or rows will be."""

    def __init__(self, words: str, height: int, columns: int = 1, gap: int = 12) -> None:
        super().__init__()
        self._height, self._columns, self._gap = height, columns, gap
        self.setAccessibleName(words)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint as many as there is room for, paler and paler."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        width = (self.width() - self._gap * (self._columns - 1)) / self._columns
        rows = max(1, int(self.height() / (self._height + self._gap)))
        for index in range(rows * self._columns):
            down, across = divmod(index, self._columns)
            painter.setOpacity(1 - 0.8 * down / rows)
            area = QRectF(
                across * (width + self._gap), down * (self._height + self._gap), width, self._height
            )
            self._paint_one(painter, area)
        painter.end()

    def _paint_one(self, painter: QPainter, area: QRectF) -> None:
        colours = theme.current()
        painter.setBrush(QColor(colours.panel))
        painter.drawRoundedRect(area, 12, 12)
        painter.setBrush(QColor(colours.line))
        lines = max(2, int(area.height() // 34))
        for index in range(lines):
            share = (0.42, 0.26, 0.34)[index % 3]
            top = area.top() + (area.height() - lines * 24) / 2 + index * 24 + 7
            painter.drawRoundedRect(QRectF(area.left() + 16, top, area.width() * share, 10), 5, 5)
            painter.drawRoundedRect(QRectF(area.right() - 76, top, 60, 10), 5, 5)


class Plate(QWidget):
    """A picture, a title, a sentence, and what can be done, in the middle of a place."""

    retry_wanted = Signal()
    link_wanted = Signal(str)
    token_wanted = Signal()
    other_wanted = Signal()

    def __init__(self, other: str = "") -> None:
        super().__init__()
        self._url = ""
        self._icon = IconLabel("search", "faint", 34)
        self._title, self._text = label("", "h1"), label("", "muted")
        self._text.setWordWrap(True)
        for shown in (self._title, self._text):
            shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.retry = on_click(button("Try again", "redo"), self.retry_wanted.emit)
        self.link = on_click(
            button("Accept on huggingface.co", "open", kind="primary"),
            lambda: self.link_wanted.emit(self._url),
        )
        self.token = on_click(button("Enter a token…", "key"), self.token_wanted.emit)
        self.other = on_click(button(other), self.other_wanted.emit)
        buttons = column(
            row(STRETCH, self.link, self.token, STRETCH), row(STRETCH, self.retry, self.other, STRETCH)
        )
        for made in (self.link, self.token, self.retry, self.other):
            made.hide()
        self.setLayout(
            column(
                STRETCH,
                row(STRETCH, self._icon, STRETCH),
                self._title,
                row(STRETCH, self._text, STRETCH),
                4,
                buttons,
                STRETCH,
                STRETCH,
                gap=9,
                margins=(10, 16, 10, 16),
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Give the sentence as much width as it can be read in."""
        super().resizeEvent(event)
        self._text.setFixedWidth(max(120, min(_WIDEST, self.width() - 40)))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Return a width that does not depend on the one that it has."""
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def show_trouble(self, trouble: Trouble, *, other: bool = False) -> None:
        """Show a failure and the ways on."""
        self.show_words(trouble.title, trouble.text, trouble.icon, other=other)
        self._url = trouble.url
        set_shown(self.link, bool(trouble.url))
        set_shown(self.token, trouble.wants_token)
        set_shown(self.retry, trouble.can_retry)

    def show_words(self, title: str, text: str, icon_name: str, *, other: bool = False) -> None:
        """Show why there is nothing, without a failure."""
        self._icon.show_icon(icon_name, "faint")
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        for made in (self.link, self.token, self.retry):
            set_shown(made, False)
        set_shown(self.other, other)


class Note(QWidget):
    """A sentence in a coloured line, with a way on; hidden while it says nothing. ``tone``: "", Warn or Bad."""

    def __init__(self, icon_name: str = "alert", tone: str = "Bad", *buttons: QWidget) -> None:
        super().__init__()
        self._text = label("")
        self._text.setWordWrap(True)
        self.icon = IconLabel(icon_name, {"Bad": "bad", "Warn": "warn"}.get(tone, "muted"))
        line = row(self.icon, (self._text, 1), gap=8)
        ways = (
            row(STRETCH, *buttons) if len(buttons) > 1 else None
        )  # beside two buttons a sentence has no room
        for made in buttons[:1] if ways is None else ():
            line.addWidget(made)
        whole = column(line, ways, gap=4, margins=(10, 5, 6, 5))
        self.setLayout(column(frame(f"note{tone}", whole), gap=0))
        self.hide()

    def show_text(self, text: str) -> None:
        """Show a sentence, or go away without one."""
        if text != self._text.text():
            self._text.setText(text)
            self.setAccessibleName(text)
        set_shown(self, bool(text))

    @property
    def text(self) -> str:
        """Return what it says."""
        return self._text.text()
