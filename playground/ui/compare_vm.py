"""The Compare screen without widgets: intents in, frozen states and transcript steps out. The one writer of both."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from PySide6.QtCore import QObject, Signal

from playground.chat.messages import Conversation, Role
from playground.chat.options import AnswerOptions, LoadOptions
from playground.compare.events import Lane, LaneDone, LaneText, RunEvent, WantedPlan
from playground.errors import PlaygroundError
from playground.ui.bridge import Bridge
from playground.ui.compare_state import CompareState, LaneState, Phase, reduced, started
from playground.ui.compare_words import NOTHING_LOADED, size
from playground.ui.services import Run, Services

if TYPE_CHECKING:
    import asyncio

_SEEDS = 0xFFFFFFFE
_FIGURES_S = (
    0.09  # figures that change more often cannot be read, and each change lays out the lane's head again
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a lane's transcript, in order."""

    kind: Literal["user", "begin", "answer", "reasoning", "finish", "notice", "remove_answer", "clear"]
    text: str = ""
    level: Literal["info", "warn", "bad"] = "info"


class CompareVm(QObject):
    """``changed`` carries a new state; ``streaming`` says that transcript steps wait in ``take_steps``."""

    changed = Signal(object)
    streaming = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._bridge = bridge
        self.state = CompareState()
        self._conversations = {lane.slot: Conversation() for lane in self.state.lanes}
        self._steps: dict[str, deque[Step]] = {lane.slot: deque() for lane in self.state.lanes}
        self._run: Run | None = None
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._dirty = False
        self._flushed = 0.0

    # ---- intents

    def refresh_models(self) -> None:
        """Look for models on this disk, in the background."""
        self._spawn(self._find_models())

    def choose_model(self, slot: str, ref: str) -> None:
        """Give a lane another model; the conversation stays."""
        if not self.state.lane(slot).is_busy:
            self._prepare(slot, self._choose(slot, ref))

    def make_copy(self, slot: str, quant: str) -> None:
        """Make a smaller copy of a lane's model and put it into the other lane, or this one."""
        lane = self.state.lane(slot)
        if lane.model is not None and not lane.is_busy:
            self._prepare(slot, self._make_copy(slot, quant))

    def set_options(self, slot: str, load: LoadOptions, answer: AnswerOptions) -> None:
        """Set how a lane loads and answers, from its next prompt on."""
        self._set(self.state.with_lane(replace(self.state.lane(slot), load=load, answer=answer)))

    def set_plan(self, wanted: WantedPlan) -> None:
        """Choose how the lanes share the machine."""
        self._set(replace(self.state, wanted=wanted))

    def run(self, text: str) -> None:
        """Put a prompt to all lanes that have a model."""
        if not self.state.can_run or not text.strip():
            return
        prompt = next((p for p in self._services.prompts() if p.text.strip() == text.strip()), None)
        lanes = [lane for lane in self.state.lanes if lane.model is not None]
        for lane in lanes:
            talk = _answered(self._conversations[lane.slot])
            self._conversations[lane.slot] = talk.with_user(text, prompt.completion if prompt else None)
            self._step(lane.slot, Step("user", text))
        self._set(replace(self.state, title=prompt.title if prompt else ""))
        self._start(lanes)

    def regenerate(self, slot: str) -> None:
        """Answer a lane's last prompt again, with another seed."""
        lane, talk = self.state.lane(slot), self._conversations[slot].without_last_answer()
        if lane.model is None or self.state.is_running or lane.is_busy or not talk.turns:
            return
        self._conversations[slot] = talk
        self._step(slot, Step("remove_answer"))
        again = replace(lane, attempt=lane.attempt + 1)
        self._set(self.state.with_lane(again))
        self._start([again])

    def stop(self, slot: str | None = None) -> None:
        """Stop a lane, or all, whatever they are doing."""
        for lane in self.state.lanes:
            if slot not in (None, lane.slot):
                continue
            if lane.is_running:
                self._set(self.state.with_lane(replace(lane, stopping=True)))
            elif lane.slot in self._preparing:
                self._preparing[lane.slot].cancel()
        if self._run is not None:
            self._run.stop(slot)

    def new_conversation(self) -> None:
        """Forget both conversations."""
        if self.state.is_running:
            return
        for lane in self.state.lanes:
            self._conversations[lane.slot] = Conversation()
            self._step(lane.slot, Step("clear"))
        cleared = tuple(_cleared(lane) for lane in self.state.lanes)
        self._set(replace(self.state, lanes=cleared, title="", sentence="", plan=None))

    def read_memory(self) -> None:
        """Bring the memory figures up to date."""
        reading = self._services.memory()
        count = reading.engines
        engines = (
            f"{count} model{'s' * (count != 1)} loaded, {reading.cores} cores" if count else NOTHING_LOADED
        )
        total = max(reading.total_bytes, 1)
        shares = (reading.ours_bytes / total, max(reading.used_bytes - reading.ours_bytes, 0) / total)
        memory = f"Memory {size(reading.used_bytes)} of {size(reading.total_bytes)}"
        self._set(replace(self.state, engines=engines, memory=memory, memory_shares=shares))

    async def prepared(self, slot: str) -> None:
        """Wait until a lane's model is ready, or could not be made so."""
        import asyncio

        if task := self._preparing.get(slot):
            await asyncio.wait({task})

    # ---- for the page's one timer

    def take_steps(self, slot: str) -> list[Step]:
        """Return the transcript steps since the last call; neighbouring text is joined."""
        waiting = self._steps[slot]
        joined: list[Step] = []
        while waiting:
            step = waiting.popleft()
            if joined and step.kind in ("answer", "reasoning") and joined[-1].kind == step.kind:
                joined[-1] = replace(joined[-1], text=joined[-1].text + step.text)
            else:
                joined.append(step)
        return joined

    def flush(self) -> None:
        """Emit the state when text has changed it since the last time, about ten times a second at most."""
        now = time.perf_counter()
        if self._dirty and now - self._flushed >= _FIGURES_S:
            self._dirty, self._flushed = False, now
            self.changed.emit(self.state)

    # ---- work

    async def _find_models(self) -> None:
        import asyncio

        found = await asyncio.to_thread(self._services.local_models)
        self._set(replace(self.state, models=tuple(found)))

    def _prepare(self, slot: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._spawn(work, slot)
        self._preparing[slot] = task
        task.add_done_callback(lambda _task: self._preparing.pop(slot, None))

    async def _choose(self, slot: str, ref: str) -> None:
        before = self.state.lane(slot)
        try:
            self._set(
                self.state.with_lane(replace(before, phase=Phase.PREPARING, doing="Preparing", fraction=None))
            )
            model = await self._services.prepare(ref, lambda what, share: self._progress(slot, what, share))
        except BaseException:
            self._set(self.state.with_lane(before))
            raise
        lane = replace(_cleared(self.state.lane(slot)), model=model, phase=Phase.READY, n_ctx=None)
        self._set(self.state.with_lane(lane))
        if self._conversations[slot].turns:
            self._step(slot, Step("notice", f"From here on {model.name} {model.quant} answers."))

    async def _make_copy(self, slot: str, quant: str) -> None:
        before = self.state.lane(slot)
        assert before.model is not None
        try:
            self._set(self.state.with_lane(replace(before, phase=Phase.PREPARING, doing=f"Making {quant}")))
            copy = await self._services.make_copy(
                before.model, quant, lambda what, share: self._progress(slot, what, share)
            )
        finally:
            self._set(self.state.with_lane(before))
        self._step(
            slot, Step("notice", f"The copy {copy.quant} is made ({size(copy.size_bytes)}): {copy.path}")
        )
        await self._find_models()

    def _progress(self, slot: str, what: str, share: float) -> None:
        lane = replace(self.state.lane(slot), phase=Phase.PREPARING, doing=what, fraction=share)
        self._set(self.state.with_lane(lane))

    def _start(self, lanes: Sequence[LaneState]) -> None:
        for lane in lanes:
            self._step(lane.slot, Step("begin"))
            self._set(self.state.with_lane(started(lane)))
        self._spawn(self._listen([self._lane(lane) for lane in lanes]))

    def _lane(self, lane: LaneState) -> Lane:
        assert lane.model is not None
        sampling = lane.answer.sampling
        seed = (sampling.seed + lane.attempt) % _SEEDS
        answer = msgspec.structs.replace(lane.answer, sampling=msgspec.structs.replace(sampling, seed=seed))
        return Lane(lane.slot, lane.model, self._conversations[lane.slot], lane.load, answer)

    async def _listen(self, lanes: list[Lane]) -> None:
        self._run = run = self._services.run(lanes, self.state.wanted)
        try:
            async for event in run.events():
                self._take(event)
        finally:
            self._run = None
            for lane in self.state.lanes:
                if lane.is_running:  # only after a bug: never leave a lane behind as running
                    self._set(self.state.with_lane(replace(lane, phase=Phase.READY, stopping=False)))
        results = [lane.result for lane in self.state.lanes if lane.result is not None]
        self._set(replace(self.state, sentence=self._services.sentence(results)))
        self.read_memory()

    def _take(self, event: RunEvent) -> None:
        self.state = reduced(self.state, event)
        if isinstance(event, LaneText):
            if event.reasoning:
                self._step(event.slot, Step("reasoning", event.reasoning))
            if event.text:
                self._step(event.slot, Step("answer", event.text))
            self._dirty = True
            return
        if isinstance(event, LaneDone):
            self._end(event)
        self.changed.emit(self.state)

    def _end(self, done: LaneDone) -> None:
        result = done.result
        self._step(done.slot, Step("finish"))
        if result.error is not None:
            error = result.error
            self._step(done.slot, Step("notice", f"{error.message} {error.hint}".strip(), "bad"))
        if result.answer or result.reasoning:
            talk = self._conversations[done.slot]
            self._conversations[done.slot] = talk.with_answer(result.answer, result.reasoning)
        for warning in result.warnings:
            self._step(done.slot, Step("notice", warning, "warn"))

    def _step(self, slot: str, step: Step) -> None:
        self._steps[slot].append(step)
        self.streaming.emit()

    def _set(self, state: CompareState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)

    def _spawn(self, work: Coroutine[Any, Any, None], slot: str = "") -> asyncio.Task[None]:
        def show(error: PlaygroundError) -> None:
            for lane in self.state.lanes:
                if slot in ("", lane.slot):
                    self._step(lane.slot, Step("notice", error.sentence(), "bad"))

        return self._bridge.spawn(work, self, show)


def _answered(talk: Conversation) -> Conversation:
    """Return the conversation without a last user turn that was never answered."""
    turns = talk.turns
    while turns and turns[-1].role is Role.USER:
        turns = turns[:-1]
    return msgspec.structs.replace(talk, turns=turns)


def _cleared(lane: LaneState) -> LaneState:
    fresh = started(lane)
    return replace(fresh, phase=Phase.READY if lane.model else Phase.EMPTY, attempt=0)
