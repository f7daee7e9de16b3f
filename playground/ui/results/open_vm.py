"""An opened run without widgets: its verdict, its table of tasks, one of its tasks. The one writer of that state."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from playground.bench.run_data import RunData
from playground.bench.two_runs import side_by_side
from playground.bench.verdict import verdict
from playground.errors import PlaygroundError
from playground.ui.bridge import Bridge
from playground.ui.results import files, task_rows
from playground.ui.results.services import ReportForm, ResultsServices
from playground.ui.results.task_rows import ALL, Chip
from playground.ui.results.task_state import TaskState, task_state
from playground.ui.results.task_table import TaskFilter, TaskTable
from playground.ui.results.verdict_state import VerdictState, verdict_state


@dataclass(frozen=True, slots=True)
class OpenState:
    """``verdict`` None: nothing is open. ``said``: what was just done; ``trouble``: what could not be done."""

    verdict: VerdictState | None = None
    chips: tuple[Chip, ...] = ()
    kind: str = ALL
    text: str = ""
    task: TaskState | None = None
    reading: bool = False
    said: str = ""
    trouble: str = ""


class OpenVm(QObject):
    """``opened`` is emitted when another run can be shown, ``failed`` with a sentence when it cannot be read."""

    changed = Signal(object)
    opened = Signal()
    failed = Signal(str)

    def __init__(self, services: ResultsServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.state = OpenState()
        self.table = TaskTable(self)
        self.tasks = TaskFilter(self.table, self)
        self.data: RunData | None = None
        self.last_task = ""
        self.asks = False  # there is no sandbox: a program runs only when a person has read and allowed it

    # ---- which run

    def read(self, path: Path) -> None:
        """Open a run file."""
        self._set(replace(self.state, reading=True, said="", trouble=""))
        self._bridge.spawn(self._read(path), self, self._fail)

    def show_run(self, data: RunData, path: Path) -> None:
        """Open a run that is at hand."""
        self._bridge.spawn(self._show(data, str(path), joined=False), self, self._fail)

    def pair_with(self, own_slot: str, other: Path, other_slot: str) -> None:
        """Put a lane of another run beside one of this run."""
        if self.data is not None:
            self._bridge.spawn(self._pair(self.data, own_slot, other, other_slot), self, self._trouble)

    # ---- its table

    def set_filter(self, kind: str, text: str) -> None:
        """Show other tasks."""
        self.tasks.set_filter(kind, text)
        self._set(replace(self.state, kind=kind, text=text))

    # ---- one task

    def open_task(self, task: str, sample: int = 0) -> None:
        """Open a task."""
        if self.data is None or task not in self.data.header.tasks:
            return
        order, kind = self._order(task)
        self.last_task = task
        self._set(replace(self.state, task=task_state(self.data, task, order, sample, kind=kind), said=""))

    def step(self, forward: bool) -> None:
        """Go to the next task, or the one before."""
        task = self.state.task
        if task is not None and (wanted := task.next if forward else task.previous):
            self.open_task(wanted)

    def choose_sample(self, sample: int) -> None:
        """Show another answer to the same task."""
        if self.state.task is not None:
            self.open_task(self.state.task.task, sample)

    def allow(self, slot: str) -> None:
        """Run the program that is shown with the user's rights: a person has read it and said so."""
        task, shown = self.state.task, self.state.verdict
        if self.asks and task is not None and shown is not None and not shown.is_joined:
            self._bridge.spawn(self._allow(Path(shown.path), slot, task), self, self._trouble)

    def close_task(self) -> str:
        """Close the task and return which it was."""
        self._set(replace(self.state, task=None))
        return self.last_task

    # ---- out of the app

    def write_report(self, path: Path, form: ReportForm) -> None:
        """Write the run as a document."""
        if self.data is not None:
            self._bridge.spawn(self._write_report(self.data, path, form), self, self._trouble)

    def write_picture(self, path: Path, *, dark: bool) -> None:
        """Write the verdict's plots: as PNG where the name says so, else as SVG."""
        if self.data is not None:
            self._bridge.spawn(self._write_picture(self.data, path, dark=dark), self, self._trouble)

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a sentence about what was just done, or could not be."""
        self._set(replace(self.state, said="" if bad else text, trouble=text if bad else ""))

    # ---- work

    async def _read(self, path: Path) -> None:
        data = await asyncio.to_thread(self._services.read, path)
        await self._show(data, str(path), joined=False)

    async def _pair(self, first: RunData, own_slot: str, other: Path, other_slot: str) -> None:
        second = await asyncio.to_thread(self._services.read, other)
        joined = side_by_side(first, own_slot, second, other_slot)
        path = self.state.verdict.path if self.state.verdict else ""
        await self._show(joined, path, joined=True)

    async def _show(self, data: RunData, path: str, *, joined: bool) -> None:
        found = await asyncio.to_thread(verdict, data)
        state = verdict_state(data, found, path, joined=joined)
        rows = task_rows.disagreements_first(task_rows.rows(data))
        self.data = data
        self.tasks.set_filter(ALL, "")
        self.table.show_rows(rows, state.names)
        chips = task_rows.chips(rows, len(data.slots))
        self._set(OpenState(verdict=state, chips=chips))
        self.opened.emit()

    async def _allow(self, path: Path, slot: str, task: TaskState) -> None:
        data = await self._services.test_unsafe(path, slot, task.task, task.sample)
        found = await asyncio.to_thread(verdict, data)
        state = verdict_state(data, found, str(path))
        rows = task_rows.disagreements_first(task_rows.rows(data))
        self.data = data
        self.table.show_rows(rows, state.names)
        chips = task_rows.chips(rows, len(data.slots))
        self._set(replace(self.state, verdict=state, chips=chips, trouble=""))
        if self.state.task is not None:
            self.open_task(task.task, task.sample)

    async def _write_report(self, data: RunData, path: Path, form: ReportForm) -> None:
        await asyncio.to_thread(self._services.write_report, data, path, form)
        self.say(f"The report is in {path}.")

    async def _write_picture(self, data: RunData, path: Path, *, dark: bool) -> None:
        svg = await asyncio.to_thread(lambda: self._services.pictures(data, dark=dark))
        if path.suffix.lower() == ".png":
            files.write_png(svg, path)
        else:
            await asyncio.to_thread(files.write_svg, svg, path)
        self.say(f"The picture is in {path}.")

    def _order(self, task: str) -> tuple[tuple[str, ...], str]:
        """Return the tasks that one goes through from this one, and what each is called."""
        seen = self.tasks.tasks()
        apart = {row.task for row in self.table.rows if row.tells_apart}
        if self.state.kind == ALL and task in apart:
            return tuple(each for each in seen if each in apart), "disagreement"
        return (seen if task in seen else self.data.header.tasks if self.data else ()), "task"

    def _fail(self, error: PlaygroundError) -> None:
        self._set(replace(self.state, reading=False))
        self.failed.emit(error.sentence())

    def _trouble(self, error: PlaygroundError) -> None:
        self.say(error.sentence(), bad=True)

    def _set(self, state: OpenState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
