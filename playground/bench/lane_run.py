"""One lane of a run: its model is loaded once and answers what is missing, task after task or several together.

Owns the lane's clock, which runs only while something is being generated. Knows no file and no other lane.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from playground import logs
from playground.bench.events import BenchEvent, LaneLoaded, LanePhase, Phase, TaskBegun, TaskText
from playground.bench.lanes import answer_options, question
from playground.bench.record import Answer, LaneEnd, LaneInfo, LaneLoad, RunSettings
from playground.bench.run_data import Key
from playground.bench.task import Task
from playground.chat.messages import Conversation
from playground.compare.events import Lane
from playground.compare.loading import load
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, Finished, MemoryUse, PromptProgress, Timings, Usage
from playground.engines.threads import Lease
from playground.errors import EngineError, ErrorKind, PlaygroundError

_MOST_AT_ONCE = 64  # answers of one request
_log = logs.get("bench")
Keep = Callable[[Sequence[Answer]], Awaitable[None]]
Rest = Callable[[str], Awaitable[None]]  # gets the lane's slot


class Clock:
    """Seconds during which at least one answer was under way."""

    def __init__(self, earlier_s: float) -> None:
        self._past_s, self._users, self._since = earlier_s, 0, 0.0

    def start(self) -> None:
        """One more answer is under way."""
        if not self._users:
            self._since = time.perf_counter()
        self._users += 1

    def stop(self) -> None:
        """One answer less is under way."""
        self._users -= 1
        if not self._users:
            self._past_s += time.perf_counter() - self._since

    @property
    def elapsed_s(self) -> float:
        """Return the seconds so far."""
        return self._past_s + (time.perf_counter() - self._since if self._users else 0.0)


@dataclass(slots=True)
class _Texts:
    """What one answer has come to."""

    answer: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)


class LaneRun:
    """``say`` gets events, ``keep`` the answers to each task as they are complete; ``going`` is unset while paused.

    ``rest`` is awaited every ``rest_s`` seconds, between two tasks, while nothing is under way; None: never.
    """

    def __init__(
        self,
        lane: LaneInfo,
        tasks: Mapping[str, Task],
        settings: RunSettings,
        pool: EnginePool,
        say: Callable[[BenchEvent], None],
        keep: Keep,
        going: asyncio.Event,
        earlier_s: float,
        rest: Rest | None,
        rest_s: float,
    ) -> None:
        self._rest, self._rest_s, self._rested = rest, rest_s, 0.0
        self.lane, self.slot = lane, lane.slot
        self.error = ""
        self.engine: EngineProcess | None = None
        self.stopped = False
        self._tasks, self._settings, self._pool = tasks, settings, pool
        self._say, self._keep, self._going = say, keep, going
        self._clock = Clock(earlier_s)
        self._peak_bytes = 0
        self._loading: asyncio.Task[EngineProcess] | None = None
        self._lease: Lease | None = None
        self._under_way = 0
        self._changed = asyncio.Condition()

    @property
    def over(self) -> bool:
        """Return whether the lane answers nothing more in this sitting."""
        return self.stopped or bool(self.error)

    def stop(self) -> None:
        """End at once; answers under way are not kept."""
        self.stopped = True
        if self.engine is not None:
            self.engine.cancel()
        elif self._loading is not None:
            self._loading.cancel()

    async def load(self, threads: int) -> LaneLoad | None:
        """Bring the model into memory; None, and ``error`` set, when that fails or was stopped."""
        if self.over:
            return None
        self._say(LanePhase(self.slot, Phase.LOADING, 0.0))
        lane = Lane(self.slot, self.lane.model, Conversation(), self.lane.load, self.lane.answer)
        await self._pool.unload(self.slot)
        work = load(self._pool, lane, threads, self._loaded_so_far)
        self._loading = asyncio.create_task(work)
        try:
            self.engine = await self._loading
        except PlaygroundError as error:
            self._fail(error)
            return None
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is None or this.cancelling() or not self.stopped:  # not the load alone, the whole run
                raise
            return None
        return self._load_line(self.engine)

    def _loaded_so_far(self, fraction: float) -> None:
        self._say(LanePhase(self.slot, Phase.LOADING, fraction))

    def _load_line(self, engine: EngineProcess) -> LaneLoad:
        loaded = engine.loaded
        assert loaded is not None
        self._note(loaded.memory)
        memory, model = loaded.memory, loaded.model
        line = LaneLoad(
            slot=self.slot,
            load_s=loaded.load_s,
            peak_bytes=self._peak_bytes,
            weights_bytes=memory.weights_bytes,
            kv_bytes=memory.kv_bytes,
            compute_bytes=memory.compute_bytes,
            gpu_layers=model.gpu_layers,
            threads=min(self.lane.load.threads or self._pool.budget.cores, self._pool.budget.cores),
        )
        self._say(LaneLoaded(line, loaded.warnings))
        return line

    async def answer(self, lease: Lease, missing: Sequence[Key], *, at_once: int) -> None:
        """Answer what is missing, at most about ``at_once`` answers together. Never raises an EngineError."""
        self._lease, self._rested = lease, time.monotonic()
        try:
            self._say(LanePhase(self.slot, Phase.ANSWERING))
            async with asyncio.TaskGroup() as group:
                for task, samples in _by_task(missing):
                    await self._room(at_once)
                    if self.over:
                        break
                    self._under_way += len(samples)
                    group.create_task(self._answer_task(self._tasks[task], samples))
        finally:
            await self._pool.budget.leave(lease)

    def end(self) -> LaneEnd:
        """Return the line that ends the lane's sitting."""
        return LaneEnd(self.slot, self._clock.elapsed_s, self._peak_bytes, self.error)

    async def _room(self, at_once: int) -> None:
        """Wait for room for another task, for the end of a rest, and for the end of a pause."""
        rests = self._rest is not None and time.monotonic() - self._rested >= self._rest_s
        most = 1 if rests else at_once
        async with self._changed:
            await self._changed.wait_for(lambda: self._under_way < most or self.over)
        if rests and self._rest is not None and not self.over:
            await self._rest(self.slot)
            self._rested = time.monotonic()
        if not self._going.is_set() and not self.over:
            self._say(LanePhase(self.slot, Phase.PAUSED))
            await self._going.wait()
            self._say(LanePhase(self.slot, Phase.ANSWERING))

    async def _answer_task(self, task: Task, samples: Sequence[int]) -> None:
        self._say(TaskBegun(self.slot, task.id, tuple(samples)))
        try:
            for first, count in _stretches(samples):
                answers = [] if self.over else await self._request(task, first, count)
                if answers:
                    await self._keep(answers)
        finally:
            async with self._changed:
                self._under_way -= len(samples)
                self._changed.notify_all()

    async def _request(self, task: Task, first: int, count: int) -> list[Answer]:
        """Return the answers of one request; none of those that were cancelled."""
        engine, lease = self.engine, self._lease
        assert engine is not None
        assert lease is not None
        texts = [_Texts() for _ in range(count)]
        options = answer_options(self.lane, self._settings, task.id, first, count)
        self._clock.start()
        try:
            finished = await engine.generate_all(
                question(task), options, lease.threads, lambda event: self._hear(event, task, first, texts)
            )
        except EngineError as error:
            return self._failed(error, task, first, count)
        finally:
            self._clock.stop()
        return [
            self._answered(task, first, each, texts[each.sample])
            for each in finished
            if each.stop != "cancelled"
        ]

    def _hear(self, event: PromptProgress | Chunk, task: Task, first: int, texts: list[_Texts]) -> None:
        if isinstance(event, Chunk):
            texts[event.sample].answer.append(event.text)
            texts[event.sample].reasoning.append(event.reasoning)
            number = first + event.sample
            self._say(
                TaskText(
                    self.slot, task.id, number, event.text, event.reasoning, event.tokens, event.decode_s
                )
            )

    def _answered(self, task: Task, first: int, finished: Finished, texts: _Texts) -> Answer:
        assert self._lease is not None
        self._note(finished.memory)
        number = first + finished.sample
        return Answer(
            *(self.slot, task.id, number, "".join(texts.answer), "".join(texts.reasoning)),
            stop=finished.stop,
            usage=finished.usage,
            timings=finished.timings,
            seed=self._seed(task, number),
            answer_prefix=finished.prefix,
            parallel=self._settings.parallel,
            shared=self._lease.shared,
            lane_s=self._clock.elapsed_s,
        )

    def _failed(self, error: EngineError, task: Task, first: int, count: int) -> list[Answer]:
        """Return answers that say why there are none; nothing when the model itself is gone."""
        assert self.engine is not None
        if not self.engine.is_alive or error.kind in (ErrorKind.CRASHED, ErrorKind.STOPPED):
            if not self.stopped:
                self._fail(error)
            return []
        return [
            Answer(
                *(self.slot, task.id, number, "", "", "error", Usage(), Timings(), self._seed(task, number)),
                error=error.sentence(),
                parallel=self._settings.parallel,
                lane_s=self._clock.elapsed_s,
            )
            for number in range(first, first + count)
        ]

    def _fail(self, error: PlaygroundError) -> None:
        _log.info("lane %s failed: %s", self.slot, error.message)
        self.error = self.error or error.sentence()

    def _seed(self, task: Task, number: int) -> int:
        return answer_options(self.lane, self._settings, task.id, number, 1).sampling.seed

    def _note(self, memory: MemoryUse) -> None:
        elsewhere = (use for use in memory.devices if use.device != "CPU")
        remote = sum(use.weights_bytes + use.kv_bytes + use.compute_bytes for use in elsewhere)
        self._peak_bytes = max(self._peak_bytes, memory.peak_bytes + remote)


def _by_task(missing: Sequence[Key]) -> list[tuple[str, list[int]]]:
    """Return the missing samples of each task, in the order of the run."""
    found: dict[str, list[int]] = {}
    for _, task, sample in missing:
        found.setdefault(task, []).append(sample)
    return list(found.items())


def _stretches(samples: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and count of what follows one another without a gap: only such samples fit into one request."""
    found: list[tuple[int, int]] = []
    for sample in samples:
        first, count = found[-1] if found else (sample, 0)
        if found and sample == first + count and count < _MOST_AT_ONCE:
            found[-1] = (first, count + 1)
        else:
            found.append((sample, 1))
    return found
