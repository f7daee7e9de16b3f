"""The Results screen: runs, a run under way, its verdict, a task. Made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from playground.ui import theme
from playground.ui.library.kit import column, recolour
from playground.ui.results import files
from playground.ui.results.open_vm import OpenState
from playground.ui.results.pair_dialog import PairDialog
from playground.ui.results.running_page import RunningPage
from playground.ui.results.services import ReportForm
from playground.ui.results.start_page import StartPage
from playground.ui.results.start_state import StartState
from playground.ui.results.task_page import TaskPage
from playground.ui.results.verdict_page import VerdictPage
from playground.ui.results.vm import Place, ResultsVm

_NARROW = 1050  # of the page; a window of 1024 pixels is narrow


class ResultsPage(QWidget):
    """``status`` says in one line what is under way. ``compare_wanted``: two models' references and a prompt."""

    status = Signal(str)
    library_wanted = Signal()
    compare_wanted = Signal(str, str, str)

    def __init__(self, vm: ResultsVm) -> None:
        super().__init__()
        self.vm = vm
        self.start, self.running = StartPage(vm.start.runs), RunningPage(vm.running.table)
        self.verdict, self.task = VerdictPage(vm.open.tasks), TaskPage()
        self._places: dict[Place, StartPage | RunningPage | VerdictPage | TaskPage] = {
            Place.START: self.start,
            Place.RUNNING: self.running,
            Place.VERDICT: self.verdict,
            Place.TASK: self.task,
        }
        self._stack = QStackedWidget()
        for page in self._places.values():
            self._stack.addWidget(page)
        self.setLayout(column((self._stack, 1)))
        self._connect()
        self._connect_places()
        self._add_keys()
        self._render_start(vm.start.state)
        self.running.render_state(vm.running.state)
        self._render_open(vm.open.state)
        self._stack.setCurrentWidget(self._places[vm.place])
        theme.notifier().changed.connect(self._recolour)

    def _connect(self) -> None:
        vm = self.vm
        vm.moved.connect(self._show_place)
        vm.status.connect(self.status)
        vm.start.changed.connect(self._render_start)
        vm.running.changed.connect(self.running.render_state)
        vm.open.changed.connect(self._render_open)

    def _connect_places(self) -> None:
        vm, start, running, verdict, task = self.vm, self.start, self.running, self.verdict, self.task
        start.run_wanted.connect(lambda path: vm.open_file(Path(path)))
        start.file_wanted.connect(self.ask_for_file)
        start.begin_wanted.connect(vm.begin)
        start.running_wanted.connect(lambda: vm.go(Place.RUNNING))
        start.library_wanted.connect(self.library_wanted)
        start.form.changed.connect(vm.start.choose)
        start.form.fetch_wanted.connect(vm.start.fetch_suite)
        running.stop_wanted.connect(vm.running.stop)
        running.pause_wanted.connect(vm.running.toggle_pause)
        running.verdict_wanted.connect(self._show_what_is_there)
        for source in (running, verdict):
            source.runs_wanted.connect(lambda: vm.go(Place.START))
        verdict.run_wanted.connect(lambda path: vm.open_file(Path(path)))
        verdict.plan_wanted.connect(lambda: vm.go(Place.START))
        verdict.resume_wanted.connect(vm.resume)
        verdict.report_wanted.connect(self.ask_for_report)
        verdict.picture_wanted.connect(self.ask_for_picture)
        verdict.pair_wanted.connect(self.ask_for_pair)
        verdict.task_wanted.connect(vm.open_task)
        verdict.filter_wanted.connect(vm.open.set_filter)
        task.back_wanted.connect(vm.back)
        task.step_wanted.connect(vm.open.step)
        task.sample_wanted.connect(vm.open.choose_sample)
        task.allow_wanted.connect(vm.open.allow)
        task.compare_wanted.connect(self._open_in_compare)

    def _add_keys(self) -> None:
        self._key("Esc", self._escape)
        self._key("Alt+Left", self.vm.back)
        self._key("Ctrl+O", self.ask_for_file)
        self._key("Ctrl+F", self._find)
        self._key("Ctrl+Return", self._begin)
        self._key("Alt+Down", lambda: self.vm.open.step(True))
        self._key("Alt+Up", lambda: self.vm.open.step(False))
        self._key("F5", self.vm.start.refresh)

    def _key(self, keys: str, intent: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self, intent)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # ---- showing

    def _show_place(self, place: Place) -> None:
        page = self._places[place]
        self._stack.setCurrentWidget(page)
        page.set_narrow(self.width() < _NARROW)
        self._focus(page)

    @staticmethod
    def _focus(page: StartPage | RunningPage | VerdictPage | TaskPage) -> None:
        if isinstance(page, VerdictPage):
            page.view.setFocus()
        else:
            page.focus_first()

    def _render_start(self, state: StartState) -> None:
        self.start.render_state(state)
        self.verdict.show_runs(state.runs)
        self.verdict.resume.setEnabled(not (state.running or state.blocked))
        self.verdict.resume.setToolTip(state.running or state.blocked or "Answer and test what is missing")

    def _render_open(self, state: OpenState) -> None:
        self.verdict.render_state(state)
        if state.task is not None:
            self.task.render_task(state.task, state.trouble, asks=self._asks(state))
        elif self.vm.place is Place.TASK and (last := self.vm.open.last_task):
            self.verdict.view.select_task(last)

    def _asks(self, state: OpenState) -> bool:
        joined = state.verdict is not None and state.verdict.is_joined
        return self.vm.open.asks and not joined

    # ---- intents

    def ask_for_file(self) -> None:
        """Ask for a run file and open it."""
        files.ask_for_run(self, self.vm.open_file)

    def ask_for_report(self, form: str) -> None:
        """Ask where the report is to be written."""
        wanted: ReportForm = "markdown" if form == "markdown" else "html"
        files.ask_for_report(
            self, wanted, self._file_name(), lambda path: self.vm.open.write_report(path, wanted)
        )

    def ask_for_picture(self) -> None:
        """Ask where the plots are to be written; PNG where the name says so."""
        files.ask_for_picture(self, self._file_name(), self._write_picture)

    def ask_for_pair(self) -> None:
        """Ask for a lane of another run to put beside one of this."""
        data, shown = self.vm.open.data, self.vm.open.state.verdict
        if data is None or shown is None:
            return
        runs = [
            run
            for run in self.vm.start.state.runs
            if run.path != shown.path
            and run.header is not None
            and run.header.suite_id == data.header.suite_id
        ]
        own = list(zip(data.slots, shown.names, strict=False))
        dialog = PairDialog(own, runs, self.window())
        dialog.chosen.connect(lambda slot, path, other: self.vm.open.pair_with(slot, Path(path), other))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _write_picture(self, path: Path) -> None:
        self.vm.open.write_picture(path, dark=theme.is_dark())

    def _file_name(self) -> str:
        shown = self.vm.open.state.verdict
        return Path(shown.path).stem if shown is not None and shown.path else "results"

    def _open_in_compare(self) -> None:
        data, task = self.vm.open.data, self.vm.open.state.task
        if data is not None and task is not None:
            refs = [lane.model.ref for lane in data.header.lanes]
            self.compare_wanted.emit(refs[0], refs[1] if len(refs) > 1 else "", data.info(task.task).prompt)

    def _show_what_is_there(self) -> None:
        data, path = self.vm.running.data, self.vm.running.path
        if data is not None and path is not None:
            self.vm.open.show_run(data, path)

    def _escape(self) -> None:
        if self.vm.place is Place.VERDICT and self.verdict.search.hasFocus() and self.verdict.search.text():
            self.verdict.search.clear()
        else:
            self.vm.back()

    def _find(self) -> None:
        if self.vm.place is Place.VERDICT:
            self.verdict.search.setFocus()

    def _begin(self) -> None:
        if self.vm.place is Place.START:
            self.vm.begin()

    # ---- Qt's

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """Look at what there is when it is shown."""
        super().showEvent(event)
        self.vm.look()
        self._focus(self._places[self.vm.place])

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave out what a small window has no room for."""
        super().resizeEvent(event)
        for page in self._places.values():
            page.set_narrow(self.width() < _NARROW)

    def _recolour(self) -> None:
        recolour(self)
        self.verdict.set_icons()
