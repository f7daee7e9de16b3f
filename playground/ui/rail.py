"""The rail at the window's left edge: which page is shown, and the theme. Knows pages by name, not what they do."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout

from playground.ui import theme
from playground.ui.by_name import set_by_name
from playground.ui.icons import icon

PAGES = ("compare", "library", "results")
THEMES = ("system", "light", "dark")
_THEME_ICONS = {"system": "system", "light": "sun", "dark": "moon"}


class Rail(QFrame):
    """One button for each page, and one that goes through the themes."""

    page_wanted = Signal(str)
    theme_wanted = Signal()

    def __init__(self, theme_name: str) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setFixedWidth(78)
        self._theme_name = theme_name
        self._page = PAGES[0]
        self._buttons = {name: _button(name.capitalize()) for name in PAGES}
        self._theme_button = _button("System")
        self._theme_button.setAccessibleName("Theme")
        self._theme_button.setToolTip("Colours: system, light, dark")
        self._theme_button.clicked.connect(self.theme_wanted)
        self._lay_out()
        self.show_page(self._page)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(4)
        for number, (name, button) in enumerate(self._buttons.items(), 1):
            button.setCheckable(True)
            button.setToolTip(f"{name.capitalize()} (Ctrl+{number})")
            button.clicked.connect(lambda _checked=False, wanted=name: self._click(wanted))
            column.addWidget(button)
        column.addStretch()
        column.addWidget(self._theme_button)

    def show_page(self, page: str) -> None:
        """Mark the page that is shown."""
        self._page = page
        for name, button in self._buttons.items():
            button.setChecked(name == page)
        self.recolour()

    def show_theme(self, name: str) -> None:
        """Say which theme was chosen: system may look like light, so the button says more than the colours."""
        self._theme_name = name
        self.recolour()

    def recolour(self) -> None:
        """Draw the icons in the colours of the theme."""
        for name, button in self._buttons.items():
            color = theme.current().accent if name == self._page else None
            button.setIcon(icon(name, color, 22))
        self._theme_button.setIcon(icon(_THEME_ICONS[self._theme_name], size=22))
        self._theme_button.setText(self._theme_name.capitalize())
        self._theme_button.setAccessibleDescription(self._theme_name)

    def _click(self, page: str) -> None:
        self._buttons[page].setChecked(page == self._page)  # until the page is there
        self.page_wanted.emit(page)


def _button(text: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setAccessibleName(text)
    made.setIconSize(QSize(22, 22))
    set_by_name(made, toolButtonStyle="ToolButtonTextUnderIcon")
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made
