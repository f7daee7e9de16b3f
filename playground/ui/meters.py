"""Small things that show a figure: labels, a metric, a sparkline, a memory bar, a letter tile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtCore
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from playground.ui import theme
from playground.ui.by_name import set_by_name


def label(text: str = "", role: str = "", name: str = "") -> QLabel:
    """Return a label with a role of the style sheet."""
    made = QLabel(text)
    set_by_name(made, textFormat="PlainText")
    if role:
        made.setProperty("role", role)
    if name:
        made.setAccessibleName(name)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Change a widget's role and its looks, when it differs."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def plain_tip(text: str) -> str:
    """Return a text as a tool tip that shows it as it is: Qt takes what looks like HTML for HTML."""
    if "<" not in text and "&" not in text:
        return text
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<qt>{escaped}</qt>"


class ElidedLabel(QLabel):
    """A label that shortens its text to its width; the whole text is its tool tip and accessible name."""

    def set_whole_text(self, text: str, tip: str = "") -> None:
        """Show a text, shortened at the right where it must be; ``tip`` says more than the text."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
        shown = plain_tip(tip or text)
        if self.toolTip() != shown:
            self.setToolTip(shown)
            self.setAccessibleDescription(tip)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Return a width that any layout can give."""
        return QSize(20, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the shortened text."""
        if not self.text():
            return
        qt = QtCore.Qt
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        text = self.fontMetrics().elidedText(self.text(), qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(qt.AlignmentFlag.AlignVCenter | qt.AlignmentFlag.AlignLeft), text)
        painter.end()


class Metric(QWidget):
    """A caption above a bold value, whose width does not jump; a remark may stand behind the value."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._caption = label(caption, "k")
        self._value, self._remark = label("", "v"), label("", "small")
        set_by_name(self._remark, alignment="AlignLeft|AlignBottom")
        self._remark.hide()
        self._least_width = self._value.fontMetrics().horizontalAdvance("000.0 M")
        self._value.setMinimumWidth(self._least_width)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._value)
        row.addWidget(self._remark)
        row.addStretch()
        layout.addWidget(self._caption)
        layout.addLayout(row)
        self.show_value("–")

    def show_value(self, value: str, remark: str = "", tip: str = "") -> None:
        """Show a value and a remark; caption, value and remark are the accessible name. ``tip`` says more."""
        if remark != self._remark.text():
            self._remark.setText(remark)
            self._remark.setVisible(bool(remark))
            self._value.setMinimumWidth(0 if remark else self._least_width)
            self._value.clear()  # a label keeps the width of its text until that changes
        if value != self._value.text():
            self._value.setText(value)
        self._value.setAccessibleName(" ".join(filter(None, (self._caption.text(), value, remark))))
        if tip != self._caption.toolTip():
            for part in (self._caption, self._value):
                part.setToolTip(tip)
                part.setAccessibleDescription(tip)


class Sparkline(QWidget):
    """The last speeds as a line; colours follow the lane's letter."""

    def __init__(self, slot: str) -> None:
        super().__init__()
        self._slot = slot
        self._values: tuple[float, ...] = ()
        self.setFixedHeight(26)
        self.setMinimumWidth(36)
        self.setMaximumWidth(92)
        self.setAccessibleName("Speed history")

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Return the size where there is room; a narrow lane gives less."""
        return QSize(92, 26)

    def show_values(self, values: Sequence[float]) -> None:
        """Show samples, oldest first."""
        if tuple(values) != self._values:
            self._values = tuple(values)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the line and the area below it."""
        values = self._values
        if len(values) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height, top = self.width() - 2.0, self.height() - 4.0, max(values) * 1.15 or 1.0
        steps = max(12, len(values) - 1)
        first = steps - len(values) + 1
        points = [
            QPointF(1 + width * (first + index) / steps, 2 + height - height * value / top)
            for index, value in enumerate(values)
        ]
        line = QPainterPath(points[0])
        for point in points[1:]:
            line.lineTo(point)
        area = QPainterPath(line)
        area.lineTo(points[-1].x(), self.height())
        area.lineTo(points[0].x(), self.height())
        colour = slot_colour(self._slot)
        pale = QColor(colour)
        pale.setAlpha(38)
        painter.fillPath(area, pale)
        painter.setPen(QPen(colour, 1.6))
        painter.drawPath(line)
        painter.end()


class MemoryBar(QFrame):
    """The machine's memory: ours, what others use, and what is free. The style sheet paints what is free."""

    def __init__(self) -> None:
        super().__init__()
        self._ours = self._others = 0.0
        self.setObjectName("memorybar")
        self.setFixedSize(120, 6)
        self.setAccessibleName("Memory in use")

    def show_shares(self, ours: float, others: float) -> None:
        """Show shares of the whole, 0 to 1."""
        if (ours, others) != (self._ours, self._others):
            self._ours, self._others = ours, others
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the two parts that are in use."""
        super().paintEvent(event)
        if not self._ours + self._others:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect, colours = QRectF(self.rect()), theme.current()
        clip = QPainterPath()
        clip.addRoundedRect(rect, 3, 3)
        painter.setClipPath(clip)
        used = rect.width() * min(self._ours + self._others, 1.0)
        painter.fillRect(QRectF(0, 0, used, rect.height()), QColor(colours.faint))
        painter.fillRect(QRectF(0, 0, rect.width() * self._ours, rect.height()), QColor(colours.accent))
        painter.end()


class Tile(QLabel):
    """A lane's letter on its colour."""

    SIZE = 20  # pixels

    def __init__(self, slot: str) -> None:
        super().__init__(slot)
        self.setProperty("role", f"tile{slot}")
        self.setFixedSize(self.SIZE, self.SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_by_name(self, textFormat="PlainText", alignment="AlignCenter")


def slot_colour(slot: str) -> QColor:
    """Return a lane's colour."""
    colours = theme.current()
    return QColor(colours.a if slot == "A" else colours.b)
