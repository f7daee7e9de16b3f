"""The first place of Results: the runs there are, and the form for a new one. Shows states, emits intents."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QStackedWidget, QWidget

from playground.ui.library.kit import (
    STRETCH,
    button,
    column,
    on_click,
    plain,
    row,
    scrolled,
    set_shown,
    set_text,
)
from playground.ui.meters import label
from playground.ui.results import start_state
from playground.ui.results.pieces import Notes, card, wrapped
from playground.ui.results.run_list_model import RUN_ROLE, RunListModel
from playground.ui.results.run_rows import RunRows
from playground.ui.results.start_form import StartForm
from playground.ui.results.start_state import StartState


class _RunList(QListView):
    """Opens a run with a click or Enter."""

    opened = Signal(str)

    def __init__(self, runs: RunListModel) -> None:
        super().__init__()
        self.setModel(runs)
        self.setItemDelegate(RunRows(self))
        self.setAccessibleName("Runs")
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._open)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Open with Enter or Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(index.data(RUN_ROLE).path)


class StartPage(QWidget):
    """``run_wanted``: the path of a run file; ``file_wanted``: one is to be chosen; ``begin_wanted``: the form is done."""

    run_wanted = Signal(str)
    file_wanted = Signal()
    begin_wanted = Signal()
    running_wanted = Signal()
    library_wanted = Signal()

    def __init__(self, runs: RunListModel) -> None:
        super().__init__()
        self.list = _RunList(runs)
        self.list.opened.connect(self.run_wanted)
        self.form = StartForm()
        self._trouble = Notes(bad=True)
        self.show_running = on_click(
            button("A run is under way: show it", "play", kind="primary"), self.running_wanted.emit
        )
        self.file = on_click(
            button("Open a run file…", "open", "Such as one that was made on another computer  (Ctrl+O)"),
            self.file_wanted.emit,
        )
        head = row(label("Results", "h1"), STRETCH, self.show_running, self.file)
        body = row((self._make_runs(), 9), (self._make_form(), 11), gap=12)
        self.setLayout(column(head, self._trouble, (body, 1), gap=10, margins=(16, 12, 16, 12)))

    def _make_runs(self) -> QFrame:
        self._count = label("", "muted")
        self._empty = wrapped(
            "No run yet. A run puts the same tasks to two models, tests their programs in a sandbox, and says "
            "honestly what that proves. Choose two models at the right, or open a run file from another computer.",
            "muted",
        )
        head = row(label("Runs", "model"), self._count, STRETCH)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(plain(column(self._empty, STRETCH, margins=(0, 4, 8, 0))))
        return card(head, (self._stack, 1), margins=(14, 12, 8, 8))

    def _make_form(self) -> QFrame:
        self._sandbox_head, self._sandbox = label("", "h2"), wrapped("", "small")
        self._sandbox_warn = Notes(warn=True)
        self._loaded = Notes()
        self._work, self._power = wrapped("", ""), wrapped("", "small")
        self._why = wrapped("", "small")
        self.begin = on_click(button("Begin the run", "play", kind="primary"), self.begin_wanted.emit)
        self.library = on_click(button("Open the Library", "library"), self.library_wanted.emit)
        inner = plain(
            column(
                self.form,
                4,
                self._work,
                self._power,
                4,
                self._sandbox_head,
                self._sandbox,
                self._sandbox_warn,
                self._loaded,
                STRETCH,
                gap=7,
                margins=(0, 0, 8, 0),
            )
        )
        self._area = scrolled(inner)
        foot = row((self._why, 1), self.library, self.begin, gap=10, margins=(0, 6, 8, 6))
        return card(label("A new run", "model"), (self._area, 1), foot, gap=8, margins=(16, 12, 8, 6))

    def render_state(self, state: StartState) -> None:
        """Show a state; sets only what differs."""
        self.form.render_state(state)
        self._trouble.show_notes([state.trouble] if state.trouble else [])
        set_shown(self.show_running, bool(state.running))
        set_text(self._count, str(len(state.runs)) if state.runs else "")
        self._stack.setCurrentIndex(0 if state.runs else 1)
        set_text(self._work, start_state.work_words(state))
        set_text(self._power, start_state.power_words(state))
        set_shown(self._power, bool(start_state.power_words(state)))
        self._render_sandbox(state)
        loaded = start_state.loaded_words(state)
        self._loaded.show_notes([loaded] if loaded else [])
        why = start_state.why_not(state)
        set_text(self._why, why)
        self.begin.setEnabled(not why)
        self.begin.setToolTip(why or "Load the models and begin  (Ctrl+Enter)")
        set_shown(self.library, state.models == ())

    def _render_sandbox(self, state: StartState) -> None:
        heading, text, is_safe = start_state.sandbox_words(state)
        set_text(self._sandbox_head, heading)
        set_text(self._sandbox, text if is_safe else "")
        set_shown(self._sandbox, is_safe)
        self._sandbox_warn.show_notes([] if is_safe else [text])

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        self.form.set_narrow(narrow)

    def focus_first(self) -> None:
        """Put the focus on the runs, or the form where there are none."""
        (self.list if self.list.model().rowCount() else self.form.compact).setFocus()
