"""The verdict of a run: in words, as plots, its cost, and the table of its tasks. Shows states, emits intents."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QWidget

from playground.bench.run_list import RunFile
from playground.bench.words import points
from playground.ui.icons import icon
from playground.ui.library.kit import (
    STRETCH,
    button,
    column,
    on_click,
    pill,
    row,
    scrolled,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.meters import ElidedLabel, label
from playground.ui.results import plots, start_state
from playground.ui.results.cost_card import CostCard
from playground.ui.results.open_vm import OpenState
from playground.ui.results.pieces import ChipRow, Figure, Notes, Tinted, card
from playground.ui.results.plots import Plot
from playground.ui.results.task_rows import ALL, Chip
from playground.ui.results.task_table import TaskFilter
from playground.ui.results.task_view import TaskView
from playground.ui.results.verdict_state import VerdictState

_MOST_RUNS = 12
_SETTLES_MS = 150
_PLOT, _LOW_PLOT = 108, 92
_TASKS_HEIGHT = 170


class VerdictPage(QWidget):
    """``run_wanted``: a path; ``runs_wanted``: the list of all; ``filter_wanted``: a kind and words."""

    run_wanted = Signal(str)
    runs_wanted = Signal()
    plan_wanted = Signal()
    resume_wanted = Signal()
    report_wanted = Signal(str)
    picture_wanted = Signal()
    pair_wanted = Signal()
    task_wanted = Signal(str)
    filter_wanted = Signal(str, str)

    def __init__(self, tasks: TaskFilter) -> None:
        super().__init__()
        self._runs: tuple[RunFile, ...] = ()
        self._is_narrow, self._lanes = False, 2
        self.view = TaskView(tasks, sortable=True, solved_by=True)
        self.view.opened.connect(self.task_wanted)
        self._warnings, self._notes = Notes(warn=True), Notes()
        self._said, self._trouble = Notes(), Notes(bad=True)
        self.setLayout(
            column(
                self._make_head(),
                self._trouble,
                self._said,
                (scrolled(self._make_whole()), 1),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )

    # ---- building

    def _make_head(self) -> QWidget:
        self.back = on_click(
            button("", "left", "All runs and a new one  (Esc)", kind="flat", name="All runs"),
            self.runs_wanted.emit,
        )
        self.picker = button("", "down", "Choose a run", name="Run")
        self.picker.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.picker.clicked.connect(self._open_runs)
        self._about = ElidedLabel()
        self._about.setProperty("role", "muted")
        self.pair = on_click(
            button("Compare with…", "compare", "Put a lane of another run beside one of this run"),
            self.pair_wanted.emit,
        )
        self.export = button("Export", "export", "The report as HTML or Markdown, the plots as a picture")
        self.export.clicked.connect(self._open_export)
        self.resume = on_click(
            button("Go on", "play", "Answer and test what is missing", kind="primary"),
            self.resume_wanted.emit,
        )
        self.plan = on_click(
            button("Plan a larger run", "plus", "Choose models, tasks and settings", kind="primary"),
            self.plan_wanted.emit,
        )
        head = QWidget()
        head.setLayout(
            row(
                self.back,
                label("Results", "h1"),
                self.picker,
                (self._about, 1),
                self.pair,
                self.export,
                self.resume,
                self.plan,
            )
        )
        return head

    def _make_whole(self) -> QWidget:
        """Return all that is below the head: as high as it must be, which a small window scrolls."""
        whole, words = QWidget(), self._make_words()
        plots, tasks = self._make_plots(), self._make_tasks()
        tasks.setMinimumHeight(_TASKS_HEIGHT)
        parts = (words, self._warnings, self._notes, plots, (tasks, 1))
        whole.setLayout(column(*parts, gap=10))
        return whole

    def _make_words(self) -> QFrame:
        self._headline, self._pill = label("", "verdict", "Verdict"), pill()
        self._headline.setWordWrap(True)
        self._first, self._second = Tinted(), Tinted()
        self.more = button("In full", "down", "The whole verdict in words", kind="flat")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_all)
        self._all = label("", "muted", "The whole verdict")
        self._all.setWordWrap(True)
        self._all.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._all.hide()
        self._figures = [Figure() for _ in range(3)]
        self._rule = QFrame()
        self._rule.setObjectName("upright")
        left = column(
            row(self._headline, self._pill, STRETCH, self.more, gap=12),
            self._first,
            self._second,
            self._all,
            gap=5,
        )
        figures = row(*self._figures, gap=22)
        self._words = card(row((left, 1), self._rule, figures, gap=24))
        return self._words

    def _make_plots(self) -> QWidget:
        self._same = label("", "model")
        self._bar, self._interval = Plot(66, "All tasks"), Plot(_PLOT, "Difference with its interval")
        self._badge = label("", "badge")
        under = label("Difference in solved tasks, compact minus larger", "muted")
        self._pair_card = card(
            self._same,
            self._bar,
            row(under, STRETCH, self._badge),
            self._interval,
            gap=4,
            margins=(16, 11, 16, 10),
        )
        self.cost = CostCard()
        holder = QWidget()
        holder.setLayout(row((self._pair_card, 11), (self.cost, 9), gap=12))
        return holder

    def _make_tasks(self) -> QFrame:
        self.chips = ChipRow("Filters")
        self.chips.group.buttonClicked.connect(lambda _made: self._filter())
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a task")
        self.search.setAccessibleName("Find a task")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(130)
        self.search.setMaximumWidth(190)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        self._settle.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda _text: self._settle.start())
        self.set_icons()
        self._none = label("No task passes this filter.", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._none.hide()
        chips = row((self.chips, 0), STRETCH, (self.search, 1), gap=6, margins=(0, 0, 6, 0))
        return card(chips, self.view, self._none, margins=(16, 10, 10, 2))

    def set_icons(self) -> None:
        """Draw the icon of the search field in the theme's colours."""
        for action in self.search.actions():
            if action.property("mark"):
                self.search.removeAction(action)
        action = self.search.addAction(icon("search", size=16), QLineEdit.ActionPosition.LeadingPosition)
        action.setProperty("mark", True)
        for shown in (self._first, self._second):
            shown.draw()

    # ---- showing

    def show_runs(self, runs: Sequence[RunFile]) -> None:
        """Set the runs of the menu."""
        self._runs = tuple(runs)

    def render_state(self, state: OpenState) -> None:
        """Show a state; sets only what differs."""
        self._said.show_notes([state.said] if state.said else [])
        self._trouble.show_notes([state.trouble] if state.trouble else [])
        if state.verdict is None:
            return
        self._lanes = len(state.verdict.names)
        self._render_head(state.verdict)
        self._render_words(state.verdict)
        self._render_plots(state.verdict)
        self.chips.show_chips(
            [(chip.kind, f"{chip.text}  {chip.rows}") for chip in self._fitting(state)], state.kind
        )
        if state.text != self.search.text() and not self._settle.isActive():
            self.search.setText(state.text)
        rows = self.view.model().rowCount()
        set_shown(self._none, not rows)
        set_shown(self.view, bool(rows))
        self._shape()

    def _fitting(self, state: OpenState) -> tuple[Chip, ...]:
        """Return the filters that there is room for: the emptiest ones of a row that is too long are left out."""
        room = 5 if self._is_narrow else 8
        kept = sorted(state.chips[4:], key=lambda chip: -chip.rows)[: max(room - 4, 0)]
        return tuple(c for c in state.chips if c in (*state.chips[:4], *kept) or c.kind == state.kind)

    def _render_head(self, shown: VerdictState) -> None:
        title = f"Two runs of {shown.title}" if shown.is_joined else shown.title
        metrics = self.picker.fontMetrics()
        text = metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, 230 if self._is_narrow else 330)
        text = text.replace("&", "&&")
        if text != self.picker.text():
            self.picker.setText(text)
        self.picker.setAccessibleName(f"Run: {title}")
        self._about.set_whole_text("" if self._is_narrow else shown.about)
        set_shown(self.resume, shown.can_resume)
        set_shown(self.plan, not shown.can_resume)
        set_shown(self.pair, not shown.is_joined)

    def _render_words(self, shown: VerdictState) -> None:
        set_text(self._headline, shown.headline)
        show_pill(self._pill, *shown.pill)
        self._first.show_html(shown.first)
        self._second.show_html(shown.second)
        set_text(self._all, "\n".join(f"•  {text}" for text in shown.all_sentences))
        self._words.setAccessibleDescription(" ".join(shown.all_sentences))
        self._warnings.show_notes(shown.warnings)
        self._notes.show_notes(shown.notes)
        for place, figure in enumerate(self._figures):
            if place < len(shown.metrics):
                metric = shown.metrics[place]
                figure.show_figure(metric.caption, metric.value, metric.remark)

    def _render_plots(self, shown: VerdictState) -> None:
        pair = shown.found.pair
        set_shown(self._pair_card, pair is not None)
        self.cost.show_cost(shown)
        if pair is None:
            return
        set_text(self._same, f"The same {pair.tasks} tasks, task by task")
        parts = (pair.both, pair.only_small, pair.only_large, pair.neither)
        words = "Both {:g}, only compact {:g}, only larger {:g}, neither {:g}".format(
            *(round(p, 2) for p in parts)
        )
        self._bar.show_plot(plots.paired_bar(pair), words, pair)
        told = f"95 % interval {points(pair.low, signed=True)} to {points(pair.high, signed=True)} points"
        set_text(self._badge, told)
        difference = f"Difference {points(pair.difference, signed=True)} points, {told}, your margin {points(pair.margin)} points"
        self._interval.show_plot(plots.interval_plot(pair), difference, pair)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        if narrow != self._is_narrow:
            self._is_narrow = narrow
            self._interval.setFixedHeight(_LOW_PLOT if narrow else _PLOT)
            self._shape()

    def _shape(self) -> None:
        lanes = self._lanes
        self.view.set_shape(narrow=self._is_narrow, lanes=lanes)
        self.cost.set_narrow(self._is_narrow)
        for place, figure in enumerate(self._figures):
            set_shown(figure, lanes > 1 and not (self._is_narrow and place == 2))
        set_shown(self._rule, lanes > 1)

    def _show_all(self, on: bool) -> None:
        set_shown(self._all, on)
        set_shown(self._first, not on)
        set_shown(self._second, not on)

    # ---- intents

    def _filter(self) -> None:
        self._settle.stop()
        chosen = self.chips.group.checkedButton()
        self.filter_wanted.emit(str(chosen.property("kind")) if chosen else ALL, self.search.text().strip())

    def _open_runs(self) -> None:
        menu = QMenu(self.picker)
        menu.setAccessibleName("Runs")
        menu.aboutToHide.connect(menu.deleteLater)
        for run in self._runs[:_MOST_RUNS]:
            text = f"{start_state.run_line(run)}\t{start_state.run_models(run)[:60]}"
            action = menu.addAction(text.replace("&", "&&"))
            action.setEnabled(run.header is not None)
            action.triggered.connect(lambda _on=False, path=run.path: self.run_wanted.emit(path))
        if self._runs:
            menu.addSeparator()
        menu.addAction("All runs, or open a file…").triggered.connect(
            lambda _on=False: self.runs_wanted.emit()
        )
        menu.popup(self.picker.mapToGlobal(self.picker.rect().bottomLeft()))

    def _open_export(self) -> None:
        menu = QMenu(self.export)
        menu.setAccessibleName("Export")
        menu.aboutToHide.connect(menu.deleteLater)
        for form, text in (("html", "Report as one HTML file…"), ("markdown", "Report as Markdown…")):
            menu.addAction(text).triggered.connect(lambda _on=False, f=form: self.report_wanted.emit(f))
        menu.addAction("Plots as SVG or PNG…").triggered.connect(lambda _on=False: self.picture_wanted.emit())
        menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft()))
