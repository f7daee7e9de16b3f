"""The real services behind Results and *Run tests*: the bench on the app's one pool of engines. Knows no Qt."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from playground.bench import run_file, run_list, suites
from playground.bench.lanes import lane_infos, parallel_answers
from playground.bench.outcome import Judged
from playground.bench.record import Answer, LaneInfo, Result
from playground.bench.run import BenchRun
from playground.bench.run_data import RunData
from playground.bench.run_file import RunWriter
from playground.bench.run_list import RunFile
from playground.bench.sandbox import Sandbox, probe
from playground.bench.suites import KnownSuite
from playground.bench.task import Suite, Task
from playground.chat.options import LoadOptions
from playground.compare.prompts import Prompt, all_prompts
from playground.engines.pool import EnginePool
from playground.errors import PlaygroundError, SuiteError
from playground.models.files import ModelFile

if TYPE_CHECKING:
    from playground.ui.results.services import RunWish

TASK_SUITES = ("starter",)  # whose tasks Compare knows


class AppResults:
    """What ``playground.ui.results.services`` asks for, on the pool that Compare uses, too."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool
        self._tasks: dict[str, Task] | None = None

    # ---- what there is

    def runs(self) -> Sequence[RunFile]:
        """Return the run files of this computer."""
        return run_list.listed()

    def read(self, path: Path) -> RunData:
        """Return what a run file says."""
        return run_file.read(path)

    def suites(self) -> Sequence[KnownSuite]:
        """Return the suites that can be named."""
        return suites.known()

    def suite(self, name: str) -> Suite:
        """Return a suite."""
        return suites.load(name)

    def fetch_suite(self, name: str) -> None:
        """Fetch a suite from the Hub."""
        from playground.bench.suite_fetch import fetch_suite

        fetch_suite(name)

    def choose_tasks(self, suite: Suite, glob: str) -> tuple[Task, ...]:
        """Return the tasks that a filter names."""
        return suites.select(suite, glob)

    def local_models(self) -> list[ModelFile]:
        """Return the models on this disk."""
        from playground.models.library import local_models

        return local_models()

    def sandbox(self) -> Sandbox:
        """Return what programs run in here."""
        return probe()

    # ---- the engines

    def loaded(self) -> Sequence[str]:
        """Return the models that are in memory, by their file's name."""
        return tuple(dict.fromkeys(Path(path).stem for path in self._pool.paths()))

    async def unload(self) -> None:
        """Give back the memory of all models."""
        for slot in list(self._pool.loaded()):
            await self._pool.unload(slot)

    # ---- runs

    def start(self, wish: RunWish) -> BenchRun:
        """Return a new run, whose file is in the app's data folder."""
        suite = suites.load(wish.suite)
        tasks = suites.select(suite, wish.settings.task_glob)
        parallel = parallel_answers(wish.settings.samples, 0)
        settings = msgspec.structs.replace(wish.settings, parallel=parallel)
        lanes = lane_infos(wish.models, tasks, settings, LoadOptions())
        return BenchRun(suite, tasks, lanes, settings, self._pool, probe(), _new_path(suite))

    def resume(self, path: Path) -> BenchRun:
        """Return a run that goes on with a file; its models may lie elsewhere now, and to test need not be here."""
        data = run_file.read(path)
        header = data.header
        try:
            suite = suites.load(header.suite_id)
        except PlaygroundError as error:
            raise SuiteError(
                f"The suite {header.suite_title} of {path.name} cannot be read: {error.message}",
                hint=error.hint or "Fetch it, or go on on the computer where the run was begun.",
            ) from error
        known = {task.id: task for task in suite.tasks}
        tasks = tuple(known[name] for name in header.tasks if name in known)
        models = self.local_models()
        find = _where_it_is if data.missing() else _not_needed
        lanes = tuple(find(lane, models) for lane in header.lanes)
        return BenchRun(suite, tasks, lanes, header.settings, self._pool, probe(), path, resume=True)

    async def test_unsafe(self, path: Path, slot: str, task: str, sample: int) -> RunData:
        """Run one program of a run with the user's rights, which a person has read and allowed; keep what comes of it."""
        writer, found = await asyncio.to_thread(_to_test, path, task)
        try:
            result = writer.data.results[slot, task, sample]
            judged = await self.judge_unsafe(found, result.extracted.code)
            await asyncio.to_thread(writer.add, msgspec.structs.replace(result, judged=judged))
            return writer.data
        finally:
            writer.close()

    # ---- out of the app

    def write_report(self, data: RunData, path: Path, form: Literal["html", "markdown"]) -> None:
        """Write a run as a document."""
        from playground.bench import report

        report.write(data, path, form)

    def pictures(self, data: RunData, *, dark: bool) -> str:
        """Return the verdict's plots as one SVG text."""
        from playground.bench import picture
        from playground.bench.verdict import verdict

        return stacked(picture.verdict_pictures(verdict(data), picture.DARK if dark else picture.LIGHT))

    # ---- one answer, in Compare

    def task_prompts(self) -> Sequence[Prompt]:
        """Return the tasks with tests as prompts, easiest first."""
        return _task_prompts()

    def task_of(self, prompt: str) -> Task | None:
        """Return the task with tests that a prompt is."""
        if self._tasks is None:
            self._tasks = _known_tasks()
        return self._tasks.get(prompt.strip())

    async def judge(self, answer: Answer, task: Task) -> Result:
        """Return what became of an answer; without a sandbox its program does not run."""
        from playground.bench.judging import Judging

        return await Judging(probe()).result(answer, task)

    async def judge_unsafe(self, task: Task, code: str) -> Judged:
        """Run a program with the user's rights, which a person has read and allowed."""
        from playground.bench.judge import judge

        return await judge(task, code, probe(), unsafe=True)


def _task_prompts() -> tuple[Prompt, ...]:
    found = [
        Prompt(
            task.id, task.title, task.language, task.tier, task.prompt, task.completion, f"{name}/{task.id}"
        )
        for name in TASK_SUITES
        for task in suites.load(name).tasks
    ]
    return tuple(sorted(found, key=lambda prompt: (prompt.tier, prompt.language, prompt.title)))


def _known_tasks() -> dict[str, Task]:
    """Return the tasks with tests by the prompts that they are in Compare."""
    by_id: dict[str, Task] = {}
    for name in TASK_SUITES:
        with contextlib.suppress(PlaygroundError):
            by_id |= {f"{name}/{task.id}": task for task in suites.load(name).tasks}
    found = {task.prompt.strip(): task for task in by_id.values()}
    found |= {p.text.strip(): by_id[p.task] for p in all_prompts() if p.task in by_id}
    return found


def _to_test(path: Path, task: str) -> tuple[RunWriter, Task]:
    """Return the run's file and a task of its suite. Raises PlaygroundError."""
    header = run_file.read(path).header
    suite = suites.load(header.suite_id)
    found = next((each for each in suite.tasks if each.id == task), None)
    if found is None or suite.sha256 != header.suite_sha256:
        raise SuiteError(
            f"{header.suite_title} has changed since the run: its tests are others now.",
            hint="Begin a new run.",
        )
    return RunWriter.resume(path), found


def _new_path(suite: Suite) -> Path:
    now = datetime.now(UTC).astimezone().strftime("%Y-%m-%d-%H%M%S")
    return run_list.folder() / f"{suite.id}-{now}.jsonl"


def _where_it_is(lane: LaneInfo, models: Sequence[ModelFile]) -> LaneInfo:
    """Return a lane whose file is hashed again, where it lies on this computer."""
    path = lane.model.path
    if not Path(path).is_file():
        same = [m for m in models if (m.quant, m.size_bytes) == (lane.model.quant, lane.model.size_bytes)]
        named = [m for m in same if Path(m.path).name == Path(path).name] or same
        if named:
            path = named[0].path
    model = msgspec.structs.replace(lane.model, path=path)
    return msgspec.structs.replace(lane, model=model, sha256="")


def _not_needed(lane: LaneInfo, _models: Sequence[ModelFile]) -> LaneInfo:
    """Return a lane that only has to be tested: with both hashes set, nobody looks for its file."""
    return msgspec.structs.replace(lane, template_sha256=lane.template_sha256 or lane.sha256)


def stacked(pictures: Sequence[str]) -> str:
    """Return SVG texts below each other as one."""
    import re

    width, top, parts = 0, 0, []
    for text in pictures:
        size = re.search(r"viewBox='0 0 (\d+) (\d+)'", text)
        assert size is not None
        parts.append(text.replace("<svg ", f"<svg y='{top}' ", 1))
        width, top = max(width, int(size[1])), top + int(size[2]) + 16
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='-16 -16 {width + 32} {top + 16}' width='{width + 32}' "
        f"height='{top + 16}'>{''.join(parts)}</svg>"
    )
