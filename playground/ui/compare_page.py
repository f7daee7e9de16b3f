"""The Compare page: two lanes, the sentence about them, the prompt. Renders states, forwards intents.

It is made as it looks without models, and painted so before the view-model and what that needs are imported;
``connect_to`` then brings it to life.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from playground.ui import theme
from playground.ui.icons import icon
from playground.ui.lane import LaneCard
from playground.ui.meters import ElidedLabel, label
from playground.ui.prompt_box import PromptBox
from playground.ui.scroll_sync import ScrollSync

if TYPE_CHECKING:
    from playground.compare.events import WantedPlan
    from playground.compare.prompts import Prompt
    from playground.ui.compare_state import CompareState
    from playground.ui.compare_vm import CompareVm

SLOTS = ("A", "B")
FRAME_MS = 33
_PLANS: tuple[tuple[WantedPlan, str], ...] = (
    ("auto", "Automatic"),
    ("together", "Together"),
    ("sequential", "One after the other (fair clock)"),
)
_PLAN_WORDS = {"auto": "Plan: automatic", "together": "Plan: together", "sequential": "Plan: fair clock"}


class ComparePage(QWidget):
    """One timer serves all lanes and meters; it rests while nothing streams."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = {slot: LaneCard(slot) for slot in SLOTS}
        self.prompt = PromptBox()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addLayout(self._top())
        layout.addWidget(self._splitter(), 1)
        self._sentence = ElidedLabel()
        layout.addWidget(self._sentence)
        layout.addWidget(self.prompt)
        self._set_tab_order()
        self._set_icons()
        theme.notifier().changed.connect(self._recolour)

    def connect_to(
        self, vm: CompareVm, prompts: Sequence[Prompt], quant_types: tuple[str, ...], cores: int
    ) -> None:
        """Show a view-model's states and send it the user's intents; the rest is what the menus offer."""
        self.prompt.offer(prompts)
        for card in self.lanes.values():
            card.offer(quant_types, cores)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(lambda: self._frame(vm))
        self._make_plan_menu(vm)
        self._connect(vm)
        self.render_state(vm.state)

    def _top(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._title = label("", "muted")
        self.plan = _flat("Plan", "How the models share the machine")
        self.plan.setText(_PLAN_WORDS["auto"])
        self.sync = _flat("Sync scroll", "Scroll both answers together")
        self.sync.setCheckable(True)
        self.new = _flat("New", "Forget both conversations  (Ctrl+N)")
        row.addWidget(label("Compare", "h1"))
        row.addWidget(self._title)
        row.addStretch()
        for button in (self.plan, self.sync, self.new):
            row.addWidget(button)
        return row

    def _make_plan_menu(self, vm: CompareVm) -> None:
        menu = self._plan_menu = QMenu(self.plan)
        for wanted, text in _PLANS:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setData(wanted)
            action.triggered.connect(lambda _checked=False, w=wanted: vm.set_plan(w))
        self.plan.clicked.connect(lambda: menu.popup(self.plan.mapToGlobal(self.plan.rect().bottomLeft())))

    def _splitter(self) -> QSplitter:
        splitter = self._panes = QSplitter()
        splitter.setHandleWidth(12)
        splitter.setChildrenCollapsible(False)
        for index, card in enumerate(self.lanes.values()):
            splitter.addWidget(card)
            splitter.setStretchFactor(index, 1)
        for card in reversed(self.lanes.values()):
            card.lower()  # a splitter reverses its widgets, and screen readers read them in that order
        splitter.setSizes([1000] * len(self.lanes))
        self._scroll_sync = ScrollSync([card.transcript for card in self.lanes.values()])
        return splitter

    def _connect(self, vm: CompareVm) -> None:
        from PySide6.QtGui import QKeySequence, QShortcut

        vm.changed.connect(self.render_state)
        vm.streaming.connect(self._wake)
        self.prompt.run_wanted.connect(vm.run)
        self.prompt.run_wanted.connect(self.prompt.clear)
        self.sync.toggled.connect(self._scroll_sync.set_enabled)
        self.new.clicked.connect(vm.new_conversation)
        for slot, card in self.lanes.items():
            card.stop_wanted.connect(lambda s=slot: vm.stop(s))
            card.again_wanted.connect(lambda s=slot: vm.regenerate(s))
            card.model_chosen.connect(lambda ref, s=slot: vm.choose_model(s, ref))
            card.copy_wanted.connect(lambda quant, s=slot: vm.make_copy(s, quant))
            card.options_chosen.connect(lambda load, answer, s=slot: vm.set_options(s, load, answer))
        QShortcut(QKeySequence("Ctrl+Return"), self, self.prompt.submit)
        QShortcut(QKeySequence("Ctrl+Enter"), self, self.prompt.submit)
        QShortcut(QKeySequence("Esc"), self, lambda: vm.stop(None))
        QShortcut(QKeySequence("Ctrl+N"), self, vm.new_conversation)

    def _set_tab_order(self) -> None:
        cards = list(self.lanes.values())
        order: list[QWidget] = [self.prompt.editor, self.prompt.prompts, self.prompt.run]
        for card in cards:
            order += [
                card.header.model,
                card.transcript,
                card.stop,
                card.again,
                card.settings,
                card.next_step,
            ]
        order += [self.plan, self.sync, self.new]
        for first, second in itertools.pairwise(order):
            QWidget.setTabOrder(first, second)

    def render_state(self, state: CompareState) -> None:
        """Show a state; sets only what differs."""
        cards = list(self.lanes.items())
        for slot, card in cards:
            other = next(lane for lane in state.lanes if lane.slot != slot)
            card.render_state(state.lane(slot), other, state.models, state.can_run)
        self._title.setText(state.title)
        self._sentence.set_whole_text(state.sentence)
        for action in self._plan_menu.actions():
            action.setChecked(action.data() == state.wanted)
        self.plan.setText(_PLAN_WORDS[state.wanted])
        self.new.setEnabled(not state.is_running)
        why = "Wait for the answers, or stop them with Esc." if state.is_running else "Choose a model first."
        self.prompt.render_state(state.can_run, why)

    def _wake(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _frame(self, vm: CompareVm) -> None:
        for slot, card in self.lanes.items():
            card.apply_steps(vm.take_steps(slot))
        vm.flush()
        if not vm.state.is_running:
            self._timer.stop()

    def _recolour(self) -> None:
        self._set_icons()
        for card in self.lanes.values():
            card.transcript.set_theme()

    def _set_icons(self) -> None:
        self.plan.setIcon(icon("plan", size=16))
        self.sync.setIcon(icon("link", size=16))
        self.new.setIcon(icon("new", size=16))
        self.prompt.set_icons()
        for card in self.lanes.values():
            card.set_icons()


def _flat(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName("flat")
    made.setToolTip(tip)
    made.setIconSize(QSize(16, 16))
    return made
