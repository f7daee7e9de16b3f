"""What a run says while it goes on: frozen values for both front ends.

``RunBegun`` comes once, when the file is open; then events of its lanes; ``RunFinished`` is the last, unless it raises.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from playground.bench.record import Answer, End, LaneEnd, LaneLoad, Result
from playground.bench.run_data import RunData
from playground.compare.events import Plan


class Phase(StrEnum):
    """Where a lane is."""

    HASHING = "hashing"  # fraction known
    QUEUED = "queued"  # another lane goes first
    LOADING = "loading"  # fraction known
    ANSWERING = "answering"
    PAUSED = "paused"
    JUDGING = "judging"
    DONE = "done"


class RunBegun(msgspec.Struct, frozen=True):
    """The file is open. ``data`` holds what an earlier sitting has left."""

    data: RunData
    plan: Plan


class LanePhase(msgspec.Struct, frozen=True):
    """A lane has come to a phase, or further in it."""

    slot: str
    phase: Phase
    fraction: float | None = None


class LaneLoaded(msgspec.Struct, frozen=True):
    """A lane's model is in memory. ``warnings``: sentences."""

    load: LaneLoad
    warnings: tuple[str, ...] = ()


class TaskBegun(msgspec.Struct, frozen=True):
    """A lane begins with these samples of a task."""

    slot: str
    task: str
    samples: tuple[int, ...]


class TaskText(msgspec.Struct, frozen=True):
    """New text of an answer. ``tokens`` counts all so far, ``decode_s`` is the time since the first."""

    slot: str
    task: str
    sample: int
    text: str
    reasoning: str
    tokens: int
    decode_s: float


class Answered(msgspec.Struct, frozen=True):
    """An answer is complete and saved."""

    answer: Answer


class JudgeBegun(msgspec.Struct, frozen=True):
    """An answer's program is being run."""

    slot: str
    task: str
    sample: int


class JudgeDone(msgspec.Struct, frozen=True):
    """The judge has spoken."""

    result: Result


class LaneEnded(msgspec.Struct, frozen=True):
    """A lane has answered all it will."""

    end: LaneEnd


class TimeLeft(msgspec.Struct, frozen=True):
    """How long it will take at the pace so far, with a range; None before there is a pace. ``done`` of ``total`` answers."""

    done: int
    total: int
    left_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None


class RunFinished(msgspec.Struct, frozen=True):
    """The run is over, or was stopped. ``data``: all of it."""

    end: End
    data: RunData


BenchEvent = (
    RunBegun
    | LanePhase
    | LaneLoaded
    | TaskBegun
    | TaskText
    | Answered
    | JudgeBegun
    | JudgeDone
    | LaneEnded
    | TimeLeft
    | RunFinished
)
