"""The runs there are and the form for a new one, without widgets. The one writer of that state."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from playground.errors import PlaygroundError
from playground.models.files import ModelFile
from playground.ui.bridge import Bridge
from playground.ui.results import start_state
from playground.ui.results.run_list_model import RunListModel
from playground.ui.results.services import ResultsServices, RunWish
from playground.ui.results.start_state import Form, StartState


class StartVm(QObject):
    """``runs`` lists the run files as a Qt model."""

    changed = Signal(object)

    def __init__(self, services: ResultsServices, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.state = StartState()
        self.runs = RunListModel(self)
        self._asked = 0
        self._compared: tuple[ModelFile, ...] = ()
        self._is_filled_in = False

    def suggest(self, models: Sequence[ModelFile]) -> None:
        """Offer the models that Compare holds, wherever they lie; two of them fill a form that nobody has filled in."""
        self._compared = tuple(models)
        if self.state.models is not None:
            self._take_models(self.state.models)
        if len(models) > 1 and not self._is_filled_in:
            first, second = sorted(models, key=lambda model: model.size_bytes)[:2]
            self._set(
                replace(self.state, form=replace(self.state.form, compact=first.path, larger=second.path))
            )

    def refresh(self) -> None:
        """Look again at runs, models, suites, and what is loaded."""
        self._spawn(self._find_runs())
        self._spawn(self._find_models())
        self._spawn(self._find_suites())
        self._spawn(self._find_sandbox())

    def refresh_runs(self) -> None:
        """Look again at the run files only."""
        self._spawn(self._find_runs())

    def choose(self, form: Form) -> None:
        """Take what was chosen in the form."""
        before = self.state.form
        if form == before:
            return
        self._is_filled_in = True
        self._set(replace(self.state, form=form, trouble=""))
        if (form.suite, form.glob) != (before.suite, before.glob):
            self._count_tasks()

    def set_blocked(self, why: str) -> None:
        """Say why no run can begin now, empty: it can."""
        loaded = tuple(self._services.loaded())
        self._set(replace(self.state, blocked=why, loaded=loaded))

    def set_running(self, why: str) -> None:
        """Say that a run is under way, empty: none is."""
        self._set(replace(self.state, running=why))

    def set_starting(self, on: bool, trouble: str = "") -> None:
        """Say that a run is being prepared, or why it could not be."""
        self._set(replace(self.state, starting=on, trouble=trouble))

    def look_at_loaded(self) -> None:
        """Bring up to date which models Compare holds."""
        self._set(replace(self.state, loaded=tuple(self._services.loaded())))

    def fetch_suite(self) -> None:
        """Fetch the suite that is chosen from the Hub."""
        if not self.state.fetching:
            self._spawn(self._fetch(self.state.form.suite))

    def wish(self) -> RunWish | None:
        """Return the run that is chosen, None while it cannot begin."""
        return start_state.wish(self.state)

    # ---- work

    async def _find_runs(self) -> None:
        runs = tuple(await asyncio.to_thread(self._services.runs))
        self.runs.show_runs(runs)
        self._set(replace(self.state, runs=runs))

    async def _find_models(self) -> None:
        self._take_models(tuple(await asyncio.to_thread(self._services.local_models)))

    def _take_models(self, models: tuple[ModelFile, ...]) -> None:
        known = {model.path for model in models}
        others = tuple(model for model in self._compared if model.path not in known)
        loaded = tuple(self._services.loaded())
        self._set(replace(start_state.with_models(self.state, (*models, *others)), loaded=loaded))

    async def _find_suites(self) -> None:
        suites = tuple(await asyncio.to_thread(self._services.suites))
        self._set(replace(self.state, suites=suites))
        self._count_tasks()

    async def _find_sandbox(self) -> None:
        sandbox = await asyncio.to_thread(self._services.sandbox)
        self._set(replace(self.state, sandbox=sandbox))

    def _count_tasks(self) -> None:
        self._asked += 1
        self._set(replace(self.state, chosen=None, problem=""))
        self._spawn(self._count(self._asked))

    async def _count(self, asked: int) -> None:
        """Count the tasks that the filter leaves; an older question does not overwrite a newer one's answer."""
        known, form = self.state.suite(), self.state.form
        if known is not None and (known.where == "hub" or known.problem):
            self._set(replace(self.state, tasks=known.tasks, caution="", problem=known.problem))
            return
        try:
            suite = await asyncio.to_thread(self._services.suite, form.suite)
            chosen = self._services.choose_tasks(suite, form.glob.strip())
        except PlaygroundError as error:
            if asked == self._asked:
                self._set(replace(self.state, chosen=None, problem=error.sentence()))
            return
        if asked == self._asked:
            self._set(
                replace(
                    self.state, chosen=len(chosen), tasks=len(suite.tasks), caution=suite.caution, problem=""
                )
            )

    async def _fetch(self, name: str) -> None:
        self._set(replace(self.state, fetching=name, trouble=""))
        try:
            await asyncio.to_thread(self._services.fetch_suite, name)
        finally:
            self._set(replace(self.state, fetching=""))
        await self._find_suites()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        def fail(error: PlaygroundError) -> None:
            self._set(replace(self.state, trouble=error.sentence()))

        self._bridge.spawn(work, self, fail)

    def _set(self, state: StartState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
