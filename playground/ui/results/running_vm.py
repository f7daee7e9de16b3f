"""A run under way without widgets: events in, a frozen state and the table of tasks out. The one writer of both."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from playground.bench.events import BenchEvent, RunBegun, RunFinished
from playground.bench.run_data import RunData
from playground.errors import PlaygroundError
from playground.ui.results import running_state, task_rows
from playground.ui.results.running_state import RunningState
from playground.ui.results.services import BenchWork
from playground.ui.results.task_rows import TaskRow
from playground.ui.results.task_table import TaskTable

_FRAME_MS = 100  # figures that change more often cannot be read


class RunningVm(QObject):
    """``finished`` carries the path and the run when it is over, however it ended."""

    changed = Signal(object)
    finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = RunningState()
        self.table = TaskTable(self)
        self.path: Path | None = None
        self._work: BenchWork | None = None
        self._rows_of: RunData | None = None
        self._rows: tuple[TaskRow, ...] = ()
        self._later = QTimer(self, singleShot=True, interval=_FRAME_MS)
        self._later.timeout.connect(self._show_late)
        self._is_late = False

    @property
    def is_running(self) -> bool:
        """Return whether a run is under way."""
        return self._work is not None

    def prepare(self, names: tuple[tuple[str, str, str], ...], title: str) -> None:
        """Show a run that is about to begin; slot, name and quant of each lane."""
        self.state = running_state.begun(names, title)
        self._show()

    async def follow(self, work: BenchWork) -> None:
        """Follow a run to its end. Raises PlaygroundError when it cannot go on."""
        self._work, self.path = work, work.path
        try:
            async with contextlib.aclosing(work.events()) as events:  # type: ignore[type-var]
                async for event in events:
                    self.take(event)
        except PlaygroundError as error:
            self.state = replace(self.state, trouble=error.sentence(), over=True)
            raise
        finally:
            self._work = None
            self._later.stop()
            self.state = replace(self.state, over=True, stopping=False)
            self._show()
        if self.state.data is not None:
            self.finished.emit(self.path, self.state.data)

    def take(self, event: BenchEvent) -> None:
        """Take one event."""
        self.state = running_state.reduced(self.state, event)
        if isinstance(event, RunBegun | RunFinished) or not self._later.isActive():
            self._show()
            self._later.start()
        else:
            self._is_late = True

    def fail(self, sentence: str) -> None:
        """Show that the run could not begin."""
        self.state = replace(self.state, trouble=sentence, over=True)
        self._show()

    def stop(self) -> None:
        """Stop the run; everything complete is kept."""
        if self._work is not None:
            self.state = replace(self.state, stopping=True, paused=False)
            self._work.stop()
            self._show()

    def toggle_pause(self) -> None:
        """Begin no further task, or go on."""
        if self._work is None or self.state.stopping:
            return
        paused = not self.state.paused
        (self._work.pause if paused else self._work.go_on)()
        self.state = replace(self.state, paused=paused)
        self._show()

    @property
    def data(self) -> RunData | None:
        """Return the run as it stands."""
        return self.state.data

    def _show_late(self) -> None:
        if self._is_late:
            self._show()
            self._later.start()

    def _show(self) -> None:
        self._is_late = False
        data = self.state.data
        if data is not None:
            if data is not self._rows_of:  # not for each piece of text
                self._rows_of, self._rows = data, task_rows.rows(data)
            rows = task_rows.with_live(self._rows, running_state.live_cells(self.state))
            names = [lane.name for lane in self.state.lanes]
            self.table.show_rows(task_rows.newest_first(data, rows), names)
        else:
            self.table.show_rows((), [lane.name for lane in self.state.lanes])
        self.changed.emit(self.state)
