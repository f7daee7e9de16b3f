"""Small widgets that the places of the Results screen share: captioned figures, tinted sentences, notes, parts of a bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from playground.ui import theme
from playground.ui.library.kit import STRETCH, IconLabel, Item, column, frame, row, set_shown, set_text
from playground.ui.meters import label

CARD = (18, 13, 18, 13)


def card(*items: Item, gap: int = 6, margins: tuple[int, int, int, int] = CARD) -> QFrame:
    """Return a card with things below each other."""
    return frame("card", column(*items, gap=gap, margins=margins))


def wrapped(text: str = "", role: str = "", name: str = "") -> QLabel:
    """Return a label of plain text that breaks its lines."""
    made = label(text, role, name)
    made.setWordWrap(True)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return made


class Tinted(QLabel):
    """A sentence as safe HTML, in which ``{a}`` and ``{b}`` stand for the lanes' colours."""

    def __init__(self) -> None:
        super().__init__()
        self._html = ""
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setProperty("role", "body")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_html(self, html: str) -> None:
        """Show another sentence."""
        if html != self._html:
            self._html = html
            self.draw()
        set_shown(self, bool(html))

    def draw(self) -> None:
        """Show it in the colours in force."""
        colours = theme.current()
        self.setText(self._html.replace("{a}", colours.a).replace("{b}", colours.b))


class Figure(QWidget):
    """A caption, a bold value, a remark below."""

    def __init__(self) -> None:
        super().__init__()
        self._caption, self._value, self._remark = label("", "k"), label("", "v"), label("", "small")
        self.setLayout(column(STRETCH, self._caption, self._value, self._remark, STRETCH, gap=0))

    def show_figure(self, caption: str, value: str, remark: str) -> None:
        """Show another figure."""
        for shown, text in ((self._caption, caption), (self._value, value), (self._remark, remark)):
            set_text(shown, text)
        self._value.setAccessibleName(f"{caption}: {value}, {remark}")


class Notes(QWidget):
    """Sentences that must be read, each on a strip; none: nothing is shown."""

    def __init__(self, *, bad: bool = False, warn: bool = False) -> None:
        super().__init__()
        self._name = "noteBad" if bad else "noteWarn" if warn else "note"
        self._tint = "bad" if bad else "warn" if warn else "muted"
        self._shown: tuple[str, ...] = ()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(6)
        self.hide()

    def show_notes(self, notes: Sequence[str]) -> None:
        """Show other sentences."""
        if tuple(notes) == self._shown:
            return
        self._shown = tuple(notes)
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for text in notes:
            self._rows.addWidget(self._strip(text))
        set_shown(self, bool(notes))

    def _strip(self, text: str) -> QFrame:
        words = wrapped(text)
        words.setAccessibleName(text)
        mark = IconLabel("alert", self._tint, 16)
        return frame(self._name, row(mark, (words, 1), gap=8, margins=(10, 5, 10, 5)))


class PartsBar(QWidget):
    """A bar of parts, each a share of the whole in a colour of the theme."""

    def __init__(self, name: str, height: int = 10) -> None:
        super().__init__()
        self._parts: tuple[tuple[float, str], ...] = ()
        self.setFixedHeight(height)
        self.setAccessibleName(name)

    def show_parts(self, parts: Sequence[tuple[float, str]], words: str) -> None:
        """Show other parts; ``words`` say them."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.update()
        self.setAccessibleDescription(words)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the parts."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, clip = QRectF(self.rect()), QPainterPath()
        clip.addRoundedRect(area, area.height() / 2, area.height() / 2)
        painter.setClipPath(clip)
        painter.fillRect(area, QColor(theme.current().line))
        x = 0.0
        for share, token in self._parts:
            width = area.width() * share
            painter.fillRect(QRectF(x, 0, width, area.height()), QColor(getattr(theme.current(), token)))
            x += width
        painter.end()


class ChipRow(QWidget):
    """Chips of which one is chosen. ``chosen`` is called with its kind."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._chips: dict[str, QPushButton] = {}
        self._row = row(gap=6)
        self.setLayout(self._row)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def group(self) -> QButtonGroup:
        """Return the buttons' group; a button's kind is its property ``kind``."""
        return self._group

    def show_chips(self, chips: Sequence[tuple[str, str]], chosen: str) -> None:
        """Show other chips, kind and words, where they differ; and which one is chosen."""
        if [kind for kind, _ in chips] != list(self._chips):
            self._replace([kind for kind, _ in chips])
        for kind, text in chips:
            made = self._chips[kind]
            if text != made.text():
                made.setText(text)
                made.setAccessibleName(text)
                made.setMinimumWidth(_bold_width(text))
            if made.isChecked() != (kind == chosen):
                made.setChecked(kind == chosen)

    def chip(self, kind: str) -> QPushButton:
        """Return a chip by its kind."""
        return self._chips[kind]

    def _replace(self, kinds: Sequence[str]) -> None:
        for old in self._chips.values():
            self._group.removeButton(old)
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._chips = {}
        for kind in kinds:
            made = QPushButton()
            made.setObjectName("chip")
            made.setCheckable(True)
            made.setProperty("kind", kind)
            made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self._group.addButton(made)
            self._row.addWidget(made)
            self._chips[kind] = made


def _bold_width(text: str) -> int:
    from PySide6.QtGui import QFontMetrics

    return QFontMetrics(theme.font(9, 600)).horizontalAdvance(text) + 26
