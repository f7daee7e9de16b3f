"""A run under way as a frozen value, how its events change it, and the words for it. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.bench.answer_text import cleaned
from playground.bench.events import (
    Answered,
    BenchEvent,
    JudgeBegun,
    JudgeDone,
    LaneEnded,
    LaneLoaded,
    LanePhase,
    Phase,
    RunBegun,
    RunFinished,
    TaskBegun,
    TaskText,
    TimeLeft,
)
from playground.bench.record import LaneLoad
from playground.bench.run_data import RunData
from playground.bench.shown_text import shown
from playground.bench.verdict import name as lane_name
from playground.ui.results import words
from playground.ui.results.task_rows import LaneCell
from playground.ui.results.words import Pill

CLOSED = (
    "The verdict stays closed until the run ends: stopping at the first lead names false winners "
    "three times as often."
)
CLOSED_SHORT = "Verdict closed until the end, so that looking early cannot name a false winner."
SAVED = "each answer is saved as it ends; a crash or a power cut loses the task under way at most"
_TAIL_CHARS = 4000
_TAIL_LINES = 4
_SAMPLE_S = 0.25
_SPEEDS = 60
_PHASES = {
    Phase.HASHING: "Checking the file",
    Phase.QUEUED: "Queued",
    Phase.LOADING: "Loading",
    Phase.ANSWERING: "Streaming",
    Phase.PAUSED: "Paused",
    Phase.JUDGING: "Running tests",
    Phase.DONE: "Done",
}


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """One lane. ``at``: the task that it is at; ``speeds``: samples of tokens per second, oldest first."""

    slot: str
    name: str
    quant: str
    total: int
    done: int = 0
    phase: Phase = Phase.QUEUED
    fraction: float | None = None
    at: str = ""
    sample: int = 0
    text: str = ""
    thinks: bool = False
    tokens: int = 0
    decode_s: float = 0.0
    speeds: tuple[float, ...] = ()
    sampled_at: tuple[int, float] = (0, 0.0)
    load: LaneLoad | None = None
    n_ctx: int = 0
    peak_bytes: int = 0
    error: str = ""
    busy_s: float = 0.0
    ended: bool = False

    @property
    def is_active(self) -> bool:
        """Return whether it is at work now."""
        return not self.ended and self.phase not in (Phase.QUEUED, Phase.DONE)


@dataclass(frozen=True, slots=True)
class RunningState:
    """The whole place. ``data`` None: the run has not begun yet; ``trouble``: why it could not go on."""

    title: str = ""
    lanes: tuple[LaneProgress, ...] = ()
    left: TimeLeft | None = None
    plan: str = ""
    data: RunData | None = None
    paused: bool = False
    stopping: bool = False
    over: bool = True
    trouble: str = ""
    warnings: tuple[str, ...] = ()

    def lane(self, slot: str) -> LaneProgress:
        """Return a lane by its letter."""
        return next(lane for lane in self.lanes if lane.slot == slot)

    def with_lane(self, lane: LaneProgress) -> RunningState:
        """Return the state with one lane replaced."""
        return replace(self, lanes=tuple(lane if old.slot == lane.slot else old for old in self.lanes))

    @property
    def shown(self) -> LaneProgress | None:
        """Return the lane whose answer is shown: the first at work, else the one that was last."""
        active = [lane for lane in self.lanes if lane.is_active]
        return active[0] if active else next((lane for lane in reversed(self.lanes) if lane.at), None)


def begun(names: tuple[tuple[str, str, str], ...], title: str) -> RunningState:
    """Return a run that is being prepared; slot, name and quant of each lane."""
    lanes = tuple(LaneProgress(slot, name, quant, 0) for slot, name, quant in names)
    return RunningState(title=title, lanes=lanes, over=False)


def reduced(state: RunningState, event: BenchEvent) -> RunningState:
    """Return the state after an event."""
    if isinstance(event, RunBegun):
        return _opened(state, event)
    if isinstance(event, TimeLeft):
        return replace(state, left=event)
    if isinstance(event, RunFinished):
        return replace(state, data=event.data, over=True, stopping=False, paused=False)
    if isinstance(event, Answered | JudgeDone):
        return _with_entry(state, event)
    return state.with_lane(_lane(state, event)) if state.lanes else state


def _opened(state: RunningState, event: RunBegun) -> RunningState:
    data = event.data
    total = len(data.header.tasks) * data.header.settings.samples
    lanes = tuple(
        LaneProgress(
            lane.slot,
            words.one_line(lane_name(data, lane.slot), 60),
            words.one_line(lane.model.quant, 16),
            total,
            total - len(data.missing(lane.slot)),
            n_ctx=(lane.load.n_ctx or 0) // max(1, lane.load.sequences),
            busy_s=data.busy_s(lane.slot),
        )
        for lane in data.header.lanes
    )
    reason = event.plan.reason
    return replace(state, title=heading(data), lanes=lanes, data=data, plan=words.one_line(reason))


def _with_entry(state: RunningState, event: Answered | JudgeDone) -> RunningState:
    if state.data is None:
        return state
    entry = event.answer if isinstance(event, Answered) else event.result
    state = replace(state, data=state.data.with_entries([entry]))
    assert state.data is not None
    lane = state.lane(entry.slot)
    done = lane.total - len(state.data.missing(lane.slot))
    return state.with_lane(replace(lane, done=done, busy_s=state.data.busy_s(lane.slot)))


def _lane(state: RunningState, event: BenchEvent) -> LaneProgress:
    if isinstance(event, LaneLoaded):
        lane = state.lane(event.load.slot)
        return replace(lane, load=event.load, peak_bytes=event.load.peak_bytes, fraction=None)
    if isinstance(event, LaneEnded):
        lane = state.lane(event.end.slot)
        peak = event.end.peak_bytes or lane.peak_bytes
        error = words.one_line(event.end.error)
        return replace(lane, error=error, busy_s=event.end.busy_s, peak_bytes=peak, ended=True)
    assert isinstance(event, LanePhase | TaskBegun | TaskText | JudgeBegun)
    lane = state.lane(event.slot)
    if isinstance(event, LanePhase):
        ended = lane.ended and event.phase not in (Phase.LOADING, Phase.ANSWERING)
        return replace(lane, phase=event.phase, fraction=event.fraction, ended=ended)
    if isinstance(event, TaskBegun):
        fresh = replace(lane, at=event.task, sample=min(event.samples, default=0), text="", thinks=False)
        return replace(fresh, tokens=0, decode_s=0.0, sampled_at=(0, 0.0), phase=Phase.ANSWERING)
    return _written(lane, event) if isinstance(event, TaskText) else lane


def _written(lane: LaneProgress, event: TaskText) -> LaneProgress:
    if (event.task, event.sample) != (lane.at, lane.sample):
        return lane  # of several answers at once, one is shown
    speeds, (tokens, at_s) = lane.speeds, lane.sampled_at
    if event.decode_s - at_s >= _SAMPLE_S:
        speeds = (*speeds, (event.tokens - tokens) / (event.decode_s - at_s))[-_SPEEDS:]
        tokens, at_s = event.tokens, event.decode_s
    text = (lane.text + (event.text or event.reasoning))[-_TAIL_CHARS:]
    return replace(
        lane,
        text=text,
        thinks=bool(event.reasoning and not event.text),
        tokens=event.tokens,
        decode_s=event.decode_s,
        speeds=speeds,
        sampled_at=(tokens, at_s),
    )


# ---- words


def heading(data: RunData) -> str:
    """Return how the run was made, in a line."""
    header = data.header
    heat = header.lanes[0].answer.sampling.temperature
    parts = [
        words.one_line(header.suite_title, 40),
        words.count(len(header.tasks), "task"),
        "greedy" if not heat else f"temperature {heat:g}",
    ]
    if header.settings.samples > 1:
        parts.append(f"{header.settings.samples} answers each")
    parts.append(f"margin {100 * header.settings.margin:g} points")
    return " · ".join(parts)


def time_words(state: RunningState) -> tuple[str, str]:
    """Return how long it will still take, and the range."""
    left = state.left
    if state.trouble:
        return "The run has ended early", ""
    if state.data is None:
        return "Getting ready", "the files are checked first, so that the run can be repeated"
    if state.stopping:
        return "Stopping", "what is complete is kept"
    if left is None or left.left_s is None or left.low_s is None or left.high_s is None:
        return "Under way", "how long it takes is known after the first answers"
    if left.done == left.total:
        return "All answers are there", "the last tests are being run"
    low, high = words.span(left.low_s), words.span(left.high_s)
    if low.rpartition(" ")[2] == high.rpartition(" ")[2]:
        low = low.rpartition(" ")[0]
    return f"About {words.span(left.left_s)} left", f"{low} to {high} at the pace so far"


def run_pill(state: RunningState) -> Pill:
    """Return the run's state in a word."""
    if state.over:
        return "Ended", "plain"
    return (
        ("Stopping", "warn") if state.stopping else ("Paused", "warn") if state.paused else ("Running", "run")
    )


def lane_words(lane: LaneProgress, state: RunningState) -> Pill:
    """Return how far a lane is, and whether that is bad."""
    done = f"{lane.name}: {lane.done:,} of {lane.total:,}"
    if lane.error:
        return f"{done}, stopped early: {lane.error}", "bad"
    if lane.phase in (Phase.HASHING, Phase.LOADING) and lane.fraction is not None:
        return f"{lane.name}: {_PHASES[lane.phase].lower()}, {lane.fraction:.0%}", "muted"
    if lane.ended:
        return f"{done} done in {words.span(lane.busy_s)}, then unloaded", "muted"
    if not state.data:
        return f"{lane.name}: waits", "muted"
    plan = f" · {state.plan}" if lane.slot == state.lanes[-1].slot else ""
    return f"{done} done{plan}", "muted"


def lane_pill(lane: LaneProgress) -> Pill:
    """Return what a lane does now."""
    if lane.error:
        return "Stopped early", "bad"
    return _PHASES[lane.phase], "run" if lane.is_active else "plain"


def task_words(state: RunningState, lane: LaneProgress) -> tuple[str, str, str]:
    """Return the task that a lane is at: title, which of how many, tokens and time."""
    data = state.data
    if data is None or not lane.at:
        return "", "", ""
    number = data.header.tasks.index(lane.at) + 1 if lane.at in data.header.tasks else 0
    title = words.one_line(data.info(lane.at).title or lane.at, 80)
    each = f", answer {lane.sample + 1}" if data.header.settings.samples > 1 else ""
    took = f"{words.count(lane.tokens, 'token')}, {lane.decode_s:.0f} s" if lane.tokens else ""
    return title, f"task {number} of {len(data.header.tasks)}{each}", took


def tail(lane: LaneProgress) -> str:
    """Return the last lines of the answer under way as plain text."""
    lines = shown(cleaned(lane.text)).expandtabs(4).split("\n")[-_TAIL_LINES:]
    return "\n".join(line[-160:] for line in lines)


def queue_words(state: RunningState) -> str:
    """Return what comes next."""
    lane = state.shown
    data = state.data
    if data is None or lane is None or lane.ended:
        return ""
    begun_ = {key[1] for key in data.answers if key[0] == lane.slot} | {lane.at}
    waiting = [task for task in data.header.tasks if task not in begun_]
    if not waiting:
        return "no task is queued"
    titles = ", ".join(words.one_line(data.info(task).title or task, 40) for task in waiting[:2])
    return f"{len(waiting)} queued for {lane.slot}, next: {titles}"


def status_words(state: RunningState) -> str:
    """Return in one line what is under way, empty when nothing is."""
    if state.over or not state.lanes:
        return ""
    done, total = sum(lane.done for lane in state.lanes), sum(lane.total for lane in state.lanes)
    time, _range = time_words(state)
    return f"Run: {done} of {total} answers, {time[:1].lower()}{time[1:]}" if total else "Run: getting ready"


def live_cells(state: RunningState) -> dict[int, tuple[str, LaneCell]]:
    """Return for each lane that is writing, by its place: the task, and its cell."""
    active = [
        (place, lane)
        for place, lane in enumerate(state.lanes)
        if lane.at and not lane.ended and lane.phase is Phase.ANSWERING
    ]
    return {
        place: (
            lane.at,
            LaneCell(
                ("thinking" if lane.thinks else "streaming", "run"),
                lane.decode_s or None,
                lane.tokens or None,
            ),
        )
        for place, lane in active
    }
