"""What a run file holds: frozen values, one JSON object per line, appended as they happen. Reading is in ``run_file``.

The first line is a ``Header``; then an ``Answer`` for each sample of each task and lane, a ``Result`` for each
answer, and at last an ``End``. A later ``Result`` for the same (slot, task, sample) replaces an earlier one.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from playground.bench.outcome import Extracted, Judged
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.protocol import StopReason, Timings, Usage
from playground.models.files import ModelFile

SCHEMA = "playground.run/1"
MOST_SAMPLES = 100


class RunSettings(msgspec.Struct, frozen=True):
    """What was chosen before the run. ``margin``: share of tasks by which the compact one may be worse."""

    samples: Annotated[int, Meta(ge=1, le=MOST_SAMPLES)] = 1
    seed: int = 42
    max_tokens: int = 2048
    thinking: bool | None = None
    margin: Annotated[float, Meta(ge=0, le=1)] = 0.10
    plan: str = "auto"
    parallel: int = 1
    task_glob: str = ""


class LaneInfo(msgspec.Struct, frozen=True):
    """One model of a run.

    Hashes are hex sha256: of the file (of a split model: of its parts' sha256, a line each), of the template's text.
    """

    slot: str
    model: ModelFile
    sha256: str
    template_sha256: str
    load: LoadOptions
    answer: AnswerOptions


class Machine(msgspec.Struct, frozen=True):
    """Where the run was made."""

    system: str
    cpu: str
    cores: int
    memory_bytes: int
    devices: tuple[str, ...] = ()


class TaskInfo(msgspec.Struct, frozen=True):
    """What a person must read of a task to understand its answers, where the suite itself is not at hand."""

    id: str
    title: str
    language: str
    tier: int
    topic: str
    prompt: str
    completion: str = ""
    entry_point: str = ""
    cases: int = 0


class Header(msgspec.Struct, frozen=True, tag="header"):
    """The first line. ``tasks``: ids in the order of the run. ``engine``: the build of llama.cpp.

    ``published``: scores that makers published for the whole suite of ``suite_tasks`` tasks, by model family.
    """

    schema: str
    id: str
    started_at: str  # ISO 8601, UTC
    app_version: str
    engine: str
    suite_id: str
    suite_version: str
    suite_sha256: str
    suite_title: str
    caution: str
    tasks: tuple[str, ...]
    settings: RunSettings
    lanes: Annotated[tuple[LaneInfo, ...], Meta(min_length=1)]
    machine: Machine
    sandbox: str
    task_infos: tuple[TaskInfo, ...] = ()
    published: dict[str, float] = {}
    suite_tasks: int = 0


class LaneLoad(msgspec.Struct, frozen=True, tag="loaded"):
    """A lane's model is in memory: bytes and seconds, as llama.cpp and the system say."""

    slot: str
    load_s: float
    peak_bytes: int
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    gpu_layers: int
    threads: int


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """One raw answer, before any judging. ``parallel``: answers that were decoded in the same batch.

    ``lane_s``: how long its lane had been generating when it was complete, earlier sittings included.
    """

    slot: str
    task: str
    sample: int
    text: str
    reasoning: str
    stop: StopReason
    usage: Usage
    timings: Timings
    seed: int
    error: str = ""
    answer_prefix: str = ""
    parallel: int = 1
    shared: bool = False
    lane_s: float = 0.0


class Result(msgspec.Struct, frozen=True, tag="result"):
    """What the judge said of one answer."""

    slot: str
    task: str
    sample: int
    extracted: Extracted
    judged: Judged


class LaneEnd(msgspec.Struct, frozen=True, tag="lane_end"):
    """A lane has answered all it will. ``error``: why it stopped early, else empty. ``busy_s``: its share of the run."""

    slot: str
    busy_s: float
    peak_bytes: int
    error: str = ""


class End(msgspec.Struct, frozen=True, tag="end"):
    """The run is over. ``complete``: every task of every lane was answered and judged."""

    ended_at: str
    complete: bool
    reason: str = ""


Entry = Header | LaneLoad | Answer | Result | LaneEnd | End
