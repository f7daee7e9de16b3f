"""What the Compare screen shows, as frozen values, and how events change it. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from playground.chat.options import AnswerOptions, LoadOptions
from playground.compare.events import (
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
from playground.engines.protocol import Counted, LoadedModel, MemoryUse
from playground.models.files import ModelFile
from playground.ui.compare_words import NOTHING_LOADED

_SPEED_SAMPLES = 60
_SAMPLE_S = 0.25
_DEFAULT_CONTEXT = 8192
_NO_MEMORY = MemoryUse()


class Phase(StrEnum):
    """Where a lane is, the run's stages among them."""

    EMPTY = "empty"
    PREPARING = "preparing"
    READY = "ready"
    QUEUED = "queued"
    LOADING = "loading"
    WAITING = "waiting"
    READING = "reading"
    ANSWERING = "answering"
    DONE = "done"
    FAILED = "failed"


_RUNNING = (Phase.QUEUED, Phase.LOADING, Phase.WAITING, Phase.READING, Phase.ANSWERING)
_STAGES = {
    Stage.QUEUED: Phase.QUEUED,
    Stage.LOADING: Phase.LOADING,
    Stage.WAITING: Phase.WAITING,
    Stage.READING: Phase.READING,
    Stage.ANSWERING: Phase.ANSWERING,
}


@dataclass(frozen=True, slots=True)
class LaneSetup:
    """What the settings of a lane hold: how its model is loaded and answers, and the system prompt."""

    load: LoadOptions = LoadOptions()
    answer: AnswerOptions = AnswerOptions()
    system: str = ""


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane. ``doing`` says what is being prepared; ``speeds`` are samples of tokens per second.

    ``n_ctx`` is the context that the loaded model has, None before it is loaded with the present options; ``loaded``
    is that model. ``first_token_s`` is measured here, until the engine's own figure comes. ``prompt_size`` is that of
    the conversation with the prompt that is being written, None while it is not known.
    """

    slot: str
    model: ModelFile | None = None
    phase: Phase = Phase.EMPTY
    doing: str = ""
    fraction: float | None = None
    stopping: bool = False
    n_ctx: int | None = None
    loaded: LoadedModel | None = None
    tokens: int = 0
    first_token_s: float | None = None
    decode_s: float = 0.0
    speeds: tuple[float, ...] = ()
    sampled_at: tuple[int, float] = (0, 0.0)
    memory: MemoryUse = _NO_MEMORY
    estimated_bytes: int = 0
    prompt_size: Counted | None = None
    result: LaneResult | None = None
    error: LaneError | None = None
    load: LoadOptions = LoadOptions()
    answer: AnswerOptions = AnswerOptions()
    system: str = ""
    attempt: int = 0

    @property
    def setup(self) -> LaneSetup:
        """Return the lane's settings."""
        return LaneSetup(self.load, self.answer, self.system)

    @property
    def context_tokens(self) -> int:
        """Return the context that the lane has, or will have when its model is loaded."""
        trained = self.model.n_ctx_train if self.model else 0
        return self.n_ctx or self.load.n_ctx or min(trained or _DEFAULT_CONTEXT, _DEFAULT_CONTEXT)

    @property
    def is_running(self) -> bool:
        """Return whether this lane takes part in a run now."""
        return self.phase in _RUNNING

    @property
    def is_answering(self) -> bool:
        """Return whether this lane's model writes its answer now."""
        return self.phase is Phase.ANSWERING

    @property
    def has_failed(self) -> bool:
        """Return whether this lane's last run has failed."""
        return self.phase is Phase.FAILED

    @property
    def is_busy(self) -> bool:
        """Return whether the lane's model or settings must not change now."""
        return self.is_running or self.phase is Phase.PREPARING


@dataclass(frozen=True, slots=True)
class CompareState:
    """The whole screen."""

    lanes: tuple[LaneState, ...] = (LaneState("A"), LaneState("B"))
    wanted: WantedPlan = "auto"
    plan: Plan | None = None
    title: str = ""
    sentence: str = ""
    engines: str = NOTHING_LOADED
    memory: str = ""
    devices: str = ""  # in words
    memory_shares: tuple[float, float] = (0.0, 0.0)  # ours, others', of the machine's memory
    blocked: str = ""  # why nothing can be asked: something else has the engines

    def lane(self, slot: str) -> LaneState:
        """Return a lane by its letter."""
        return next(lane for lane in self.lanes if lane.slot == slot)

    def with_lane(self, lane: LaneState) -> CompareState:
        """Return the state with one lane replaced."""
        return replace(self, lanes=tuple(lane if old.slot == lane.slot else old for old in self.lanes))

    @property
    def is_running(self) -> bool:
        """Return whether any lane takes part in a run."""
        return any(lane.is_running for lane in self.lanes)

    @property
    def can_run(self) -> bool:
        """Return whether a prompt could be sent now."""
        free = not self.blocked and not any(lane.is_busy for lane in self.lanes)
        return free and any(lane.model for lane in self.lanes)


def reduced(state: CompareState, event: RunEvent) -> CompareState:
    """Return the state after an event of a run."""
    if isinstance(event, Planned):
        return replace(state, plan=event.plan, sentence=event.plan.reason)
    lane = state.lane(event.slot)
    if isinstance(event, LaneStage):
        lane = replace(lane, phase=_STAGES[event.stage], fraction=event.fraction)
    elif isinstance(event, LaneLoaded):
        lane = replace(lane, n_ctx=event.model.n_ctx, loaded=event.model, memory=event.memory)
        lane = replace(lane, estimated_bytes=event.estimated_bytes)
    elif isinstance(event, LaneText):
        lane = _with_text(lane, event)
    elif isinstance(event, LaneDone):
        lane = _with_result(lane, event.result)
    return state.with_lane(lane)


def set_up(lane: LaneState, setup: LaneSetup) -> LaneState:
    """Return a lane with other settings; another way of loading makes the context that it had out of date."""
    changed = replace(lane, load=setup.load, answer=setup.answer, system=setup.system)
    return changed if setup.load == lane.load else replace(changed, n_ctx=None, loaded=None)


def started(lane: LaneState) -> LaneState:
    """Return a lane at the beginning of a run, without the last one's figures."""
    return replace(
        lane,
        phase=Phase.QUEUED,
        fraction=None,
        stopping=False,
        tokens=0,
        first_token_s=None,
        decode_s=0.0,
        prompt_size=None,
        speeds=(),
        sampled_at=(0, 0.0),
        result=None,
        error=None,
    )


def cleared(lane: LaneState) -> LaneState:
    """Return a lane as if nothing had been asked."""
    return replace(started(lane), phase=Phase.READY if lane.model else Phase.EMPTY, attempt=0)


def _with_text(lane: LaneState, event: LaneText) -> LaneState:
    speeds, (tokens, at_s) = lane.speeds, lane.sampled_at
    if event.decode_s - at_s >= _SAMPLE_S:
        speeds = (*speeds, (event.tokens - tokens) / (event.decode_s - at_s))[-_SPEED_SAMPLES:]
        tokens, at_s = event.tokens, event.decode_s
    return replace(
        lane,
        phase=Phase.ANSWERING,
        tokens=event.tokens,
        decode_s=event.decode_s,
        speeds=speeds,
        sampled_at=(tokens, at_s),
    )


def _with_result(lane: LaneState, result: LaneResult) -> LaneState:
    return replace(
        lane,
        phase=Phase.FAILED if result.error else Phase.DONE,
        stopping=False,
        fraction=None,
        result=result,
        error=result.error,
        tokens=result.usage.completion_tokens or lane.tokens,
        memory=result.memory if result.memory.held_bytes else lane.memory,
    )
