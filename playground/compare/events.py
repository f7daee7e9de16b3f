"""What a comparison is given and what it says while it runs: frozen values for both front ends.

A run yields ``Planned`` once, then events of its lanes in any order, and ends each lane with one ``LaneDone``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.protocol import DraftUse, LoadedModel, MemoryUse, StopReason, Timings, Usage
from playground.models.files import ModelFile

WantedPlan = Literal["auto", "together", "sequential"]


class Lane(msgspec.Struct, frozen=True):
    """One lane of a comparison. ``slot`` is its letter, ``A`` to ``H``; the conversation ends with a user turn."""

    slot: str
    model: ModelFile
    conversation: Conversation
    load: LoadOptions = LoadOptions()
    answer: AnswerOptions = AnswerOptions()


class Plan(msgspec.Struct, frozen=True):
    """How the lanes share the machine. ``reason`` is a sentence for a person.

    ``keeps_loaded``: in turn, a model may stay in memory while the next one is loaded.
    """

    mode: Literal["single", "together", "sequential"]
    order: tuple[str, ...]
    reason: str
    forced: bool = False
    keeps_loaded: bool = True


class Stage(StrEnum):
    """Where a lane is. ``Stopping`` and the like are words of the front end."""

    QUEUED = "queued"  # another lane goes first
    LOADING = "loading"  # fraction known
    WAITING = "waiting"  # loaded; the others are not yet
    READING = "reading"  # the prompt; fraction known
    ANSWERING = "answering"


class Planned(msgspec.Struct, frozen=True):
    """The plan is made."""

    plan: Plan


class LaneStage(msgspec.Struct, frozen=True):
    """A lane has come to a stage, or further in it. ``threads`` is set where it is known."""

    slot: str
    stage: Stage
    fraction: float | None = None
    threads: int | None = None


class LaneLoaded(msgspec.Struct, frozen=True):
    """A lane's model is in memory. ``estimated_bytes``: what was reckoned with before, 0 where that is not known."""

    slot: str
    model: LoadedModel
    memory: MemoryUse
    warnings: tuple[str, ...] = ()
    estimated_bytes: int = 0


class LaneText(msgspec.Struct, frozen=True):
    """New text of a lane. ``tokens`` counts all so far, ``decode_s`` is the time since the first."""

    slot: str
    text: str
    reasoning: str
    tokens: int
    decode_s: float


class LaneError(msgspec.Struct, frozen=True):
    """Why a lane failed, in the words of the error tree, and the tokens that an EngineError knows."""

    kind: str
    message: str
    hint: str = ""
    detail: str = ""
    needed_tokens: int | None = None
    fitting_tokens: int | None = None


class LaneResult(msgspec.Struct, frozen=True):
    """One lane's answer with its figures.

    ``shared``: another model was answering at the same time, so the speeds are not the model's own.
    ``answer_prefix`` is the part of ``answer`` that the app wrote (a base model's open code fence). ``draft``: what
    speculative decoding proposed, and how much of it the model would have written itself.
    """

    slot: str
    model: ModelFile
    answer: str
    reasoning: str
    stop: StopReason
    error: LaneError | None
    usage: Usage
    timings: Timings
    memory: MemoryUse
    load: LoadOptions
    options: AnswerOptions
    threads: int
    shared: bool
    answer_prefix: str = ""
    loaded: LoadedModel | None = None
    warnings: tuple[str, ...] = ()
    draft: DraftUse | None = None


class LaneDone(msgspec.Struct, frozen=True):
    """A lane has ended, well or not."""

    slot: str
    result: LaneResult


RunEvent = Planned | LaneStage | LaneLoaded | LaneText | LaneDone
