"""The strip of *Run tests* below an answer in Compare: pass or fail, the failing case, the program. Plain text only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from playground.ui import theme
from playground.ui.compare_page import ComparePage
from playground.ui.library.kit import (
    button,
    column,
    draw_icon,
    on_click,
    pill,
    plain,
    row,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.meters import ElidedLabel, label
from playground.ui.results import lane_tests_state as words
from playground.ui.results.lane_tests_state import LaneTests, TestPhase
from playground.ui.results.lane_tests_vm import LaneTestsVm
from playground.ui.results.pieces import wrapped

_CODE_HEIGHT, _CODE_PADDING = 150, 18
_BEFORE_THE_FOOT = 2  # head and transcript come first


class LaneTestsStrip(QFrame):
    """Shows a LaneTests; emits what was asked for."""

    run_wanted = Signal()
    allowed = Signal()
    refused = Signal()

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("cardfoot")
        self.setAccessibleName(f"Tests {slot}")
        self._shows_code = False
        self._pill, self._line = pill(), ElidedLabel()
        self.run = on_click(
            button(
                "Run tests",
                "test",
                "Run the tests of this task in both lanes  (Ctrl+T)",
                name=f"Run tests {slot}",
            ),
            self.run_wanted.emit,
        )
        self.show_code = button(
            "Show code", "", "The program that was taken from the answer", name=f"Show code {slot}"
        )
        self.show_code.setCheckable(True)
        self.show_code.toggled.connect(self._toggle)
        self._remark = wrapped("", "small")
        self._code = QPlainTextEdit()
        self._code.setReadOnly(True)
        self._code.setObjectName("plaincode")
        self._code.setAccessibleName(f"Program {slot}")
        self._code.setFont(theme.font(9.25, mono=True))
        self._code.setTabChangesFocus(True)
        self._code.setFixedHeight(_CODE_HEIGHT)
        self.allow = on_click(
            button(
                "Run it with my rights",
                "alert",
                "I have read this program",
                name=f"Run the program of {slot} with my rights",
            ),
            self.allowed.emit,
        )
        self.refuse = on_click(
            button("Do not run it", name=f"Do not run the program of {slot}"), self.refused.emit
        )
        self._question = plain(row(self.allow, self.refuse, -1))
        head = row(self._pill, (self._line, 1), self.show_code, self.run)
        self.setLayout(
            column(
                head,
                self._make_case(),
                self._remark,
                self._code,
                self._question,
                gap=6,
                margins=(12, 8, 12, 8),
            )
        )
        self.hide()

    def _make_case(self) -> QWidget:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        self._values: list[QLabel] = []
        for line, name in enumerate(("Input", "Expected", "Got")):
            value = ElidedLabel()
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setFont(theme.font(9, mono=True))
            grid.addWidget(label(name, "small"), line, 0)
            grid.addWidget(value, line, 1)
            self._values.append(value)
        self._case = QWidget()
        self._case.setLayout(grid)
        return self._case

    def render_lane(self, lane: LaneTests) -> None:
        """Show a lane's tests; sets only what differs."""
        show_pill(self._pill, *words.pill(lane))
        self._line.set_whole_text(words.headline(lane))
        self.run.setText("Run again" if lane.phase is TestPhase.DONE else "Run tests")
        set_shown(self.run, lane.phase in (TestPhase.OFFERED, TestPhase.DONE))
        self._render_case(lane)
        remark = words.remark(lane)
        set_text(self._remark, remark)
        set_shown(self._remark, bool(remark))
        asks = lane.phase is TestPhase.ASKING
        if lane.code != self._code.toPlainText():
            self._code.setPlainText(lane.code)
            lines = lane.code.rstrip("\n").count("\n") + 1
            line_height = self._code.fontMetrics().lineSpacing()
            self._code.setFixedHeight(min(lines * line_height + _CODE_PADDING, _CODE_HEIGHT))
        has_code = bool(lane.code) and lane.phase in (TestPhase.DONE, TestPhase.ASKING)
        set_shown(self.show_code, has_code and not asks)
        if not has_code and self._shows_code:
            self.show_code.setChecked(False)
        set_shown(self._code, asks or (has_code and self._shows_code))
        set_shown(self._question, asks)
        set_shown(self, lane.phase is not TestPhase.HIDDEN)

    def _render_case(self, lane: LaneTests) -> None:
        case = words.failing(lane)
        set_shown(self._case, case is not None)
        if case is not None:
            for value, text in zip(self._values, (case.input, case.expected, case.got), strict=True):
                assert isinstance(value, ElidedLabel)
                value.set_whole_text(text)

    def _toggle(self, on: bool) -> None:
        self._shows_code = on
        self.show_code.setText("Hide code" if on else "Show code")
        set_shown(self._code, on)

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        for made in (self.run, self.allow):
            draw_icon(made)


def attach(page: ComparePage, vm: LaneTestsVm) -> dict[str, LaneTestsStrip]:
    """Put a strip into each lane of Compare, offer the tasks in its menu, and return the strips."""
    strips: dict[str, LaneTestsStrip] = {}
    for slot, card in page.lanes.items():
        strip = strips[slot] = LaneTestsStrip(slot)
        layout = card.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(_BEFORE_THE_FOOT, strip)
        strip.run_wanted.connect(lambda s=slot: vm.again(s))
        strip.allowed.connect(lambda s=slot: vm.allow(s))
        strip.refused.connect(lambda s=slot: vm.refuse(s))
        theme.notifier().changed.connect(strip.set_icons)
        QWidget.setTabOrder(card.transcript, strip.show_code)
        QWidget.setTabOrder(strip.show_code, strip.run)
    vm.changed.connect(lambda lane: strips[lane.slot].render_lane(lane))
    vm.prompts_found.connect(page.prompt.offer_tasks)
    QShortcut(QKeySequence("Ctrl+T"), page, vm.run)
    return strips
