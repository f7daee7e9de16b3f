"""The rows of the table of tasks: what each lane came to, who solved it, what it took. Pure functions over a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.bench.outcome import Outcome
from playground.bench.record import TaskInfo
from playground.bench.run_data import RunData, TaskRun
from playground.ui.results import words
from playground.ui.results.words import Pill

ALL = "all"
_CHIPS = (
    ("only_small", "Only compact"),
    ("only_large", "Only larger"),
    ("neither", "Neither"),
    ("wrong", "Wrong"),
    ("error", "Error"),
    ("no_code", "No code"),
    ("cut_off", "Cut off"),
    ("timeout", "Timeout"),
    ("limit", "Over a limit"),
    ("forbidden", "Forbidden"),
    ("thinking", "Only thinking"),
    ("refused", "Refused"),
    ("not_run", "Not run"),
    ("no_answer", "No answer"),
)
_ALWAYS = ("only_small", "only_large", "neither")
_ORDER = {"only larger": 0, "more often larger": 0, "only compact": 0, "more often compact": 0, "neither": 1}


@dataclass(frozen=True, slots=True)
class LaneCell:
    """One lane in a row: a pill, seconds and tokens of its answers."""

    pill: Pill
    time_s: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. ``kinds``: the filters that it passes; ``live``: a lane is at it now."""

    number: int
    task: str
    title: str
    topic: str
    cells: tuple[LaneCell, ...]
    solved_by: str
    kinds: frozenset[str]
    live: bool = False

    @property
    def tells_apart(self) -> bool:
        """Return whether it tells the lanes apart."""
        return self.solved_by.startswith(("only", "more"))


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter, what it is called, and how many rows pass it."""

    kind: str
    text: str
    rows: int


def rows(data: RunData) -> tuple[TaskRow, ...]:
    """Return all tasks in the order of the run."""
    infos = {info.id: info for info in data.header.task_infos}
    return tuple(
        _row(number, tuple(data.task(slot, task) for slot in data.slots), infos.get(task), task)
        for number, task in enumerate(data.header.tasks, 1)
    )


def _row(number: int, runs: tuple[TaskRun, ...], info: TaskInfo | None, task: str) -> TaskRow:
    return TaskRow(
        number,
        task,
        words.one_line((info.title if info else "") or task, 80),
        words.one_line(info.topic if info else "", 40),
        tuple(map(_cell, runs)),
        words.solved_by(runs),
        _kinds(runs),
    )


def with_live(found: Sequence[TaskRow], live: Mapping[int, tuple[str, LaneCell]]) -> tuple[TaskRow, ...]:
    """Return rows with what is being written now. ``live``: by a lane's place, the task it is at, and its cell."""
    at: dict[str, dict[int, LaneCell]] = {}
    for place, (task, cell) in live.items():
        at.setdefault(task, {})[place] = cell
    return tuple(_live(each, at[each.task]) if each.task in at else each for each in found)


def _live(each: TaskRow, writing: Mapping[int, LaneCell]) -> TaskRow:
    cells = tuple(
        writing.get(place, cell) if cell.tokens is None else cell for place, cell in enumerate(each.cells)
    )
    return replace(each, cells=cells, live=True)


def _cell(run: TaskRun) -> LaneCell:
    answers = [sample.answer for sample in run.samples if sample.answer is not None]
    if not answers:
        return LaneCell(words.NO_PILL)
    return LaneCell(
        words.cell_pill(run) if run.judged else ("testing", "run"),
        sum(map(words.answer_s, answers)),
        sum(answer.usage.completion_tokens for answer in answers),
    )


def _kinds(runs: Sequence[TaskRun]) -> frozenset[str]:
    found = {
        str(sample.outcome)
        for run in runs
        for sample in run.samples
        if sample.outcome not in (None, Outcome.PASS)
    }
    who = words.solved_by(tuple(runs))
    if who.endswith(" compact"):
        found.add("only_small")
    elif who.endswith(" larger"):
        found.add("only_large")
    elif who in ("neither", "not solved"):
        found.add("neither")
    return frozenset(found)


def disagreements_first(found: Sequence[TaskRow]) -> tuple[TaskRow, ...]:
    """Return rows with those first that tell the lanes apart, then those that nobody solved."""
    return tuple(sorted(found, key=lambda each: _ORDER.get(each.solved_by, 2)))


def newest_first(data: RunData, found: Sequence[TaskRow]) -> tuple[TaskRow, ...]:
    """Return the tasks that any lane has begun: those that a lane is at, then by when they were last answered."""
    last = {key[1]: place for place, key in enumerate(data.answers)}
    begun = [each for each in found if each.live or each.task in last]
    return tuple(sorted(begun, key=lambda each: (not each.live, -last.get(each.task, 0))))


def chips(found: Sequence[TaskRow], lanes: int) -> tuple[Chip, ...]:
    """Return the filters that make sense for these rows."""
    tally = Counter(kind for each in found for kind in each.kinds)
    first = "All, disagreements first" if lanes > 1 else "All"
    shown = [Chip(ALL, first, len(found))]
    for kind, text in _CHIPS:
        if kind in _ALWAYS:
            if lanes > 1:
                shown.append(Chip(kind, text, tally[kind]))
            elif kind == "neither":
                shown.append(Chip(kind, "Not solved", tally[kind]))
        elif tally[kind]:
            shown.append(Chip(kind, text, tally[kind]))
    return tuple(shown)


def passes(each: TaskRow, kind: str, text: str) -> bool:
    """Return whether a row passes a filter and holds every word."""
    if kind not in (ALL, *each.kinds):
        return False
    said = f"{each.number} {each.task} {each.title} {each.topic} {each.solved_by}".casefold()
    return all(word in said for word in text.casefold().split())


def spoken(each: TaskRow, names: Sequence[str]) -> str:
    """Return a row for a screen reader."""
    lanes = ", ".join(
        f"{name} {cell.pill[0] or 'not yet'}" for name, cell in zip(names, each.cells, strict=False)
    )
    return f"{each.number}, {each.title}, {each.topic}: {lanes}. {each.solved_by}".strip(" .")
