"""What the Results screen and *Run tests* need of the rest, as types. The app gives the real ones, tests scripted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:  # Compare needs this file early, and none of what it names
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from playground.bench.events import BenchEvent
    from playground.bench.outcome import Judged
    from playground.bench.record import Answer, Result, RunSettings
    from playground.bench.run_data import RunData
    from playground.bench.run_list import RunFile
    from playground.bench.sandbox import Sandbox
    from playground.bench.suites import KnownSuite
    from playground.bench.task import Suite, Task
    from playground.compare.prompts import Prompt
    from playground.models.files import ModelFile

ReportForm = Literal["html", "markdown"]


@dataclass(frozen=True, slots=True)
class RunWish:
    """A run as it was chosen: the compact model first. ``suite``: a suite's name, or its folder."""

    models: tuple[ModelFile, ...]
    suite: str
    settings: RunSettings


class BenchWork(Protocol):
    """A run under way."""

    path: Path

    def events(self) -> AsyncIterator[BenchEvent]:
        """Yield what happens until the run is over. Raises PlaygroundError."""

    def stop(self) -> None:
        """Stop; everything complete is kept."""

    def pause(self) -> None:
        """Begin no further task."""

    def go_on(self) -> None:
        """End a pause."""


class ResultsServices(Protocol):
    """Everything behind the Results screen. What is marked blocking is called in a thread; all may raise PlaygroundError."""

    def runs(self) -> Sequence[RunFile]:
        """Return the run files of this computer, newest first. Blocking."""

    def read(self, path: Path) -> RunData:
        """Return what a run file says. Blocking."""

    def suites(self) -> Sequence[KnownSuite]:
        """Return the suites that can be named. Blocking."""

    def suite(self, name: str) -> Suite:
        """Return a suite. Blocking."""

    def fetch_suite(self, name: str) -> None:
        """Fetch a suite from the Hub. Blocking."""

    def choose_tasks(self, suite: Suite, glob: str) -> tuple[Task, ...]:
        """Return the tasks that a filter names."""

    def local_models(self) -> list[ModelFile]:
        """Return the models on this disk. Blocking."""

    def sandbox(self) -> Sandbox:
        """Return what programs run in here. Blocking."""

    def loaded(self) -> Sequence[str]:
        """Return the names of the models that other screens hold in memory."""

    async def unload(self) -> None:
        """Give back the memory that other screens' models hold."""

    def start(self, wish: RunWish) -> BenchWork:
        """Return a new run. Blocking."""

    def resume(self, path: Path) -> BenchWork:
        """Return a run that goes on with a file. Blocking."""

    async def test_unsafe(self, path: Path, slot: str, task: str, sample: int) -> RunData:
        """Run one program of a run with the user's rights, which a person has read and allowed; keep what comes of it."""

    def write_report(self, data: RunData, path: Path, form: ReportForm) -> None:
        """Write a run as a document. Blocking."""

    def pictures(self, data: RunData, *, dark: bool) -> str:
        """Return the verdict's plots as one SVG text. Blocking."""


class JudgeServices(Protocol):
    """What *Run tests* in Compare needs."""

    def task_prompts(self) -> Sequence[Prompt]:
        """Return the tasks with tests as prompts for Compare. Blocking."""

    def task_of(self, prompt: str) -> Task | None:
        """Return the task with tests that this prompt is, None when it is none. Blocking."""

    def sandbox(self) -> Sandbox:
        """Return what programs run in here. Blocking."""

    async def judge(self, answer: Answer, task: Task) -> Result:
        """Return what became of an answer; without a sandbox its program does not run."""

    async def judge_unsafe(self, task: Task, code: str) -> Judged:
        """Run a program with the user's rights, which a person has read and allowed."""
