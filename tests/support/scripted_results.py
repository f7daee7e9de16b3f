"""Scripted services behind the Results screen: run files, suites, models, a run whose events the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from playground.bench.events import BenchEvent
from playground.bench.outcome import Judged, Outcome
from playground.bench.record import Answer, Result
from playground.bench.run_data import RunData
from playground.bench.run_list import RunFile
from playground.bench.sandbox import Backend, Sandbox
from playground.bench.suites import KnownSuite, select
from playground.bench.task import Suite, Task
from playground.compare.prompts import Prompt
from playground.errors import PlaygroundError, SuiteError
from playground.models.files import ModelFile
from playground.ui.results.services import RunWish
from tests.support import bench_models, runs

SAFE = Sandbox(Backend.BUBBLEWRAP, "Tests run in a sandbox: no network, no access to your files.")
NONE = Sandbox(
    Backend.NONE,
    "No sandbox is available on this computer: bubblewrap is not installed. Model code would run with your rights: it "
    "could read, change or delete your files and use the network. Automatic testing is off.",
    "bubblewrap is not installed",
)


class ScriptedWork:
    """A run under way: ``events`` as written; with ``hold``, it then waits until it is stopped."""

    def __init__(self, path: Path, events: Sequence[BenchEvent], *, hold: bool = False) -> None:
        self.path = path
        self._events, self._hold = events, hold
        self.calls: list[str] = []
        self.error: PlaygroundError | None = None
        self._stopped = asyncio.Event()

    async def events(self) -> AsyncIterator[BenchEvent]:
        """Yield the events."""
        for event in self._events:
            await asyncio.sleep(0)
            yield event
        if self._hold:
            await self._stopped.wait()
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        """Remember it, and end."""
        self.calls.append("stop")
        self._stopped.set()

    def pause(self) -> None:
        """Remember it."""
        self.calls.append("pause")

    def go_on(self) -> None:
        """Remember it."""
        self.calls.append("go on")


class ScriptedResults:
    """``files`` are the runs by their path; ``work`` is what the next run does; ``wishes`` what was asked for."""

    def __init__(self, files: dict[str, RunData] | None = None) -> None:
        self.files = files or {}
        self.damaged: dict[str, str] = {}
        self.models: list[ModelFile] = [runs.LARGER, runs.COMPACT]
        self.known = [
            KnownSuite("starter", "Starter", "1", 4, "MIT", "shipped"),
            KnownSuite("humaneval+", "HumanEval+", "0.1.10", 164, "Apache-2.0", "hub"),
        ]
        self.tasks = bench_models.suite(4)
        self.box = SAFE
        self.in_memory: list[str] = []
        self.work: ScriptedWork | None = None
        self.wishes: list[RunWish] = []
        self.resumed: list[Path] = []
        self.fetched: list[str] = []
        self.written: list[tuple[Path, str]] = []
        self.problem: PlaygroundError | None = None
        self.judged: list[tuple[str, bool]] = []

    def runs(self) -> Sequence[RunFile]:
        """Return the runs."""
        whole = [
            RunFile(path, data.header, 40_000, 0.0, complete=data.is_complete)
            for path, data in self.files.items()
        ]
        return (*whole, *(RunFile(path, None, 9, 0.0, problem=why) for path, why in self.damaged.items()))

    def read(self, path: Path) -> RunData:
        """Return a run."""
        if str(path) not in self.files:
            raise SuiteError(
                f"{path.name} is no run file.", hint="Choose a file that playground bench wrote."
            )
        return self.files[str(path)]

    def suites(self) -> Sequence[KnownSuite]:
        """Return the suites."""
        return tuple(self.known)

    def suite(self, name: str) -> Suite:
        """Return a suite of four tasks."""
        if name not in {suite.id for suite in self.known}:
            raise SuiteError(f"There is no suite {name}.")
        return msgspec.structs.replace(self.tasks, id=name)

    def fetch_suite(self, name: str) -> None:
        """Fetch a suite."""
        if self.problem is not None:
            raise self.problem
        self.fetched.append(name)
        self.known = [
            msgspec.structs.replace(suite, where="fetched") if suite.id == name else suite
            for suite in self.known
        ]

    def choose_tasks(self, suite: Suite, glob: str) -> tuple[Task, ...]:
        """Return the tasks that a filter names."""
        return select(suite, glob)

    def local_models(self) -> list[ModelFile]:
        """Return the models."""
        return self.models

    def sandbox(self) -> Sandbox:
        """Return the sandbox."""
        return self.box

    def loaded(self) -> Sequence[str]:
        """Return what Compare holds."""
        return tuple(self.in_memory)

    async def unload(self) -> None:
        """Unload it."""
        self.in_memory.clear()

    def start(self, wish: RunWish) -> ScriptedWork:
        """Begin the scripted run."""
        self.wishes.append(wish)
        if self.problem is not None:
            raise self.problem
        assert self.work is not None
        return self.work

    def resume(self, path: Path) -> ScriptedWork:
        """Go on with the scripted run."""
        self.resumed.append(path)
        assert self.work is not None
        return self.work

    async def test_unsafe(self, path: Path, slot: str, task: str, sample: int) -> RunData:
        """Let the program pass."""
        if self.problem is not None:
            raise self.problem
        self.judged.append((slot, True))
        made = runs.result(slot, 0, Outcome.PASS, sample)
        data = self.files[str(path)].with_entries([msgspec.structs.replace(made, task=task)])
        self.files[str(path)] = data
        return data

    def write_report(self, data: RunData, path: Path, form: str) -> None:  # noqa: ARG002 -- the protocol's
        """Remember what was to be written."""
        if self.problem is not None:
            raise self.problem
        self.written.append((path, form))

    def pictures(self, data: RunData, *, dark: bool) -> str:  # noqa: ARG002 -- the protocol's
        """Return a small picture."""
        return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 20' width='40' height='20'><rect width='9' height='9'/></svg>"

    def task_prompts(self) -> Sequence[Prompt]:
        """Return the tasks as prompts."""
        return tuple(
            Prompt(t.id, t.title, t.language, t.tier, t.prompt, t.completion, f"tiny/{t.id}")
            for t in self.tasks.tasks
        )

    def task_of(self, prompt: str) -> Task | None:
        """Return the task whose prompt this is."""
        return next((task for task in self.tasks.tasks if task.prompt == prompt.strip()), None)

    async def judge(self, answer: Answer, task: Task) -> Result:
        """Return a pass for A and a failing case for B."""
        self.judged.append((answer.slot, False))
        outcome = Outcome.PASS if answer.slot == "A" else Outcome.WRONG
        if not self.box.is_safe:
            outcome = Outcome.NOT_RUN
        made = runs.result(answer.slot, 0, outcome)
        return msgspec.structs.replace(made, task=task.id)

    async def judge_unsafe(self, task: Task, code: str) -> Judged:  # noqa: ARG002 -- the protocol's
        """Return a pass."""
        self.judged.append(("?", True))
        return runs.result("A", 0, Outcome.PASS).judged
