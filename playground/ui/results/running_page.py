"""A run under way: time left, what is being written, the tasks so far. Shows states, emits intents."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from playground.ui import theme
from playground.ui.compare_words import size
from playground.ui.library.kit import (
    STRETCH,
    IconLabel,
    button,
    column,
    on_click,
    pill,
    row,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.meters import ElidedLabel, Metric, Sparkline, Tile, label, set_role
from playground.ui.results import running_state as words
from playground.ui.results.pieces import Notes, PartsBar, card
from playground.ui.results.running_state import LaneProgress, RunningState
from playground.ui.results.task_table import TaskTable
from playground.ui.results.task_view import TaskView

_SMALL_TILE = 16
_LIVE_HEIGHT = 84


class RunningPage(QWidget):
    """Emits what was asked for; ``verdict_wanted``: the run is over and its verdict is to be shown."""

    stop_wanted = Signal()
    pause_wanted = Signal()
    runs_wanted = Signal()
    verdict_wanted = Signal()

    def __init__(self, tasks: TaskTable) -> None:
        super().__init__()
        self._is_narrow = False
        self._trouble = Notes(bad=True)
        self.view = TaskView(tasks, sortable=False, solved_by=False)
        self.setLayout(
            column(
                self._make_head(),
                self._trouble,
                self._make_time(),
                self._make_lanes(),
                (self._make_tasks(), 1),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )

    def _make_head(self) -> QWidget:
        self.back = on_click(
            button("", "left", "All runs; this one goes on  (Esc)", kind="flat", name="All runs"),
            self.runs_wanted.emit,
        )
        self._heading, self._pill = ElidedLabel(), pill()
        self._heading.setProperty("role", "muted")
        head = QWidget()
        head.setLayout(row(self.back, label("Results", "h1"), (self._heading, 1), self._pill))
        return head

    def _make_time(self) -> QFrame:
        self._left, self._range = label("", "verdict", "Time left"), ElidedLabel()
        self._range.setProperty("role", "muted")
        self.stop = on_click(
            button("Stop", "stop", "Stop the run; what is complete is kept"), self.stop_wanted.emit
        )
        self.pause = on_click(
            button("Pause", "pause", "Begin no further task", kind="primary"), self.pause_wanted.emit
        )
        self.verdict = on_click(
            button("Show the verdict", "results", kind="primary"), self.verdict_wanted.emit
        )
        self._bar = PartsBar("Answers so far")
        self._lines = [ElidedLabel() for _ in "AB"]
        self._tiles = [Tile(slot) for slot in "AB"]
        for tile in self._tiles:
            tile.setFixedSize(_SMALL_TILE, _SMALL_TILE)
        lanes = row(self._tiles[0], (self._lines[0], 1), 12, self._tiles[1], (self._lines[1], 1), gap=7)
        top = row(self._left, (self._range, 1), self.stop, self.pause, self.verdict, gap=12)
        return card(top, self._bar, lanes, gap=8, margins=(18, 12, 18, 12))

    def _make_lanes(self) -> QWidget:
        self._tile_holder = [Tile(slot) for slot in "AB"]
        self._name, self._quant, self._context = label("", "model"), label("", "badge"), label("", "badge")
        self._state = pill()
        self._speed, self._first, self._memory, self._gpu = (
            Metric("TOKENS / S"),
            Metric("LOADED IN"),
            Metric("MEMORY"),
            Metric("GPU LAYERS"),
        )
        self._sparks = [Sparkline(slot) for slot in "AB"]
        head = row(*self._tile_holder, self._name, self._quant, self._context, STRETCH, self._state)
        figures = row(self._speed, self._first, self._memory, self._gpu, STRETCH, *self._sparks, gap=20)
        lane = card(head, figures, gap=8, margins=(16, 12, 16, 12))
        self._task, self._number, self._took = label("", "model"), ElidedLabel(), label("", "small")
        self._number.setProperty("role", "muted")
        self._live = QLabel()
        self._live.setTextFormat(Qt.TextFormat.PlainText)
        self._live.setObjectName("live")
        self._live.setFont(theme.font(9.25, mono=True))
        self._live.setAlignment(Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft)
        self._live.setFixedHeight(_LIVE_HEIGHT)
        self._live.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        task = card(
            row(self._task, (self._number, 1), self._took), self._live, gap=6, margins=(16, 12, 16, 12)
        )
        holder = QWidget()
        holder.setLayout(row((lane, 1), (task, 1), gap=12))
        return holder

    def _make_tasks(self) -> QFrame:
        self._closed = label(words.CLOSED, "small")
        head = row(
            label("Tasks", "model"),
            label("newest first", "muted"),
            STRETCH,
            IconLabel("lock"),
            self._closed,
            margins=(0, 0, 6, 0),
        )
        self._queue, self._saved = ElidedLabel(), label(words.SAVED, "small")
        self._queue.setProperty("role", "small")
        foot = QWidget()
        foot.setLayout(row((self._queue, 1), self._saved, margins=(0, 2, 6, 6)))
        self._foot = foot
        return card(head, self.view, foot, margins=(16, 10, 10, 2))

    # ---- showing

    def render_state(self, state: RunningState) -> None:
        """Show a state; sets only what differs."""
        self._heading.set_whole_text(state.title)
        show_pill(self._pill, *words.run_pill(state))
        self._trouble.show_notes([state.trouble] if state.trouble else [])
        self._render_time(state)
        lane = state.shown or (state.lanes[0] if state.lanes else None)
        if lane is not None:
            self._render_lane(lane)
            self._render_task(state, lane)
        self._queue.set_whole_text(words.queue_words(state))
        self.view.set_shape(narrow=self._is_narrow, lanes=len(state.lanes))

    def _render_time(self, state: RunningState) -> None:
        left, spread = words.time_words(state)
        set_text(self._left, left)
        self._left.setAccessibleName(f"{left}, {spread}")
        self._range.set_whole_text(spread)
        set_shown(self.stop, not state.over)
        set_shown(self.pause, not state.over)
        set_shown(self.verdict, state.over and state.data is not None)
        self.stop.setEnabled(not state.stopping)
        self.pause.setEnabled(not state.stopping and state.data is not None)
        paused = "Go on" if state.paused else "Pause"
        if paused != self.pause.text():
            self.pause.setText(paused)
            self.pause.setAccessibleName(paused)
        total = sum(lane.total for lane in state.lanes)
        parts = [(lane.done / total, lane.slot.lower()) for lane in state.lanes if total]
        self._bar.show_parts(parts, f"{sum(lane.done for lane in state.lanes)} of {total}")
        for place, line in enumerate(self._lines):
            there = place < len(state.lanes)
            set_shown(self._tiles[place], there)
            set_shown(line, there)
            if there:
                text, role = words.lane_words(state.lanes[place], state)
                line.set_whole_text(text)
                set_role(line, "why" if role == "bad" else "muted")

    def _render_lane(self, lane: LaneProgress) -> None:
        for tile, spark in zip(self._tile_holder, self._sparks, strict=True):
            set_shown(tile, tile.text() == lane.slot)
            set_shown(spark, tile.text() == lane.slot)
        set_text(self._name, lane.name)
        set_text(self._quant, lane.quant)
        set_shown(self._quant, bool(lane.quant))
        set_text(self._context, f"{lane.n_ctx / 1024:.3g}k ctx" if lane.n_ctx else "")
        set_shown(self._context, bool(lane.n_ctx) and not self._is_narrow)
        show_pill(self._state, *words.lane_pill(lane))
        speed = lane.tokens / lane.decode_s if lane.decode_s else None
        self._speed.show_value(f"{speed:.1f}" if speed else "–")
        load = lane.load
        self._first.show_value(f"{load.load_s:.1f} s" if load else "–")
        self._memory.show_value(size(lane.peak_bytes) if lane.peak_bytes else "–")
        self._gpu.show_value(str(load.gpu_layers) if load else "–")
        self._sparks[0 if lane.slot == "A" else 1].show_values(lane.speeds)

    def _render_task(self, state: RunningState, lane: LaneProgress) -> None:
        title, number, took = words.task_words(state, lane)
        set_text(self._task, self._task.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, 220))
        self._number.set_whole_text(number)
        set_text(self._took, took)
        caret = "▏" if lane.is_active and lane.at else ""
        set_text(self._live, words.tail(lane) + caret)
        self._live.setAccessibleName(f"Answer under way of {lane.slot}")

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        if narrow != self._is_narrow:
            self._is_narrow = narrow
            set_shown(self._first, not narrow)
            set_shown(self._saved, not narrow)
            set_text(self._closed, words.CLOSED_SHORT if narrow else words.CLOSED)

    def focus_first(self) -> None:
        """Put the focus where it does no harm."""
        self.view.setFocus()
