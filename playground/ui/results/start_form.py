"""The form for a new run: models, tasks, settings, the margin. Shows a state, emits the form as it was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from playground.ui.library.kit import button, row, set_shown
from playground.ui.meters import Tile, label, plain_tip, set_role
from playground.ui.results import start_state
from playground.ui.results.pieces import wrapped
from playground.ui.results.start_state import StartState

_SETTLES_MS = 250
_ALONE = "none: this model alone"
_FILTER_TIP = "Patterns of ids (py-*), tier:0 or tier:0-1, lang:python, topic:strings; commas between them"


class StartForm(QWidget):
    """``changed`` carries a Form; ``fetch_wanted``: fetch the suite that is chosen."""

    changed = Signal(object)
    fetch_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state = StartState()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(2, 1)
        self.compact, self.larger = _combo("Compact model"), _combo("Larger model")
        self.suite, self.plan, self.thinking = _combo("Suite"), _combo("Plan"), _combo("Thinking")
        self.fetch = button("Fetch", "get", "Fetch this suite from the Hugging Face Hub")
        self.fetch.clicked.connect(self.fetch_wanted)
        self.filter = QLineEdit()
        self.filter.setAccessibleName("Only these tasks")
        self.filter.setPlaceholderText("all tasks, or: py-*, tier:0-1")
        self.filter.setToolTip(_FILTER_TIP)
        self._chosen = label("", "small")
        self._caution = wrapped("", "smallwarn")
        self.samples = _spin("Answers to each task", 1, 32)
        self.most = _spin("Longest answer", 16, 1 << 17, " tokens", 256)
        self.margin = _spin("Margin", 0, 100, " points")
        self.margin.setToolTip(start_state.MARGIN_TIP)
        self._explained = wrapped(start_state.MARGIN_TIP, "small")
        self._lay_out()
        self._offer(self.plan, start_state.PLANS)
        self._offer(self.thinking, start_state.THINKING)
        self._connect()

    def _lay_out(self) -> None:
        self._line(0, "Compact model", Tile("A"), self.compact)
        self._line(1, "Larger model", Tile("B"), self.larger)
        self._line(2, "Suite", None, self.suite, self.fetch)
        self._grid.addWidget(self._caution, 3, 2)
        self._line(4, "Only these tasks", None, self.filter, self._chosen)
        self._line(5, "Answers to each", None, self.samples, label("Longest", "muted"), self.most)
        self._line(6, "Thinking", None, self.thinking, label("Plan", "muted"), self.plan)
        self._line(7, "Margin", None, self.margin)
        self._grid.addWidget(self._explained, 8, 2)

    def _line(self, line: int, text: str, tile: Tile | None, *fields: QWidget) -> None:
        name = label(text, "muted")
        self._grid.addWidget(name, line, 0)
        if tile is not None:
            self._grid.addWidget(tile, line, 1)
        items = [
            (field, 1 if place == 0 or isinstance(field, QComboBox | QSpinBox) else 0)
            for place, field in enumerate(fields)
        ]
        self._grid.addLayout(row(*items), line, 2)

    def _connect(self) -> None:
        later = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        later.timeout.connect(lambda: self._emit(glob=self.filter.text()))
        self.filter.textEdited.connect(lambda _text: later.start())
        for combo, name in (
            (self.compact, "compact"),
            (self.larger, "larger"),
            (self.suite, "suite"),
            (self.plan, "plan"),
            (self.thinking, "thinking"),
        ):
            combo.activated.connect(lambda _index, c=combo, n=name: self._emit(**{n: c.currentData()}))
        for spin, name in (
            (self.samples, "samples"),
            (self.most, "max_tokens"),
            (self.margin, "margin_points"),
        ):
            spin.valueChanged.connect(lambda value, n=name: self._emit(**{n: value}))

    def _emit(self, **changes: Any) -> None:  # noqa: ANN401 -- the form's own types
        """Say what was changed, with what stands in the filter, which says so a little later."""
        self.changed.emit(replace(self._state.form, **{"glob": self.filter.text(), **changes}))

    # ---- showing

    def render_state(self, state: StartState) -> None:
        """Show a state; sets only what differs."""
        self._state = state
        form, models = state.form, state.models or ()
        said = [(model.path, start_state.model_words(model)) for model in models]
        self._offer(self.compact, said)
        self._offer(self.larger, [*said, ("", _ALONE)])
        self._offer(self.suite, [(suite.id, start_state.suite_words(suite)) for suite in state.suites])
        for combo, value in (
            (self.compact, form.compact),
            (self.larger, form.larger),
            (self.suite, form.suite),
            (self.plan, form.plan),
            (self.thinking, form.thinking),
        ):
            _show(combo, value)
        self.plan.setToolTip(start_state.PLAN_TIPS[form.plan])
        for spin, number in (
            (self.samples, form.samples),
            (self.most, form.max_tokens),
            (self.margin, form.margin_points),
        ):
            _without_echo(spin, partial(spin.setValue, number))
        if form.glob.strip() != self.filter.text().strip() and not self.filter.hasFocus():
            self.filter.setText(form.glob)
        self._render_tasks(state)

    def _render_tasks(self, state: StartState) -> None:
        text, role = start_state.tasks_words(state)
        self._chosen.setText(text if role != "why" else "no task")
        self._chosen.setToolTip(plain_tip(text))
        set_role(self._chosen, role)
        caution = state.problem or state.caution
        self._caution.setText(caution)
        set_shown(self._caution, bool(caution))
        suite = state.suite()
        set_shown(self.fetch, suite is not None and suite.where == "hub")
        self.fetch.setEnabled(not state.fetching)
        self.fetch.setText("Fetching…" if state.fetching else "Fetch")

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for; the tool tip says it."""
        set_shown(self._explained, not narrow)

    @staticmethod
    def _offer(combo: QComboBox, choices: Sequence[tuple[Any, str]]) -> None:
        if [(combo.itemData(n), combo.itemText(n)) for n in range(combo.count())] == list(choices):
            return

        def fill() -> None:
            combo.clear()
            for value, text in choices:
                combo.addItem(text, value)

        _without_echo(combo, fill)


def _combo(name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(8)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made


def _spin(name: str, least: int, most: int, suffix: str = "", step: int = 1) -> QSpinBox:
    made = QSpinBox()
    made.setAccessibleName(name)
    made.setRange(least, most)
    made.setSuffix(suffix)
    made.setSingleStep(step)
    made.setGroupSeparatorShown(True)
    made.lineEdit().setTextMargins(7, 0, 0, 0)  # a spin box takes no padding at its left from the style sheet
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    made.setMinimumWidth(96)
    return made


def _show(combo: QComboBox, value: object) -> None:
    place = next((n for n in range(combo.count()) if combo.itemData(n) == value), -1)
    if place != combo.currentIndex():
        combo.setCurrentIndex(place)


def _without_echo(widget: QWidget, change: Callable[[], object]) -> None:
    """Change a field without its saying so: only a person's changes are intents."""
    before = widget.blockSignals(True)
    change()
    widget.blockSignals(before)
