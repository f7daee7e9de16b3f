"""An opened task: both answers, both programs with what differs, both test logs. Shows states, emits intents."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QSplitter, QStackedWidget, QWidget

from playground.ui.library.kit import (
    STRETCH,
    IconLabel,
    button,
    column,
    frame,
    on_click,
    row,
    set_shown,
    set_text,
)
from playground.ui.meters import ElidedLabel, label
from playground.ui.results.diff_view import CodeView, scrolling
from playground.ui.results.pieces import ChipRow, Notes, wrapped
from playground.ui.results.task_pane import TaskPane
from playground.ui.results.task_state import TaskState

_MODES = (("side", "Side by side"), ("one", "One column"), ("answer", "Answers"), ("output", "Output"))
_MODES_ALONE = (("side", "Program"), *_MODES[1:])
_MOST_CASES, _FEW_CASES = 6, 4
_LOW = 700


class TaskPage(QWidget):
    """``step_wanted``: True for the next task; ``compare_wanted``: put this task to the models in Compare."""

    back_wanted = Signal()
    step_wanted = Signal(bool)
    sample_wanted = Signal(int)
    allow_wanted = Signal(str)
    compare_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: TaskState | None = None
        self._mode, self._is_narrow, self._shown_cases = "side", False, _MOST_CASES
        self._asks, self._trouble = False, Notes(bad=True)
        self.panes = [TaskPane(slot) for slot in "AB"]
        for pane, slot in zip(self.panes, "AB", strict=True):
            pane.allow.clicked.connect(partial(self.allow_wanted.emit, slot))
        self.setLayout(
            column(
                self._make_head(),
                self._trouble,
                self._make_prompt(),
                self._make_difference(),
                (self._make_panes(), 1),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )

    def _make_head(self) -> QWidget:
        self.back = on_click(
            button("Results", "left", "Back to the run  (Esc)", kind="flat"), self.back_wanted.emit
        )
        self._title, self._place = label("", "h1"), ElidedLabel()
        self._place.setProperty("role", "muted")
        self._who = label("", "badge")
        self.previous = on_click(button("Previous", "left", "Alt+Up"), lambda: self.step_wanted.emit(False))
        self.next = on_click(button("Next", "right", "Alt+Down"), lambda: self.step_wanted.emit(True))
        self.next.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.samples = ChipRow("Answers to this task")
        self.samples.group.buttonClicked.connect(
            lambda made: self.sample_wanted.emit(int(made.property("kind")))
        )
        self.compare = on_click(
            button("Open in Compare", "compare", "Put this task to both models in Compare", kind="primary"),
            self.compare_wanted.emit,
        )
        head = QWidget()
        head.setLayout(
            row(
                self.back,
                self._title,
                (self._place, 1),
                self._who,
                self.samples,
                self.previous,
                self.next,
                self.compare,
            )
        )
        return head

    def _make_prompt(self) -> QFrame:
        self._prompt = wrapped("", "body", "Prompt")
        self._prompt.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._same = label("same text, template and sampling for both", "small")
        self._prompt_area = frame(
            "card",
            column(
                row(label("PROMPT", "k"), STRETCH, self._same), self._prompt, gap=3, margins=(16, 9, 16, 11)
            ),
        )
        self._prompt_area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        return self._prompt_area

    def _make_difference(self) -> QWidget:
        self._said = ElidedLabel()
        self._said.setProperty("role", "strong")
        self.modes = ChipRow("What is shown")
        self.modes.show_chips(_MODES, self._mode)
        self.modes.group.buttonClicked.connect(lambda made: self._choose(str(made.property("kind"))))
        line = QWidget()
        line.setLayout(row(IconLabel("diff", "accent", 18), (self._said, 1), self.modes))
        return line

    def _make_panes(self) -> QStackedWidget:
        splitter = QSplitter()
        splitter.setHandleWidth(12)
        splitter.setChildrenCollapsible(False)
        for place, pane in enumerate(self.panes):
            splitter.addWidget(pane)
            splitter.setStretchFactor(place, 1)
        splitter.setSizes([1000, 1000])
        for pane in self.panes:
            pane.raise_()  # a screen reader reads the first lane first
        self.both = CodeView("Both programs in one column")
        one = frame("card", column(scrolling(self.both), margins=(1, 6, 1, 6)))
        self._stack = QStackedWidget()
        self._stack.addWidget(splitter)
        self._stack.addWidget(one)
        return self._stack

    # ---- showing

    def render_task(self, state: TaskState, trouble: str = "", *, asks: bool = False) -> None:
        """Show a task; sets only what differs. ``asks``: programs that were not run may be allowed to."""
        self._state, self._asks = state, asks
        self._trouble.show_notes([trouble] if trouble else [])
        set_text(
            self._title, self._title.fontMetrics().elidedText(state.title, Qt.TextElideMode.ElideRight, 320)
        )
        self._title.setAccessibleName(state.title)
        self._place.set_whole_text(" · ".join(filter(None, (state.topic, state.place))))
        set_text(self._who, state.who)
        set_shown(self._who, bool(state.who))
        set_text(self._prompt, _shortened(state.prompt))
        self._prompt.setToolTip("")
        self._prompt.setAccessibleName(f"Prompt: {state.prompt[:2000]}")
        self._said.set_whole_text(state.said)
        for made, task, way in ((self.previous, state.previous, "Previous"), (self.next, state.next, "Next")):
            made.setEnabled(bool(task))
            noun = "" if self._is_narrow else " disagreement" if state.place.startswith("dis") else " task"
            made.setText(f"{way}{noun}")
        self.samples.show_chips([(str(n), f"#{n + 1}") for n in range(state.samples)], str(state.sample))
        set_shown(self.samples, state.samples > 1)
        self._render_panes(state)

    def _render_panes(self, state: TaskState) -> None:
        one_column, two = state.difference is not None, len(state.panes) > 1
        self.modes.show_chips(_MODES if two else _MODES_ALONE, self._mode)
        set_shown(self._same, two)
        set_shown(self.modes.chip("one"), one_column)
        mode = "side" if self._mode == "one" and not one_column else self._mode
        self._stack.setCurrentIndex(1 if mode == "one" else 0)
        if mode == "one" and state.difference is not None:
            codes = state.panes[0].code, state.panes[1].code
            self.both.show_unified(codes, state.difference.unified, state.panes[0].language)
            return
        most = self._shown_cases = self._most_cases()
        for place, pane in enumerate(self.panes):
            set_shown(pane, place < len(state.panes))
            if place < len(state.panes):
                pane.show_pane(state.panes[place], state.difference, mode, most, asks=self._asks)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        if narrow != self._is_narrow:
            self._is_narrow = narrow
            if self._state is not None:
                self.render_task(self._state, asks=self._asks)

    def _most_cases(self) -> int:
        return _FEW_CASES if self._is_narrow or self.height() < _LOW else _MOST_CASES

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Show fewer tests where the window is low."""
        super().resizeEvent(event)
        if self._state is not None and self._shown_cases != self._most_cases():
            self._render_panes(self._state)

    def focus_first(self) -> None:
        """Put the focus where one reads on."""
        self.next.setFocus() if self.next.isEnabled() else self.back.setFocus()

    def _choose(self, mode: str) -> None:
        self._mode = mode
        if self._state is not None:
            self._render_panes(self._state)


def _shortened(prompt: str) -> str:
    """Return a prompt of which the page shows the beginning; the rest is in the answers' place."""
    lines = prompt.split("\n")
    text = " ".join(line.strip() for line in lines if line.strip())
    return text if len(text) <= 700 else f"{text[:700]}…"
