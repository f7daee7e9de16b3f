"""One opened task as frozen values: both answers, both programs, both test logs. Pure functions over a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.bench.answer_text import cleaned
from playground.bench.outcome import CaseResult, Outcome
from playground.bench.record import Answer, Result
from playground.bench.run_data import RunData
from playground.bench.shown_text import shown
from playground.ui.results import code_diff, words
from playground.ui.results.code_diff import Diff
from playground.ui.results.words import Pill

_LONGEST_CHARS = 400_000
_MOST_CASES = 200
_MOST_READ_LINES, _LONGEST_READ_LINE = 500, 400


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One test in single lines that are safe to show; ``whole`` is all of it."""

    number: int
    passed: bool
    input: str
    expected: str
    got: str
    whole: str


@dataclass(frozen=True, slots=True)
class Pane:
    """One lane's answer. ``how``: how its program was taken; ``printed``: what the judge said and the program printed."""

    slot: str
    name: str
    quant: str
    took: str
    pill: Pill
    how: str
    code: str
    language: str
    cases: tuple[CaseRow, ...]
    cases_line: str
    printed: str
    answer: str
    can_allow: bool = False  # it was not run, and is short enough to be read


@dataclass(frozen=True, slots=True)
class TaskState:
    """``place``: "disagreement 1 of 11"; ``previous`` and ``next``: tasks to go on to, empty where there is none."""

    task: str
    title: str
    topic: str
    place: str
    who: str
    prompt: str
    panes: tuple[Pane, ...]
    difference: Diff | None
    said: str
    sample: int = 0
    samples: int = 1
    previous: str = ""
    next: str = ""


def task_state(
    data: RunData, task: str, order: Sequence[str], sample: int = 0, *, kind: str = "task"
) -> TaskState:
    """Return an opened task. ``order``: the tasks that one goes through, each called ``kind``."""
    runs = tuple(data.task(slot, task) for slot in data.slots)
    panes = tuple(pane(data, slot, task, sample) for slot in data.slots[:2])
    found = (
        code_diff.diff(panes[0].code, panes[1].code)
        if len(panes) > 1 and all(p.code for p in panes)
        else None
    )
    place = order.index(task) if task in order else -1
    info = data.info(task)
    who = words.solved_by(runs)
    return TaskState(
        task=task,
        title=words.one_line(info.title or task, 80),
        topic=words.one_line(info.topic, 40),
        place=f"{kind} {place + 1} of {len(order)}" if place >= 0 else "",
        who=f"{who} solved it" if who and len(runs) > 1 else who,
        prompt=shown(cleaned(info.prompt or info.completion)).strip(),
        panes=panes,
        difference=found,
        said=_said(panes, found),
        sample=sample,
        samples=data.header.settings.samples,
        previous=order[place - 1] if place > 0 else "",
        next=order[place + 1] if 0 <= place < len(order) - 1 else "",
    )


def pane(data: RunData, slot: str, task: str, sample: int) -> Pane:
    """Return one lane's answer to a task."""
    from playground.bench.verdict import name as lane_name  # Compare shows tests without any statistics

    answer, result = data.answers.get((slot, task, sample)), data.results.get((slot, task, sample))
    lane = data.lane(slot)
    return Pane(
        slot=slot,
        name=words.one_line(lane_name(data, slot), 60),
        quant=words.one_line(lane.model.quant, 16),
        took=_took(answer),
        pill=words.outcome_pill(result.judged.outcome) if result else words.NO_PILL,
        how=words.one_line(result.extracted.how, 400) if result else "This task has not been tested yet.",
        code=safe(result.extracted.code) if result else "",
        language=data.info(task).language,
        cases=case_rows(result.judged.cases) if result else (),
        cases_line=cases_line(result),
        printed=printed(result),
        answer=answer_text(answer),
        can_allow=result is not None
        and result.judged.outcome is Outcome.NOT_RUN
        and can_be_read(result.extracted.code),
    )


def can_be_read(code: str) -> bool:
    """Return whether all of a program is shown, so that a person can know what would run."""
    lines = code.split("\n")
    longest = max(map(len, lines))
    return bool(code.strip()) and len(lines) <= _MOST_READ_LINES and longest <= _LONGEST_READ_LINE


def safe(text: str) -> str:
    """Return foreign text as plain text: no terminal commands, control or direction marks; very long text is cut."""
    return shown(cleaned(text[: 4 * _LONGEST_CHARS]), _LONGEST_CHARS).expandtabs(4)


def case_rows(cases: Sequence[CaseResult]) -> tuple[CaseRow, ...]:
    """Return tests in their order."""
    return tuple(_case(number, case) for number, case in enumerate(cases[:_MOST_CASES], 1))


def _case(number: int, case: CaseResult) -> CaseRow:
    whole = (
        f"Case {number}{f' ({case.name})' if case.name and case.name != str(number) else ''}\n"
        f"Input: {case.input[:2000]}\nExpected: {case.expected[:2000]}\nGot: {case.got[:2000]}"
    )
    given, expected, got = (words.one_line(text, 300) for text in (case.input, case.expected, case.got))
    return CaseRow(number, case.passed, given, expected, got, safe(whole))


def cases_line(result: Result | None) -> str:
    """Return how many tests passed, in words."""
    if result is None or not result.judged.total:
        return ""
    judged = result.judged
    failing = [number for number, case in enumerate(judged.cases, 1) if not case.passed]
    if not judged.cases:
        return f"none of {judged.total} cases was run" if not judged.passed else ""
    if judged.passed == judged.total:
        return f"{judged.total} of {judged.total} cases pass"
    missing = judged.total - len(judged.cases)
    first = f", first: case {failing[0]}" if failing else ""
    rest = f", {missing} not reached" if missing > 0 else ""
    return f"{len(failing)} of {judged.total} cases fail{first}{rest}"


def printed(result: Result | None) -> str:
    """Return what the judge said of a program, and what that printed."""
    if result is None:
        return ""
    judged = result.judged
    parts = [judged.message, judged.log and f"It printed:\n{judged.log}"]
    if judged.sandbox:
        parts.append(
            f"{judged.duration_s:.2f} s, {words.memory(judged.peak_bytes)} at most, in {judged.sandbox}."
        )
    return safe("\n\n".join(filter(None, parts)))


def answer_text(answer: Answer | None) -> str:
    """Return a whole answer as plain text, its reasoning first."""
    if answer is None:
        return ""
    if answer.error and not answer.text:
        return safe(f"There is no answer: {answer.error}")
    reasoning = f"[Thinking]\n{answer.reasoning.strip()}\n\n[Answer]\n" if answer.reasoning.strip() else ""
    return safe(reasoning + answer.text)


def _took(answer: Answer | None) -> str:
    if answer is None:
        return "not answered"
    tokens = words.count(answer.usage.completion_tokens, "token")
    return f"{words.seconds(words.answer_s(answer))} · {tokens}"


def _said(panes: Sequence[Pane], found: Diff | None) -> str:
    parts = [code_diff.words(found)] if found is not None else []
    for each in panes:
        if not each.code:
            parts.append(f"{each.slot}: {each.how}")
            continue
        failing = next((case.number for case in each.cases if not case.passed), None)
        if failing is not None:
            parts.append(f"First failing case of {each.slot} is case {failing}.")
    return " ".join(parts)
