"""A run as it stands: what its file says, by lane, task and sample. Frozen; knows no file and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from playground.bench.outcome import Outcome
from playground.bench.record import (
    Answer,
    End,
    Entry,
    Header,
    LaneEnd,
    LaneInfo,
    LaneLoad,
    Result,
    TaskInfo,
)

Key = tuple[str, str, int]  # slot, task, sample


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to one task and what became of it. None: not yet."""

    number: int
    answer: Answer | None
    result: Result | None

    @property
    def outcome(self) -> Outcome | None:
        """Return how it ended; None while it is neither answered nor judged."""
        return self.result.judged.outcome if self.result is not None else None


@dataclass(frozen=True, slots=True)
class TaskRun:
    """All answers of one lane to one task."""

    slot: str
    task: str
    samples: tuple[Sample, ...]

    @property
    def judged(self) -> int:
        """Return how many answers have been judged."""
        return sum(sample.result is not None for sample in self.samples)

    @property
    def passed(self) -> int:
        """Return how many answers passed."""
        return sum(sample.outcome is Outcome.PASS for sample in self.samples)

    @property
    def is_complete(self) -> bool:
        """Return whether each answer was judged by running it, or found to be none."""
        return all(sample.outcome not in (None, Outcome.NOT_RUN) for sample in self.samples)

    @property
    def rate(self) -> float:
        """Return the share of answers that passed."""
        return self.passed / len(self.samples) if self.samples else 0.0


@dataclass(frozen=True, slots=True)
class RunData:
    """Everything a run file says. ``notes``: sentences about what was odd in the file."""

    header: Header
    loads: Mapping[str, LaneLoad] = field(default_factory=dict)
    answers: Mapping[Key, Answer] = field(default_factory=dict)
    results: Mapping[Key, Result] = field(default_factory=dict)
    lane_ends: Mapping[str, LaneEnd] = field(default_factory=dict)
    end: End | None = None
    notes: tuple[str, ...] = ()
    _infos: Mapping[str, TaskInfo] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_infos", {info.id: info for info in self.header.task_infos})

    @property
    def slots(self) -> tuple[str, ...]:
        """Return the lanes' letters, the compact model's first."""
        return tuple(lane.slot for lane in self.header.lanes)

    @property
    def not_run(self) -> tuple[str, ...]:
        """Return why programs were not run, each reason once; empty when all that there are were run."""
        judged = (result.judged for result in self.results.values())
        reasons = (j.message or "there is no sandbox" for j in judged if j.outcome is Outcome.NOT_RUN)
        return tuple(dict.fromkeys(reasons))

    @property
    def is_complete(self) -> bool:
        """Return whether every task of every lane was answered, and found to be no program or handed to the judge."""
        return not self.missing() and not self.unjudged()

    def lane(self, slot: str) -> LaneInfo:
        """Return a lane. Raises KeyError for one that is not in the run."""
        return {lane.slot: lane for lane in self.header.lanes}[slot]

    def info(self, task: str) -> TaskInfo:
        """Return what is known of a task; of an unknown one, its id."""
        return self._infos.get(task) or TaskInfo(task, task, "", 0, "", "")

    def task(self, slot: str, task: str) -> TaskRun:
        """Return a lane's answers to a task."""
        keys = [(slot, task, sample) for sample in range(self.header.settings.samples)]
        return TaskRun(
            slot, task, tuple(Sample(k[2], self.answers.get(k), self.results.get(k)) for k in keys)
        )

    def tasks(self, slot: str) -> tuple[TaskRun, ...]:
        """Return a lane's answers to all tasks, in the order of the run."""
        return tuple(self.task(slot, task) for task in self.header.tasks)

    def missing(self, slot: str | None = None) -> tuple[Key, ...]:
        """Return what has not been answered yet, in the order of the run."""
        return tuple(key for key in self._keys(slot) if key not in self.answers)

    def unjudged(self, slot: str | None = None) -> tuple[Key, ...]:
        """Return the answers that nobody has judged yet."""
        return tuple(key for key in self._keys(slot) if key in self.answers and key not in self.results)

    def busy_s(self, slot: str) -> float:
        """Return how long a lane has been generating, all sittings together."""
        ended = self.lane_ends.get(slot)
        answered = (answer.lane_s for key, answer in self.answers.items() if key[0] == slot)
        return max(ended.busy_s if ended else 0.0, max(answered, default=0.0))

    def peak_bytes(self, slot: str) -> int:
        """Return the most memory that a lane's model held; 0 where it is not known."""
        found = (self.loads.get(slot), self.lane_ends.get(slot))
        return max((each.peak_bytes for each in found if each is not None), default=0)

    def with_entries(self, entries: Iterable[Entry]) -> RunData:
        """Return the run with more of its lines. A later line for the same thing replaces the earlier one."""
        loads, ends = dict(self.loads), dict(self.lane_ends)
        answers, results, end = dict(self.answers), dict(self.results), self.end
        for entry in entries:
            if isinstance(entry, LaneLoad):
                loads[entry.slot] = entry
                ends.pop(entry.slot, None)  # it goes on
                end = None
            elif isinstance(entry, Answer):
                answers.setdefault((entry.slot, entry.task, entry.sample), entry)
            elif isinstance(entry, Result):
                results[entry.slot, entry.task, entry.sample] = entry
            elif isinstance(entry, LaneEnd):
                ends[entry.slot] = entry
            elif isinstance(entry, End):
                end = entry
        return replace(self, loads=loads, answers=answers, results=results, lane_ends=ends, end=end)

    def _keys(self, slot: str | None) -> list[Key]:
        slots = self.slots if slot is None else (slot,)
        samples = range(self.header.settings.samples)
        return [(s, task, sample) for s in slots for task in self.header.tasks for sample in samples]
