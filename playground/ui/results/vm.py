"""The Results screen without widgets: which place is shown, and what one place means for the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from playground.bench.run_data import RunData
from playground.errors import PlaygroundError
from playground.ui.bridge import Bridge
from playground.ui.results import running_state, words
from playground.ui.results.open_vm import OpenVm
from playground.ui.results.running_vm import RunningVm
from playground.ui.results.services import BenchWork, ResultsServices
from playground.ui.results.start_state import StartState
from playground.ui.results.start_vm import StartVm

_BUSY = "A run of the tests is under way and has the machine for itself: stop it in Results, or wait."


class Place(StrEnum):
    """What the screen shows."""

    START = "start"
    RUNNING = "running"
    VERDICT = "verdict"
    TASK = "task"


class ResultsVm(QObject):
    """``moved`` carries the place that is shown. ``busy_changed``: why nothing else may use the engines, empty: all may.

    ``status`` says in one line what is under way.
    """

    moved = Signal(object)
    busy_changed = Signal(str)
    status = Signal(str)

    def __init__(self, services: ResultsServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.start = StartVm(services, bridge, self)
        self.running = RunningVm(self)
        self.open = OpenVm(services, bridge, self)
        self.place = Place.START
        self._said = ""
        self._has_looked = False
        self.open.opened.connect(self._show_opened)
        self.open.failed.connect(lambda sentence: self.start.set_starting(False, sentence))
        self.running.changed.connect(self._take_running)
        self.start.changed.connect(self._take_start)
        self.running.finished.connect(self._show_finished)

    @property
    def busy(self) -> str:
        """Return why nothing else may use the engines now, empty: all may."""
        return _BUSY if self.start.state.running else ""

    # ---- where

    def look(self) -> None:
        """Look at what there is; called when the screen is shown."""
        if not self._has_looked:
            self._has_looked = True
            self.start.refresh()
        else:
            self.start.refresh_runs()
            self.start.look_at_loaded()

    def go(self, place: Place) -> None:
        """Show a place, where it has something to show."""
        if place is Place.VERDICT and self.open.state.verdict is None:
            place = Place.START
        if place is Place.RUNNING and not self.running.state.lanes:
            place = Place.START
        if place is Place.START:
            self.start.look_at_loaded()
        if place is not Place.TASK and self.open.state.task is not None:
            self.open.close_task()
        if place is not self.place:
            self.place = place
            self.moved.emit(place)

    def open_file(self, path: Path) -> None:
        """Open a run file and show its verdict; of the run that is under way, show that."""
        if self.running.is_running and self.running.path is not None and path == self.running.path:
            self.go(Place.RUNNING)
        else:
            self.open.read(path)

    def open_task(self, task: str) -> None:
        """Open a task of the run that is open, or of the one under way."""
        if self.place is Place.RUNNING:
            return
        self.open.open_task(task)
        if self.open.state.task is not None:
            self.go(Place.TASK)

    def back(self) -> None:
        """Go back: from a task to the verdict, from there to the runs."""
        self.go({Place.TASK: Place.VERDICT}.get(self.place, Place.START))

    def set_blocked(self, why: str) -> None:
        """Say why no run can begin now, empty: it can."""
        self.start.set_blocked(why)

    # ---- runs

    def begin(self) -> None:
        """Begin the run that is chosen in the form."""
        wish = self.start.wish()
        if wish is None:
            return
        names = tuple(
            (slot, words.one_line(model.name, 60), model.quant)
            for slot, model in zip("AB", wish.models, strict=False)
        )
        self._run(lambda: self._services.start(wish), names)

    def resume(self) -> None:
        """Go on with the run that is open."""
        data, shown = self.open.data, self.open.state.verdict
        if data is None or shown is None or not shown.can_resume or self.start.state.blocked:
            return
        path = Path(shown.path)
        names = tuple((slot, name, "") for slot, name in zip(data.slots, shown.names, strict=False))
        self._run(lambda: self._services.resume(path), names)

    def _run(self, make: Callable[[], BenchWork], names: tuple[tuple[str, str, str], ...]) -> None:
        if self.start.state.running or self.start.state.starting:
            return
        self.start.set_starting(True)
        self._set_busy(True)
        self._bridge.spawn(self._work(make, names), self, self._fail)

    async def _work(self, make: Callable[[], BenchWork], names: tuple[tuple[str, str, str], ...]) -> None:
        try:
            work = await asyncio.to_thread(make)
            await self._services.unload()
            self.start.set_starting(False)
            self.running.prepare(names, "")
            self.go(Place.RUNNING)
            await self.running.follow(work)
        finally:
            self.start.set_starting(False)
            self._set_busy(False)
        self.start.refresh_runs()

    def _fail(self, error: PlaygroundError) -> None:
        """Show why a run could not begin, or go on: what it has is kept and can be opened."""
        sentence = error.sentence()
        self.start.refresh_runs()
        if self.place is Place.RUNNING:
            data, path = self.running.data, self.running.path
            if data is not None and path is not None and data.answers:
                self.running.fail(sentence)
                return
            self.go(Place.START)
        self.start.set_starting(False, sentence)

    def _set_busy(self, on: bool) -> None:
        self.start.set_running("A run is under way." if on else "")
        self.busy_changed.emit(_BUSY if on else "")
        if not on:
            self._say("")

    # ---- what one place means for the others

    def _take_start(self, state: object) -> None:
        assert isinstance(state, StartState)
        self.open.asks = state.sandbox is not None and not state.sandbox.is_safe and not state.running

    def _take_running(self, state: object) -> None:
        assert isinstance(state, running_state.RunningState)
        self._say(running_state.status_words(state))

    def _show_finished(self, path: object, data: object) -> None:
        assert isinstance(path, Path)
        assert isinstance(data, RunData)
        if self.place is Place.RUNNING:
            self.open.show_run(data, path)

    def _show_opened(self) -> None:
        self.go(Place.VERDICT)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.status.emit(text)
