"""The Compare page: two lanes, the sentence about them, the prompt. Renders states, forwards intents.

It is made as it looks without models, and painted so before the view-model and what that needs are imported;
``connect_to`` then brings it to life.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6 import QtCore
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from playground.ui import compare_words as words
from playground.ui import theme
from playground.ui.compare_top import CompareTop
from playground.ui.lane import LaneCard
from playground.ui.meters import ElidedLabel, label, set_role
from playground.ui.prompt_box import PromptBox
from playground.ui.scroll_sync import ScrollSync

if TYPE_CHECKING:
    from playground.compare.prompts import Prompt
    from playground.ui.compare_state import CompareState
    from playground.ui.compare_vm import CompareVm

SLOTS = ("A", "B")
FRAME_MS, SPARING_FRAME_MS = 33, 50  # where cores are few, painting takes from what the models compute with
_FEW_CORES = 4
_SIZE_HEIGHT = 14
_SIZE_NAME = "Size of the prompt"


class ComparePage(QWidget):
    """One timer serves all lanes and meters; it rests while nothing streams."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = {slot: LaneCard(slot) for slot in SLOTS}
        self.top = CompareTop()
        self.prompt = PromptBox()
        self._sentence = ElidedLabel()
        self._size = label("", "small", _SIZE_NAME)
        self._size.setFixedHeight(_SIZE_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 2)
        layout.setSpacing(10)
        layout.addWidget(self.top)
        layout.addWidget(self._splitter(), 1)
        layout.addWidget(self._sentence)
        layout.addLayout(self._prompt_and_size())
        self._set_tab_order()
        self._set_icons()
        theme.notifier().changed.connect(self._recolour)

    def connect_to(
        self, vm: CompareVm, prompts: Sequence[Prompt], quant_types: tuple[str, ...], cores: int
    ) -> None:
        """Show a view-model's states and send it the user's intents; the rest is what the menus offer."""
        self.prompt.offer(prompts)
        for card in self.lanes.values():
            card.offer(vm.models, quant_types, cores)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS if cores > _FEW_CORES else SPARING_FRAME_MS)
        self._timer.timeout.connect(lambda: self._frame(vm))
        self._connect(vm)
        self._add_keys(vm)
        self.render_state(vm.state)

    def _prompt_and_size(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(1)
        column.addWidget(self.prompt)
        column.addWidget(self._size)
        return column

    def _splitter(self) -> QSplitter:
        splitter = self.panes = QSplitter()
        splitter.setHandleWidth(12)
        splitter.setChildrenCollapsible(False)
        for index, card in enumerate(self.lanes.values()):
            splitter.addWidget(card)
            splitter.setStretchFactor(index, 1)
        splitter.setSizes([1000] * len(self.lanes))
        for card in self.lanes.values():
            card.raise_()  # a splitter lowers what it is given: a screen reader would read the last lane first
        self._scroll_sync = ScrollSync([card.transcript for card in self.lanes.values()])
        return splitter

    def _connect(self, vm: CompareVm) -> None:
        vm.changed.connect(self.render_state)
        vm.streaming.connect(self._wake)
        self.prompt.run_wanted.connect(lambda text: self._run(vm, text))
        self.prompt.settled.connect(vm.write_prompt)
        self.top.plan_chosen.connect(vm.set_plan)
        self.top.new_wanted.connect(vm.new_conversation)
        self.top.sync_toggled.connect(self._scroll_sync.set_enabled)
        for slot, card in self.lanes.items():
            card.stop_wanted.connect(lambda s=slot: vm.stop(s))
            card.again_wanted.connect(lambda s=slot: vm.regenerate(s))
            card.action_wanted.connect(lambda action, s=slot: vm.act(s, action))
            card.model_chosen.connect(lambda ref, s=slot: self._choose_model(vm, s, ref))
            card.copy_wanted.connect(lambda quant, s=slot: vm.make_copy(s, quant))
            card.setup_chosen.connect(lambda setup, both, s=slot: vm.set_options(s, setup, both=both))

    def _add_keys(self, vm: CompareVm) -> None:
        from PySide6.QtGui import QKeySequence, QShortcut

        cards = list(self.lanes.values())
        for keys, slot in (
            ("Ctrl+Return", self.prompt.submit),
            ("Ctrl+Enter", self.prompt.submit),
            ("Esc", lambda: vm.stop(None)),
            ("Ctrl+N", vm.new_conversation),
            ("Ctrl+R", lambda: vm.regenerate(None)),
            ("Ctrl+L", cards[0].header.open_picker),
            ("Ctrl+Shift+L", cards[1].header.open_picker),
            ("Ctrl+Shift+C", self._copy_last_code),
            ("F6", self._next_pane),
        ):
            QShortcut(QKeySequence(keys), self, slot)

    def _set_tab_order(self) -> None:
        order: list[QWidget] = [self.prompt.editor, self.prompt.prompts, self.prompt.run]
        for card in self.lanes.values():
            order += card.stops()
        order += self.top.stops()
        for first, second in itertools.pairwise(order):
            QWidget.setTabOrder(first, second)

    def render_state(self, state: CompareState) -> None:
        """Show a state; sets only what differs."""
        for slot, card in self.lanes.items():
            other = next(lane for lane in state.lanes if lane.slot != slot)
            card.render_state(state.lane(slot), other, state.can_run)
            card.devices = state.devices
        self.top.render_state(state)
        self._sentence.set_whole_text(state.sentence, words.sentence_tip(state))
        self.prompt.render_state(state.can_run, words.why_not_run(state))
        self._render_size(state)

    def _render_size(self, state: CompareState) -> None:
        text, role = words.prompt_sizes(state)
        if text != self._size.text():
            self._size.setText(text)
            self._size.setAccessibleName(f"{_SIZE_NAME}: {text}" if text else _SIZE_NAME)
        set_role(self._size, role)

    def _run(self, vm: CompareVm, text: str) -> None:
        vm.run(text)
        self.prompt.clear()

    def _choose_model(self, vm: CompareVm, slot: str, ref: str) -> None:
        self.prompt.editor.setFocus()  # what comes next; the model's button is out of order until it is ready
        vm.choose_model(slot, ref)

    def _wake(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _frame(self, vm: CompareVm) -> None:
        for slot, card in self.lanes.items():
            card.apply_steps(vm.take_steps(slot))
        vm.flush()
        if not vm.state.is_running:
            self._timer.stop()

    def _lane_in_focus(self) -> LaneCard | None:
        focused = QApplication.focusWidget()
        return next((c for c in self.lanes.values() if focused and c.isAncestorOf(focused)), None)

    def _copy_last_code(self) -> None:
        card = self._lane_in_focus() or next(iter(self.lanes.values()))
        if code := card.transcript.last_code():
            from PySide6.QtGui import QGuiApplication

            QGuiApplication.clipboard().setText(code)

    def _next_pane(self) -> None:
        """Give the focus to the answer of the next lane; behind the last one comes the prompt."""
        panes: list[QWidget] = [card.transcript for card in self.lanes.values()]
        inside = self._lane_in_focus()
        place = list(self.lanes.values()).index(inside) + 1 if inside else 0
        pane = [*panes, self.prompt.editor][place]
        pane.setFocus(QtCore.Qt.FocusReason.ShortcutFocusReason)

    def _recolour(self) -> None:
        self._set_icons()
        for card in self.lanes.values():
            card.transcript.set_theme()

    def _set_icons(self) -> None:
        self.top.set_icons()
        self.prompt.set_icons()
        for card in self.lanes.values():
            card.set_icons()
