"""One run of a suite, from the first hash to the last result. The walk of both front ends.

Nothing is judged while anything is being generated, so times and speeds are the models' own. With one answer at a time
it is judged before the next task begins; with several, the lane rests once a minute for what has come; with two lanes
together, when both have answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from playground import logs
from playground.bench.events import (
    Answered,
    BenchEvent,
    JudgeBegun,
    JudgeDone,
    LaneEnded,
    LanePhase,
    Phase,
    RunBegun,
    RunFinished,
)
from playground.bench.judging import Judging
from playground.bench.lane_run import LaneRun
from playground.bench.machine import model_sha256, template_sha256
from playground.bench.outcome import Outcome
from playground.bench.pace import time_left
from playground.bench.record import Answer, End, Entry, LaneInfo, RunSettings
from playground.bench.run_data import Key, RunData
from playground.bench.run_file import RunWriter
from playground.bench.run_header import check_same, new_header, now
from playground.bench.run_plan import make_run_plan
from playground.bench.sandbox import Sandbox
from playground.bench.task import Suite, Task
from playground.compare.events import Plan
from playground.compare.needs import look_at_devices
from playground.engines.pool import EnginePool
from playground.errors import PlaygroundError

_log = logs.get("bench")
_T = TypeVar("_T")
STOPPED = "stopped"
_REST_S = 60.0


class BenchRun:
    """Iterate over ``events`` once; ``stop``, ``pause`` and ``go_on`` may be called at any time.

    ``lanes`` may come without hashes. With ``resume`` the file at ``path`` is gone on with, and suite, models and
    settings must be those of its header. ``rest_s``: how often a lane that writes several answers at once rests.
    """

    def __init__(
        self,
        suite: Suite,
        tasks: Sequence[Task],
        lanes: Sequence[LaneInfo],
        settings: RunSettings,
        pool: EnginePool,
        sandbox: Sandbox,
        path: Path,
        *,
        resume: bool = False,
        judging: Judging | None = None,
        rest_s: float = _REST_S,
    ) -> None:
        self._suite, self._tasks = suite, {task.id: task for task in tasks}
        self._lanes, self._settings = tuple(lanes), settings
        self._pool, self._sandbox, self.path = pool, sandbox, path
        self._resume, self._rest_s = resume, rest_s
        self._judging = judging or Judging(sandbox)
        self._queue: asyncio.Queue[BenchEvent | None] = asyncio.Queue()
        self._writing = asyncio.Lock()
        self._going = asyncio.Event()
        self._going.set()
        self._runs: dict[str, LaneRun] = {}
        self._stopped = False
        self._failure: PlaygroundError | None = None
        self._writer: RunWriter | None = None

    @property
    def data(self) -> RunData | None:
        """Return the run as it stands; None before its file is open."""
        return self._writer.data if self._writer is not None else None

    @property
    def unsaved(self) -> tuple[Entry, ...]:
        """Return what the disk has not taken, which is kept here only."""
        return tuple(self._writer.unsaved) if self._writer is not None else ()

    async def events(self) -> AsyncGenerator[BenchEvent, None]:
        """Yield what happens until the run is over. A consumer that leaves early ends it; it can be resumed.

        Use it with ``contextlib.aclosing``, and close the pool only behind that.

        Raises PlaygroundError when the run cannot begin, or its file cannot be written any more.
        """
        work = asyncio.create_task(self._run())
        work.add_done_callback(lambda _task: self._queue.put_nowait(None))
        try:
            while (event := await self._queue.get()) is not None:
                yield event
            await work
        finally:
            self._stopped = self._stopped or not work.done()  # a thread that hashes looks at it
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def stop(self) -> None:
        """Stop: answers under way are given up, everything complete is in the file."""
        self._stopped = True
        self._going.set()
        for run in self._runs.values():
            run.stop()

    def pause(self) -> None:
        """Begin no further task; what is under way goes on to its end."""
        self._going.clear()

    def go_on(self) -> None:
        """End a pause."""
        self._going.set()

    async def _run(self) -> None:
        self._lanes = tuple([await self._hashed(lane) for lane in self._lanes])
        self._check_going()
        writer = self._writer = await self._open()
        try:
            await look_at_devices(self._pool, [lane.load for lane in self._lanes], fresh=len(self._lanes) > 1)
            plan = await asyncio.to_thread(
                make_run_plan,
                self._lanes,
                self._settings.plan,
                self._pool,
                tuple(self._to_answer(writer.data)),
            )
            self._say(RunBegun(writer.data, plan))
            self._say(time_left(writer.data))
            await self._work(plan)
            if self._failure is not None:
                raise self._failure
            data = writer.data
            complete = data.is_complete
            errors = " ".join(f"{run.slot}: {run.error}" for run in self._runs.values() if run.error)
            reason = "" if complete else STOPPED if self._stopped else errors
            end = End(now(), complete, reason)
            await self._keep(end)
            self._say(RunFinished(end, writer.data))
        finally:
            async with self._writing:
                writer.close()

    # ---- before the first task

    async def _hashed(self, lane: LaneInfo) -> LaneInfo:
        """Return a lane with its hashes. Raises ModelError."""
        path = Path(lane.model.path)
        loop = asyncio.get_running_loop()

        def progress(fraction: float) -> None:
            self._check_going()
            loop.call_soon_threadsafe(self._say, LanePhase(lane.slot, Phase.HASHING, fraction))

        if not lane.sha256:
            self._say(
                LanePhase(lane.slot, Phase.HASHING, 0.0)
            )  # a file that is known already makes no progress
        sha256 = lane.sha256 or await asyncio.to_thread(model_sha256, path, progress)
        template = lane.template_sha256 or await asyncio.to_thread(template_sha256, path, lane.load.template)
        return msgspec.structs.replace(lane, sha256=sha256, template_sha256=template)

    def _check_going(self) -> None:
        """Raise PlaygroundError when the run was stopped before there is a file of it."""
        if self._stopped:
            raise PlaygroundError("The run was stopped before it began.")

    async def _open(self) -> RunWriter:
        if not self._resume:
            header = await new_header(
                self._suite, tuple(self._tasks.values()), self._lanes, self._settings, self._sandbox
            )
            return await asyncio.to_thread(RunWriter.create, self.path, header)
        writer = await asyncio.to_thread(RunWriter.resume, self.path)
        try:
            check_same(
                self.path, writer.data.header, self._suite, tuple(self._tasks), self._lanes, self._settings
            )
        except BaseException:
            writer.close()
            raise
        return writer

    # ---- the lanes

    def _to_answer(self, data: RunData) -> list[str]:
        return [slot for slot in data.slots if data.missing(slot)]

    async def _work(self, plan: Plan) -> None:
        data = self._now()
        todo = self._to_answer(data)
        self._runs = {
            lane.slot: LaneRun(
                *(lane, self._tasks, self._settings, self._pool, self._say, self._keep_answers, self._going),
                data.busy_s(lane.slot),
                None if plan.mode == "together" else self._test_new,
                self._rest_s if self._settings.parallel > 1 else 0.0,
            )
            for lane in self._lanes
            if lane.slot in todo
        }
        if self._stopped:
            self.stop()
        order = [slot for slot in plan.order if slot in todo]
        groups = [order] if plan.mode == "together" and order else [[slot] for slot in order]
        for slot in order:
            self._say(LanePhase(slot, Phase.QUEUED))
        for group in groups:
            if not plan.keeps_loaded:
                for other in set(self._pool.loaded()) - set(group):
                    await self._pool.unload(other)
            await self._answer(group)
            await self._test_all(group)
        await self._test_all([slot for slot in data.slots if slot not in order])

    async def _answer(self, slots: Sequence[str]) -> None:
        runs = [self._runs[slot] for slot in slots]
        threads = max(1, self._pool.budget.cores // len(runs))
        loads = await asyncio.gather(*(run.load(threads) for run in runs))
        ready = [run for run, line in zip(runs, loads, strict=True) if line is not None]
        for line in loads:
            if line is not None:
                await self._keep(line)
        if ready:
            leases = await self._pool.budget.join(
                [(run.engine, run.lane.load.threads) for run in ready if run.engine is not None]
            )
            parallel, samples = self._settings.parallel, self._settings.samples
            # One task more waits in the engine, so that its batch stays full to the last sample of each.
            at_once = parallel if parallel == 1 else parallel + samples - 1
            missing = {run.slot: self._now().missing(run.slot) for run in ready}
            async with asyncio.TaskGroup() as group:
                for run, lease in zip(ready, leases, strict=True):
                    group.create_task(run.answer(lease, missing[run.slot], at_once=at_once))
        for run in runs:
            end = run.end()
            await self._keep(end)
            self._say(LaneEnded(end))
            await self._pool.unload(run.slot)

    async def _keep_answers(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            await self._keep(answer)
            self._say(Answered(answer))
        self._say(time_left(self._now()))

    # ---- judging

    async def _test_all(self, slots: Sequence[str]) -> None:
        """Judge what has not been judged, and what could not be run before and now can."""
        for slot in slots:
            data = self._now()
            keys = list(data.unjudged(slot))
            if self._sandbox.is_safe:
                keys += [
                    key
                    for key, result in data.results.items()
                    if key[0] == slot and result.judged.outcome is Outcome.NOT_RUN
                ]
            if keys:
                self._say(LanePhase(slot, Phase.JUDGING))
                await self._test(keys)
            self._say(LanePhase(slot, Phase.DONE))

    async def _test_new(self, slot: str) -> None:
        await self._test(self._now().unjudged(slot))

    async def _test(self, keys: Sequence[Key]) -> None:
        """Judge answers, as many at once as there are cores."""
        left = list(reversed(keys))

        async def work() -> None:
            while left and not self._stopped:
                await self._test_one(left.pop())

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(keys), self._pool.budget.cores)):
                group.create_task(work())

    async def _test_one(self, key: Key) -> None:
        slot, task, sample = key
        self._say(JudgeBegun(slot, task, sample))
        result = await self._judging.result(self._now().answers[key], self._tasks[task])
        await self._keep(result)
        self._say(JudgeDone(result))

    # ---- the file

    async def _keep(self, entry: Entry) -> None:
        """Append to the file; when that fails, the entry stays here and the run stops."""
        writer = self._writer
        assert writer is not None
        async with self._writing:
            try:
                await _finished(asyncio.to_thread(writer.add, entry))
            except PlaygroundError as error:
                _log.info("the run stops: %s", error.message)
                self._failure = self._failure or error
        if self._failure is not None and not self._stopped:
            self.stop()

    def _now(self) -> RunData:
        assert self._writer is not None
        return self._writer.data

    def _say(self, event: BenchEvent) -> None:
        self._queue.put_nowait(event)


async def _finished(work: Awaitable[_T]) -> _T:
    """Await something to its end, even when cancelled meanwhile: a thread goes on writing."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
