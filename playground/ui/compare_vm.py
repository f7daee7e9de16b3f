"""The Compare screen without widgets: intents in, frozen states and transcript steps out. The one writer of both."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal

from playground.chat.messages import Conversation, Role
from playground.compare.events import (
    Lane,
    LaneDone,
    LaneLoaded,
    LaneStage,
    LaneText,
    RunEvent,
    Stage,
    WantedPlan,
)
from playground.engines.protocol import Counted, MemoryUse
from playground.errors import PlaygroundError
from playground.ui.bridge import Bridge
from playground.ui.compare_state import (
    CompareState,
    LaneSetup,
    LaneState,
    Phase,
    cleared,
    reduced,
    set_up,
    started,
)
from playground.ui.compare_words import engines_line, memory_line, plan_reason, size
from playground.ui.lane_actions import LaneAction
from playground.ui.model_list import ModelList
from playground.ui.prompt_counter import PromptCounter
from playground.ui.services import Run, Services
from playground.ui.transcript_steps import Step, StepQueue

if TYPE_CHECKING:
    import asyncio

    from playground.compare.prompts import Prompt

_SEEDS = 0xFFFFFFFE
_FIGURES_S = (
    0.09  # figures that change more often cannot be read, and each change lays out the lane's head again
)


class CompareVm(QObject):
    """``changed`` carries a new state; ``streaming`` says that transcript steps wait in ``take_steps``.

    ``models`` lists what is on this disk.
    """

    changed = Signal(object)
    streaming = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._bridge = bridge
        self.state = CompareState()
        self.models = ModelList(self)
        self._conversations = {lane.slot: Conversation() for lane in self.state.lanes}
        self._steps = {lane.slot: StepQueue() for lane in self.state.lanes}
        self._run: Run | None = None
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._dirty = False
        self._flushed = 0.0
        self._counter = PromptCounter(tuple(self._steps), self._size, self._show_size, self._spawn)
        self._asked_at = {lane.slot: 0.0 for lane in self.state.lanes}
        self._told = {lane.slot: frozenset[str]() for lane in self.state.lanes}  # warnings of the last loads
        self.more_prompts: Sequence[Prompt] = ()  # known besides the built-in ones

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
        if lane.model is not None and not lane.is_busy and not self.state.blocked:
            self._prepare(slot, self._make_copy(slot, quant))

    def set_options(self, slot: str, setup: LaneSetup, *, both: bool = False) -> None:
        """Set how a lane, or each lane, loads and answers, from its next prompt on."""
        state = self.state
        for lane in state.lanes:
            if both or lane.slot == slot:
                state = state.with_lane(set_up(lane, setup))
        self._set(state)
        self._counter.again()

    def set_plan(self, wanted: WantedPlan) -> None:
        """Choose how the lanes share the machine."""
        self._set(replace(self.state, wanted=wanted))

    def set_blocked(self, why: str) -> None:
        """Say why nothing can be asked now, empty: it can."""
        self._set(replace(self.state, blocked=why))

    def last_prompt(self, slot: str) -> str:
        """Return what a lane was asked last, empty: nothing."""
        turns = self._conversations[slot].turns
        return next((turn.text for turn in reversed(turns) if turn.role is Role.USER), "")

    def write_prompt(self, text: str) -> None:
        """Take what is being written, to say how much of each context it would take. Returns at once."""
        self._counter.write(text)

    def run(self, text: str) -> None:
        """Put a prompt to all lanes that have a model."""
        if not self.state.can_run or not text.strip():
            return
        prompt = self._known(text)
        lanes = [lane for lane in self.state.lanes if lane.model is not None]
        for lane in lanes:
            self._conversations[lane.slot] = self._asked(lane.slot, text)
            self._step(lane.slot, Step("user", text))
        self._set(replace(self.state, title=prompt.title if prompt else ""))
        self._start(lanes)

    def regenerate(self, slot: str | None = None) -> None:
        """Answer the last prompt of a lane, or of all, again, with another seed."""
        lanes = [lane for lane in self.state.lanes if slot in (None, lane.slot)]
        self._answer_again([replace(lane, attempt=lane.attempt + 1) for lane in lanes])

    def act(self, slot: str, action: LaneAction) -> None:
        """Take a way on from a failure that needs no more questions: the last prompt, with the same seed."""
        lane = self.state.lane(slot)
        if action.n_ctx is not None:
            load = msgspec.structs.replace(lane.load, n_ctx=action.n_ctx)
            lane = set_up(lane, replace(lane.setup, load=load))
        self._answer_again([lane])

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
            self._told[lane.slot] = frozenset()
            self._step(lane.slot, Step("clear"))
        lanes = tuple(cleared(lane) for lane in self.state.lanes)
        self._set(replace(self.state, lanes=lanes, title="", sentence="", plan=None))
        self._counter.again()

    def read_memory(self) -> None:
        """Bring the memory figures up to date."""
        reading = self._services.memory()
        total = max(reading.total_bytes, 1)
        shares = (reading.ours_bytes / total, max(reading.used_bytes - reading.ours_bytes, 0) / total)
        engines, memory = engines_line(reading), memory_line(reading)
        self._set(replace(self.state, engines=engines, memory=memory, memory_shares=shares))

    async def prepared(self, slot: str) -> None:
        """Wait until a lane's model is ready, or could not be made so."""
        import asyncio

        if task := self._preparing.get(slot):
            await asyncio.wait({task})

    # ---- for the page's one timer

    def take_steps(self, slot: str) -> list[Step]:
        """Return the transcript steps since the last call."""
        return self._steps[slot].take()

    def flush(self) -> None:
        """Emit the state when text has changed it since the last time, about ten times a second at most."""
        now = time.perf_counter()
        if self._dirty and now - self._flushed >= _FIGURES_S:
            self._dirty, self._flushed = False, now
            self.changed.emit(self.state)

    # ---- work

    async def _find_models(self) -> None:
        import asyncio

        self.models.set_models(await asyncio.to_thread(self._services.local_models))
        if not self.state.devices:
            self._set(replace(self.state, devices=await self._services.devices()))

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
            self._restore(before)
            raise
        lane = replace(cleared(self.state.lane(slot)), model=model, phase=Phase.READY)
        self._set(self.state.with_lane(replace(lane, n_ctx=None, loaded=None, memory=MemoryUse())))
        self._told[slot] = frozenset()
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
            self._restore(before)
        self._step(
            slot, Step("notice", f"The copy {copy.quant} is made ({size(copy.size_bytes)}): {copy.path}")
        )
        await self._find_models()

    def _restore(self, before: LaneState) -> None:
        """End a lane's preparing; its settings may have changed meanwhile."""
        lane = self.state.lane(before.slot)
        self._set(
            self.state.with_lane(
                replace(lane, phase=before.phase, doing=before.doing, fraction=before.fraction)
            )
        )

    def _progress(self, slot: str, what: str, share: float) -> None:
        lane = replace(self.state.lane(slot), phase=Phase.PREPARING, doing=what, fraction=share)
        self._set(self.state.with_lane(lane))

    def _answer_again(self, lanes: Sequence[LaneState]) -> None:
        talks = {lane.slot: self._conversations[lane.slot].without_last_answer() for lane in lanes}
        asked = [lane for lane in lanes if lane.model is not None and talks[lane.slot].turns]
        if not asked or self.state.blocked or any(lane.is_busy for lane in self.state.lanes):
            return
        for lane in asked:
            self._conversations[lane.slot] = talks[lane.slot]
            self._told[lane.slot] = frozenset()  # the notices go with the answer
            self._step(lane.slot, Step("remove_answer"))
        self._start(asked)

    def _start(self, lanes: Sequence[LaneState]) -> None:
        for lane in lanes:
            self._step(lane.slot, Step("begin"))
            self._asked_at[lane.slot] = time.perf_counter()
            self._set(self.state.with_lane(started(lane)))
        self._spawn(self._listen([self._lane(lane, self._conversations[lane.slot]) for lane in lanes]))

    def _known(self, text: str) -> Prompt | None:
        """Return the built-in prompt with this text."""
        prompts = (*self._services.prompts(), *self.more_prompts)
        return next((p for p in prompts if p.text.strip() == text.strip()), None)

    def _asked(self, slot: str, text: str) -> Conversation:
        """Return a lane's conversation with a new prompt."""
        prompt = self._known(text)
        return _answered(self._conversations[slot]).with_user(text, prompt.completion if prompt else None)

    def _lane(self, lane: LaneState, conversation: Conversation) -> Lane:
        assert lane.model is not None
        sampling = lane.answer.sampling
        seed = (sampling.seed + lane.attempt) % _SEEDS
        answer = msgspec.structs.replace(lane.answer, sampling=msgspec.structs.replace(sampling, seed=seed))
        talk = msgspec.structs.replace(conversation, system=lane.system)
        return Lane(lane.slot, lane.model, talk, lane.load, answer)

    async def _size(self, slot: str, text: str) -> Counted | None:
        lane = self.state.lane(slot)
        if lane.model is None or lane.is_busy or self.state.blocked:
            return None
        return await self._services.count(self._lane(lane, self._asked(slot, text)))

    def _show_size(self, slot: str, size: Counted | None) -> None:
        lane = self.state.lane(slot)
        self._set(self.state.with_lane(replace(lane, prompt_size=None if lane.is_busy else size)))

    async def _listen(self, lanes: list[Lane]) -> None:
        self._run = run = self._services.run(lanes, self.state.wanted)
        try:
            async for event in run.events():
                self._take(event)
        finally:
            is_last = (
                self._run is run
            )  # the next run may have begun in the turn in which this one's last lane ended
            self._run = None if is_last else self._run
            for lane in self.state.lanes:
                if is_last and lane.is_running:  # only after a bug: never leave a lane behind as running
                    self._set(self.state.with_lane(replace(lane, phase=Phase.READY, stopping=False)))
        if not is_last:
            return
        results = [lane.result for lane in self.state.lanes if lane.result is not None]
        said = self._services.sentence(results) or plan_reason(self.state)
        self._set(replace(self.state, sentence=said))
        self.read_memory()
        self._counter.again()

    def _take(self, event: RunEvent) -> None:
        self._time(event)
        self.state = reduced(self.state, event)
        if isinstance(event, LaneText):
            if event.reasoning:
                self._step(event.slot, Step("reasoning", event.reasoning))
            if event.text:
                self._step(event.slot, Step("answer", event.text))
            self._dirty = True
            return
        if isinstance(event, LaneLoaded):
            self._warn(event.slot, event.warnings)
        if isinstance(event, LaneDone):
            self._end(event)
        self.changed.emit(self.state)

    def _time(self, event: RunEvent) -> None:
        """Measure the time to the first token, from when the model was asked: the engine's own comes at the end."""
        if isinstance(event, LaneStage) and event.stage is Stage.READING:
            if self.state.lane(event.slot).phase is not Phase.READING:
                self._asked_at[event.slot] = time.perf_counter()
        elif isinstance(event, LaneText):
            lane = self.state.lane(event.slot)
            if lane.first_token_s is None:
                first_s = time.perf_counter() - self._asked_at[event.slot] - event.decode_s
                self.state = self.state.with_lane(replace(lane, first_token_s=max(first_s, 0.0)))

    def _warn(self, slot: str, warnings: Sequence[str]) -> None:
        """Show the warnings of a load, once: each run brings those of its model again."""
        for warning in warnings:
            if warning not in self._told[slot]:
                self._step(slot, Step("notice", warning, "warn"))
        self._told[slot] |= set(warnings)

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
            if warning not in self._told[done.slot]:
                self._step(done.slot, Step("notice", warning, "warn"))

    def _step(self, slot: str, step: Step) -> None:
        self._steps[slot].add(step)
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
