"""The row above the lanes: title, plan, scrolling together, a new conversation. Part of the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from playground.ui import compare_words as words
from playground.ui.by_name import set_by_name
from playground.ui.icons import icon
from playground.ui.meters import ElidedLabel, label

if TYPE_CHECKING:
    from playground.compare.events import WantedPlan
    from playground.ui.compare_state import CompareState

_PLANS: tuple[tuple[WantedPlan, str, str], ...] = (
    ("auto", "Automatic", "Plan: automatic"),
    ("together", "Together", "Plan: together"),
    ("sequential", "One after the other (fair clock)", "Plan: fair clock"),
)


class CompareTop(QWidget):
    """Shows a state; emits what was asked for."""

    plan_chosen = Signal(str)
    new_wanted = Signal()
    sync_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._title = ElidedLabel()
        self._title.setProperty("role", "muted")
        self._wanted: WantedPlan = "auto"
        self._menu: QMenu | None = None
        self.plan = _flat(_shown(self._wanted), words.PLAN_TIP)
        self.plan.clicked.connect(self._open_menu)
        self.sync = _flat("Sync scroll", "Scroll both answers together")
        self.sync.setCheckable(True)
        self.sync.toggled.connect(self.sync_toggled)
        self.new = _flat("New", "Forget both conversations  (Ctrl+N)")
        self.new.clicked.connect(self.new_wanted)
        row.addWidget(label("Compare", "h1"))
        row.addWidget(self._title, 1)
        for button in (self.plan, self.sync, self.new):
            row.addWidget(button)

    def stops(self) -> list[QWidget]:
        """Return what the keyboard reaches, in order."""
        return [self.plan, self.sync, self.new]

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        for button, name in ((self.plan, "plan"), (self.sync, "link"), (self.new, "new")):
            button.setIcon(icon(name, size=16))

    def render_state(self, state: CompareState) -> None:
        """Show a state; sets only what differs."""
        self._title.set_whole_text(state.title)
        self.new.setEnabled(not state.is_running)
        self._wanted = state.wanted
        self.plan.setText(_shown(state.wanted))
        self.plan.setAccessibleName(_shown(state.wanted))
        self.plan.setToolTip(words.plan_tip(state))
        self.plan.setAccessibleDescription(words.plan_reason(state))

    def _open_menu(self) -> None:
        menu = self._menu = self._menu or self._make_menu()
        for action in menu.actions():
            action.setChecked(action.data() == self._wanted)
        menu.popup(self.plan.mapToGlobal(self.plan.rect().bottomLeft()))

    def _make_menu(self) -> QMenu:
        menu = QMenu(self.plan)
        menu.setAccessibleName("Plans")
        for wanted, text, _button_text in _PLANS:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setData(wanted)
            action.triggered.connect(lambda _checked=False, w=wanted: self.plan_chosen.emit(w))
        return menu


def _shown(plan: WantedPlan) -> str:
    return next(shown for wanted, _text, shown in _PLANS if wanted == plan)


def _flat(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName("flat")
    made.setAccessibleName(text)
    made.setToolTip(tip)
    made.setIconSize(QSize(16, 16))
    set_by_name(made, focusPolicy="StrongFocus")
    return made
