"""Pieces that all tabs of the Library are made of: buttons, menus, frames, notes, and what stands in an empty place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from playground.ui import theme
from playground.ui.icons import icon
from playground.ui.meters import label, set_role

_L = TypeVar("_L", bound=QBoxLayout)
Margins = tuple[int, int, int, int]
Item = QWidget | QLayout | int | None | tuple[QWidget | QLayout, int]
NONE: Margins = (0, 0, 0, 0)
STRETCH = -1


def row(*items: Item, gap: int = 8, margins: Margins = NONE) -> QHBoxLayout:
    """Return things side by side; a number is a space, ``STRETCH`` takes what is left, a pair has a share of it."""
    return _filled(QHBoxLayout(), items, gap, margins)


def column(*items: Item, gap: int = 8, margins: Margins = NONE) -> QVBoxLayout:
    """Return things below each other, as in ``row``."""
    return _filled(QVBoxLayout(), items, gap, margins)


def _filled(layout: _L, items: Sequence[Item], gap: int, margins: Margins) -> _L:
    layout.setSpacing(gap)
    layout.setContentsMargins(*margins)
    for item in items:
        one, share = item if isinstance(item, tuple) else (item, 0)
        if isinstance(one, QWidget):
            layout.addWidget(one, share)
        elif isinstance(one, QLayout):
            layout.addLayout(one, share)
        elif isinstance(one, int):
            layout.addStretch() if one == STRETCH else layout.addSpacing(one)
    return layout


def frame(name: str, layout: QLayout) -> QFrame:
    """Return a frame with a name of the style sheet."""
    made = QFrame()
    made.setObjectName(name)
    made.setLayout(layout)
    return made


def plain(layout: QLayout) -> QWidget:
    """Return a widget without looks."""
    made = QWidget()
    made.setObjectName("clear")
    made.setLayout(layout)
    return made


def scrolled(inner: QWidget) -> QScrollArea:
    """Return an area that scrolls up and down only, and that the keyboard does not stop at."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    inner.setObjectName("clear")
    area.setWidget(inner)
    area.viewport().setAutoFillBackground(False)
    return area


def pill(text: str = "", role: str = "plain", tip: str = "") -> QLabel:
    """Return a label that is as wide as its words."""
    made = label(text, role)
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    made.setToolTip(tip)
    return made


def show_pill(shown: QLabel, text: str, role: str, tip: str = "") -> None:
    """Change a pill's words and colour, where they differ; without words it is hidden."""
    if text != shown.text():
        shown.setText(text)
    set_role(shown, role)
    if tip != shown.toolTip():
        shown.setToolTip(tip)
    set_shown(shown, bool(text))


def set_text(shown: QLabel, text: str) -> None:
    """Change a label's text, where it differs."""
    if text != shown.text():
        shown.setText(text)


def set_shown(widget: QWidget, on: bool) -> None:
    """Show or hide a widget, where it differs."""
    if widget.isHidden() == on:
        widget.setVisible(on)


def button(text: str, icon_name: str = "", tip: str = "", *, kind: str = "", name: str = "") -> QPushButton:
    """Return a button. ``kind``: primary, flat, square or none; ``name``: what a screen reader says."""
    made = QPushButton(text)
    made.setObjectName(kind)
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    made.setIconSize(QSize(16, 16))
    made.setProperty("icon_name", icon_name)
    made.setToolTip(tip or text)
    made.setAccessibleName(name or text or tip)
    draw_icon(made)
    return made


def set_button(made: QPushButton, text: str, icon_name: str, *, primary: bool = False, tip: str = "") -> None:
    """Change what a button says and how much it stands out, where that differs."""
    if text != made.text():
        made.setText(text)
        made.setAccessibleName(text)
    if (tip or text) != made.toolTip():
        made.setToolTip(tip or text)
    kind = "primary" if primary else ""
    if icon_name != made.property("icon_name") or kind != made.objectName():
        made.setProperty("icon_name", icon_name)
        made.setObjectName(kind)
        made.style().unpolish(made)
        made.style().polish(made)
        draw_icon(made)


def draw_icon(made: QPushButton) -> None:
    """Draw a button's icon in the colours in force."""
    if name := made.property("icon_name"):
        primary = made.objectName() == "primary"
        made.setIcon(icon(name, theme.current().onaccent if primary else None, 16))


class IconLabel(QLabel):
    """A picture in a colour of the theme."""

    def __init__(self, name: str, tint: str = "muted", size: int = 16) -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self.show_icon(name, tint)

    def show_icon(self, name: str, tint: str) -> None:
        """Show another picture."""
        self._name, self._tint = name, tint
        self.draw()

    def draw(self) -> None:
        """Draw it in the colours in force."""
        colour = getattr(theme.current(), self._tint)
        self.setPixmap(icon(self._name, colour, self.width()).pixmap(self.size()))


def recolour(root: QWidget) -> None:
    """Draw all icons below a widget in the colours in force."""
    for made in root.findChildren(QPushButton):
        draw_icon(made)
    for shown in root.findChildren(IconLabel):
        shown.draw()


class DropButton(QPushButton):
    """A button that shows one of several choices and opens them as a menu. Emits the value that was chosen."""

    chosen = Signal(object)

    def __init__(self, name: str, choices: Sequence[tuple[Any, str]], tip: str = "") -> None:
        super().__init__()
        self._name, self._choices = name, tuple(choices)
        self._value: Any = None
        self._menu: QMenu | None = None
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setIconSize(QSize(12, 12))
        self.setProperty("icon_name", "down")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(tip or name)
        self.clicked.connect(self.open_menu)
        draw_icon(self)
        self.show_value(self._choices[0][0])

    def show_value(self, value: Any) -> None:  # noqa: ANN401 -- whatever the choices hold
        """Show which choice is in force."""
        self._value = value
        words = next((text for one, text in self._choices if one == value), str(value))
        text = f"{self._name}: {words[:1].lower()}{words[1:]}" if self._name else words
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)

    def open_menu(self) -> None:
        """Open the choices below the button."""
        menu = self._menu = self._menu or self._make_menu()
        for action in menu.actions():
            action.setChecked(action.data() == self._value)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def choose(self, value: Any) -> None:  # noqa: ANN401 -- whatever the choices hold
        """Take a choice as if it had been clicked."""
        self.show_value(value)
        self.chosen.emit(value)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAccessibleName(self.toolTip())
        for value, text in self._choices:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setData(value)
            action.triggered.connect(lambda _on=False, v=value: self.choose(v))
        return menu


def rule() -> QFrame:
    """Return a line across."""
    made = QFrame()
    made.setObjectName("rule")
    return made


def on_click(made: QPushButton, then: Callable[[], object]) -> QPushButton:
    """Connect a button and return it."""
    made.clicked.connect(lambda _on=False: then())
    return made
