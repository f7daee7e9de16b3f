"""The row above the lanes: title, plan, scrolling together, a new conversation."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from playground.compare.events import WantedPlan
from playground.ui import compare_words as words
from playground.ui.compare_state import CompareState
from playground.ui.icons import icon
from playground.ui.meters import ElidedLabel, label

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
        self.plan = _flat("Plan", "")
        self._menu = QMenu(self.plan)
        self._menu.setAccessibleName("Plans")
        for wanted, text, _button_text in _PLANS:
            action = self._menu.addAction(text)
            action.setCheckable(True)
            action.setData(wanted)
            action.triggered.connect(lambda _checked=False, w=wanted: self.plan_chosen.emit(w))
        self.plan.clicked.connect(
            lambda: self._menu.popup(self.plan.mapToGlobal(self.plan.rect().bottomLeft()))
        )
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
        for action in self._menu.actions():
            action.setChecked(action.data() == state.wanted)
        self.plan.setText(next(shown for wanted, _text, shown in _PLANS if wanted == state.wanted))
        self.plan.setToolTip(words.plan_tip(state))
        self.plan.setAccessibleDescription(words.plan_reason(state))


def _flat(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName("flat")
    made.setAccessibleName(text)
    made.setToolTip(tip)
    made.setIconSize(QSize(16, 16))
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made
