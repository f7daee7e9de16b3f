"""Two lanes of two runs side by side, as if they were one run, on the tasks that both have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from playground.bench.record import Answer, Header, LaneEnd, LaneInfo, LaneLoad, Result
from playground.bench.run_data import Key, RunData
from playground.errors import SuiteError

_Entry = TypeVar("_Entry", Answer, Result)
_Line = TypeVar("_Line", LaneLoad, LaneEnd)
SLOTS = ("A", "B")


def side_by_side(first: RunData, first_slot: str, second: RunData, second_slot: str) -> RunData:
    """Return a run of two lanes: one of each run, paired by task.

    ``notes`` say what the two runs did not have in common. Raises SuiteError when no task can be paired.
    """
    one, other = first.header, second.header
    if one.suite_id != other.suite_id:
        raise SuiteError(
            f"The runs are over different suites: {one.suite_title} and {other.suite_title}.",
            hint="Choose a run over the same suite.",
        )
    there = set(other.tasks)
    tasks = tuple(task for task in one.tasks if task in there)
    if not tasks:
        raise SuiteError("The two runs have no task in common.", hint="Choose a run over the same tasks.")
    samples = min(one.settings.samples, other.settings.samples)
    taken = ((first, first_slot, SLOTS[0]), (second, second_slot, SLOTS[1]))
    return RunData(
        header=_header(one, tasks, samples, tuple(_lane(*each) for each in taken)),
        loads=_lines({}, *((data.loads, old, new) for data, old, new in taken)),
        answers=_entries({}, set(tasks), samples, *((data.answers, old, new) for data, old, new in taken)),
        results=_entries({}, set(tasks), samples, *((data.results, old, new) for data, old, new in taken)),
        lane_ends=_lines({}, *((data.lane_ends, old, new) for data, old, new in taken)),
        notes=differences(one, other, len(tasks)),
    )


def differences(one: Header, other: Header, tasks: int) -> tuple[str, ...]:
    """Return sentences about what two runs over the same suite did not have in common."""
    found = []
    if tasks < max(len(one.tasks), len(other.tasks)):
        found.append(f"Only the {tasks} tasks that both runs have are compared.")
    if one.suite_sha256 != other.suite_sha256:
        found.append("The suite changed between the two runs: some tasks or tests may differ.")
    settings = _unequal(one, other)
    if settings:
        found.append(f"The settings differ ({', '.join(settings)}): part of a difference may come from them.")
    if one.machine != other.machine or one.engine != other.engine:
        found.append("They were made on different machines or engines: times and speeds are not comparable.")
    return tuple(found)


def _unequal(one: Header, other: Header) -> list[str]:
    words = {"samples": "answers per task", "seed": "seed", "max_tokens": "longest answer"}
    words |= {"thinking": "thinking", "plan": "plan", "parallel": "answers at once"}
    return [
        text for name, text in words.items() if getattr(one.settings, name) != getattr(other.settings, name)
    ]


def _header(one: Header, tasks: tuple[str, ...], samples: int, lanes: tuple[LaneInfo, ...]) -> Header:
    settings = msgspec.structs.replace(one.settings, samples=samples)
    return msgspec.structs.replace(one, tasks=tasks, settings=settings, lanes=lanes)


def _lane(data: RunData, slot: str, new: str) -> LaneInfo:
    return msgspec.structs.replace(data.lane(slot), slot=new)


def _lines(found: dict[str, _Line], *taken: tuple[Mapping[str, _Line], str, str]) -> dict[str, _Line]:
    for lines, old, new in taken:
        if old in lines:
            found[new] = msgspec.structs.replace(lines[old], slot=new)
    return found


def _entries(
    found: dict[Key, _Entry], tasks: set[str], samples: int, *taken: tuple[Mapping[Key, _Entry], str, str]
) -> dict[Key, _Entry]:
    for entries, old, new in taken:
        for (slot, task, sample), entry in entries.items():
            if slot == old and task in tasks and sample < samples:
                found[new, task, sample] = msgspec.structs.replace(entry, slot=new)
    return found
