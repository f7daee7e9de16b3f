"""One comparison, from the plan to the last lane's result. The walk of every prompt, for both front ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from playground import logs
from playground.chat.messages import Conversation, Message, Role
from playground.compare.events import (
    Lane,
    LaneDone,
    LaneError,
    LaneLoaded,
    LaneResult,
    LaneStage,
    LaneText,
    Plan,
    Planned,
    RunEvent,
    Stage,
    WantedPlan,
)
from playground.compare.loading import load
from playground.compare.needs import held_on_devices, lane_needs, look_at_devices
from playground.compare.plan import make_plan
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, Finished, MemoryUse, PromptProgress, Timings, Usage
from playground.engines.threads import Lease
from playground.errors import EngineError, ErrorKind, NotFoundError, PlaygroundError
from playground.models import hardware

_log = logs.get("compare")


@dataclass(slots=True)
class _Progress:
    """What a lane has come to."""

    lane: Lane
    answer: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tokens: int = 0
    load_s: float = 0.0
    lease: Lease | None = None
    stopped: bool = False
    ended: bool = False
    loading: asyncio.Task[EngineProcess] | None = None
    engine: EngineProcess | None = None


class Comparison:
    """Runs lanes with the models of a pool. Iterate over ``events`` once; ``stop`` may be called at any time."""

    def __init__(self, lanes: Sequence[Lane], wanted: WantedPlan, pool: EnginePool) -> None:
        self._lanes = {lane.slot: _Progress(cleaned(lane)) for lane in lanes}
        self._wanted = wanted
        self._pool = pool
        self._queue: asyncio.Queue[RunEvent | None] = asyncio.Queue()

    async def events(self) -> AsyncIterator[RunEvent]:
        """Yield what happens until every lane is done. A consumer that leaves early stops the run."""
        work = asyncio.create_task(self._run())
        work.add_done_callback(lambda _task: self._queue.put_nowait(None))
        try:
            while (event := await self._queue.get()) is not None:
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def stop(self, slot: str | None = None) -> None:
        """Stop one lane, or all: an answer keeps what it has, a load is given up."""
        for name, progress in self._lanes.items():
            if slot in (None, name):
                progress.stopped = True
                if progress.engine is not None:
                    progress.engine.cancel()
                elif progress.loading is not None:
                    progress.loading.cancel()

    async def _run(self) -> None:
        await look_at_devices(
            self._pool,
            [progress.lane.load for progress in self._lanes.values()],
            fresh=len(self._lanes) > 1 and any(self._ready(slot) is None for slot in self._lanes),
        )
        plan = await asyncio.to_thread(self._plan)
        self._queue.put_nowait(Planned(plan))
        if plan.mode == "sequential":
            await self._one_after_the_other(plan)
        else:
            await self._together(plan)

    def _plan(self) -> Plan:
        loaded = [slot for slot in self._lanes if self._ready(slot) is not None]
        to_load = [progress.lane for slot, progress in self._lanes.items() if slot not in loaded]
        held = held_on_devices(known.memory for known in self._pool.loaded().values())
        needs = lane_needs(to_load, self._pool.devices, held)
        return make_plan(
            list(self._lanes),
            self._wanted,
            needs_bytes=needs.host_bytes,
            loaded=loaded,
            available_bytes=hardware.available_memory_bytes(),
            cores=self._pool.budget.cores,
            crowded=needs.crowded,
        )

    def _ready(self, slot: str) -> EngineProcess | None:
        lane = self._lanes[slot].lane
        return self._pool.ready(slot, lane.model.path, lane.load)

    async def _one_after_the_other(self, plan: Plan) -> None:
        for slot in plan.order:
            self._queue.put_nowait(LaneStage(slot, Stage.QUEUED))
        for slot in plan.order:
            if not plan.keeps_loaded and self._ready(slot) is None:
                for other in self._pool.loaded():
                    await self._pool.unload(other)
            await self._load(slot)
            await self._answer([slot])

    async def _together(self, plan: Plan) -> None:
        async with asyncio.TaskGroup() as group:
            for slot in plan.order:
                group.create_task(self._load(slot))
        await self._answer(plan.order)

    async def _load(self, slot: str) -> None:
        progress = self._lanes[slot]
        if progress.stopped:
            return
        try:
            engine = self._ready(slot)
            if engine is None:
                engine = await self._load_anew(slot, progress)
            progress.engine = engine
            if engine.loaded is not None:
                loaded = engine.loaded
                self._queue.put_nowait(
                    LaneLoaded(slot, loaded.model, loaded.memory, loaded.warnings, engine.estimated_bytes)
                )
            self._queue.put_nowait(LaneStage(slot, Stage.WAITING))
        except PlaygroundError as error:
            self._end(slot, error=error)

    async def _load_anew(self, slot: str, progress: _Progress) -> EngineProcess:
        lane = progress.lane
        self._queue.put_nowait(LaneStage(slot, Stage.LOADING, 0.0))
        await self._pool.unload(slot)
        threads = max(1, self._pool.budget.cores // len(self._lanes))
        if progress.stopped:
            raise _stopped()
        work = load(
            self._pool,
            lane,
            threads,
            lambda fraction: self._queue.put_nowait(LaneStage(slot, Stage.LOADING, fraction)),
        )
        progress.loading = asyncio.create_task(work)
        try:
            engine = await progress.loading
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is None or this.cancelling():  # not the load alone, the whole run
                raise
            raise _stopped() from None
        progress.load_s = engine.loaded.load_s if engine.loaded else 0.0
        return engine

    async def _answer(self, slots: Sequence[str]) -> None:
        users = []
        ready = []
        for slot in slots:
            progress = self._lanes[slot]
            if progress.stopped:
                self._end(slot)
            elif progress.engine is not None:
                users.append((progress.engine, progress.lane.load.threads))
                ready.append(slot)
        if not ready:
            return
        leases = await self._pool.budget.join(users)
        async with asyncio.TaskGroup() as group:
            for slot, lease in zip(ready, leases, strict=True):
                group.create_task(self._generate(slot, lease))

    async def _generate(self, slot: str, lease: Lease) -> None:
        progress = self._lanes[slot]
        progress.lease = lease
        engine = progress.engine
        assert engine is not None
        self._queue.put_nowait(LaneStage(slot, Stage.READING, 0.0, lease.threads))
        try:
            if progress.stopped:  # while the threads were handed out
                self._end(slot)
                return
            messages = progress.lane.conversation.messages()
            finished = await engine.generate(
                messages, progress.lane.answer, lease.threads, lambda event: self._hear(slot, event)
            )
            self._end(slot, finished=finished)
        except PlaygroundError as error:
            self._end(slot, error=error)
        finally:
            await self._pool.budget.leave(lease)

    def _hear(self, slot: str, event: PromptProgress | Chunk) -> None:
        progress = self._lanes[slot]
        if isinstance(event, PromptProgress):
            fraction = event.done / max(event.total, 1)
            self._queue.put_nowait(LaneStage(slot, Stage.READING, fraction))
            return
        if not progress.answer and not progress.reasoning:
            self._queue.put_nowait(LaneStage(slot, Stage.ANSWERING))
        progress.answer.append(event.text)
        progress.reasoning.append(event.reasoning)
        progress.tokens = event.tokens
        self._queue.put_nowait(LaneText(slot, event.text, event.reasoning, event.tokens, event.decode_s))

    def _end(
        self, slot: str, *, finished: Finished | None = None, error: PlaygroundError | None = None
    ) -> None:
        progress = self._lanes[slot]
        if progress.ended:  # a load that was stopped fails, and its lane is stopped
            return
        progress.ended = True
        if error is not None:
            _log.info("lane %s failed: %s", slot, error.message)
        self._queue.put_nowait(LaneDone(slot, _result(progress, finished, error)))
        progress.engine = None


def _stopped() -> EngineError:
    return EngineError(ErrorKind.STOPPED, "Loading was stopped.")


def _result(progress: _Progress, finished: Finished | None, error: PlaygroundError | None) -> LaneResult:
    lane, lease, engine = progress.lane, progress.lease, progress.engine
    loaded = engine.loaded if engine is not None else None
    stopped = progress.stopped and isinstance(error, EngineError) and error.kind is ErrorKind.STOPPED
    if stopped:
        error = None
    usage = finished.usage if finished else Usage(completion_tokens=progress.tokens)
    timings = finished.timings if finished else Timings()
    return LaneResult(
        slot=lane.slot,
        model=lane.model,
        answer="".join(progress.answer),
        reasoning="".join(progress.reasoning),
        stop="error" if error else finished.stop if finished else "cancelled",
        error=lane_error(error) if error else None,
        usage=usage,
        timings=_with_load(timings, progress.load_s),
        memory=finished.memory if finished else loaded.memory if loaded else MemoryUse(),
        load=lane.load,
        options=lane.answer,
        threads=lease.threads if lease else 0,
        shared=lease.shared if lease else False,
        answer_prefix=finished.prefix if finished else "",
        loaded=loaded.model if loaded else None,
        warnings=(*(loaded.warnings if loaded else ()), *(finished.warnings if finished else ())),
        draft=finished.draft if finished else None,
    )


def _with_load(timings: Timings, load_s: float) -> Timings:
    import msgspec

    return msgspec.structs.replace(timings, load_s=load_s)


def lane_error(error: PlaygroundError) -> LaneError:
    """Return an error of the tree as a value for front ends and JSON."""
    words = (error.message, error.hint, error.detail)
    if isinstance(error, EngineError):
        return LaneError(str(error.kind), *words, error.needed_tokens, error.fitting_tokens)
    kind = ErrorKind.NOT_FOUND if isinstance(error, NotFoundError) else ErrorKind.LOAD_FAILED
    return LaneError(str(kind), *words)


def cleaned(lane: Lane) -> Lane:
    """Replace lone surrogates, which no tokenizer and no JSON can carry."""
    import msgspec

    turns = tuple(
        Message(
            Role(turn.role),
            _text(turn.text),
            _text(turn.reasoning),
            turn.completion and _text(turn.completion),
        )
        for turn in lane.conversation.turns
    )
    conversation = Conversation(_text(lane.conversation.system), turns)
    return msgspec.structs.replace(lane, conversation=conversation)


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
