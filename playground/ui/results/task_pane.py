"""One lane of an opened task: its program, or its whole answer, or what it printed; below it the tests."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QStackedWidget

from playground.ui import theme
from playground.ui.library.kit import (
    STRETCH,
    button,
    column,
    frame,
    on_click,
    pill,
    row,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.meters import ElidedLabel, Tile, label
from playground.ui.results import code_diff
from playground.ui.results.case_table import CaseTable
from playground.ui.results.code_diff import Diff
from playground.ui.results.diff_view import CodeView, scrolling
from playground.ui.results.task_state import Pane

_CODE, _TEXT = 0, 1


class TaskPane(QFrame):
    """Shows one lane's answer."""

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(f"Answer {slot}")
        self._slot, self._code_text = slot, ""
        self._name, self._quant, self._took = label("", "model"), label("", "badge"), ElidedLabel()
        self._took.setProperty("role", "muted")
        self._pill = pill()
        self.copy = on_click(button("", "copy", f"Copy the program of {slot}", kind="square"), self._copy)
        head = row(
            Tile(slot),
            self._name,
            self._quant,
            (self._took, 1),
            self._pill,
            self.copy,
            gap=8,
            margins=(16, 8, 10, 8),
        )
        self.allow = button(
            "Run it with my rights",
            "alert",
            "There is no sandbox: read the program first. It could read, change or delete your files.",
            name=f"Run the program of {slot} with my rights",
        )
        self._how = ElidedLabel()
        self._how.setProperty("role", "small")
        self.code = CodeView(f"Program of {slot}")
        self._area = scrolling(self.code)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setObjectName("plaincode")
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        self.text.setFont(theme.font(9.25, mono=True))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._area)
        self._stack.addWidget(self.text)
        self.cases = CaseTable(f"Tests of {slot}")
        self._cases_line = label("", "small")
        tests = column(
            row(label("Test cases", "sec"), STRETCH, self._cases_line, margins=(8, 7, 6, 2)),
            self.cases,
            gap=0,
            margins=(8, 0, 6, 8),
        )
        self._tests = frame("cardfoot", tests)
        how = frame("strip2", row((self._how, 1), self.allow, margins=(16, 4, 12, 4)))
        self.setLayout(
            column(frame("cardhead", head), how, (self._stack, 1), self._tests, gap=0, margins=(1, 1, 1, 1))
        )

    def show_pane(self, pane: Pane, found: Diff | None, mode: str, most_cases: int, *, asks: bool) -> None:
        """Show an answer. ``mode``: side (the program), answer or output. ``asks``: it may be allowed to run."""
        set_text(self._name, pane.name)
        set_text(self._quant, pane.quant)
        set_shown(self._quant, bool(pane.quant))
        self._took.set_whole_text(pane.took)
        show_pill(self._pill, *pane.pill)
        self._how.set_whole_text(pane.how)
        self._code_text = pane.code
        set_shown(self.copy, bool(pane.code))
        set_shown(self.allow, asks and pane.can_allow and mode == "side")
        self.cases.show_cases(pane.cases, most_cases)
        set_text(self._cases_line, pane.cases_line)
        set_shown(self._tests, bool(pane.cases))
        if mode == "side" and pane.code:
            self._stack.setCurrentIndex(_CODE)
            lines = code_diff.alone(pane.code)
            if found is not None:
                lines = found.left if pane.slot == "A" else found.right
            self.code.show_side(pane.code, lines, pane.language, pane.slot.lower())
            return
        self._stack.setCurrentIndex(_TEXT)
        self._show_text(pane, mode)

    def _show_text(self, pane: Pane, mode: str) -> None:
        nothing = {"output": "It printed nothing, and the judge has nothing to say."}.get(
            mode, "There is no answer."
        )
        text = (pane.printed if mode == "output" else pane.answer) or nothing
        self.text.setAccessibleName(f"{'Output' if mode == 'output' else 'Whole answer'} of {pane.slot}")
        if text != self.text.toPlainText():
            self.text.setPlainText(text)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._code_text)
