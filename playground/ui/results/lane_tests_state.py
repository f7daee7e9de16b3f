"""What *Run tests* shows in a lane of Compare, as frozen values, and the words for it. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playground.bench.outcome import Outcome
from playground.bench.record import Answer, Result
from playground.bench.task import Task
from playground.compare.events import LaneResult
from playground.ui.results import task_state, words
from playground.ui.results.task_state import CaseRow
from playground.ui.results.words import Pill


class TestPhase(StrEnum):
    """Where a lane's tests are."""

    __test__ = False  # no test of pytest's

    HIDDEN = "hidden"  # the last prompt has no tests, or there is no answer
    OFFERED = "offered"
    RUNNING = "running"
    ASKING = "asking"  # there is no sandbox: a person has to read the program and allow it
    DONE = "done"


@dataclass(frozen=True, slots=True)
class LaneTests:
    """One lane. ``result``: what became of the answer; ``asked``: its risk was accepted, so the sandbox is none."""

    slot: str
    phase: TestPhase = TestPhase.HIDDEN
    task: Task | None = None
    result: Result | None = None
    risk: str = ""
    trouble: str = ""

    @property
    def code(self) -> str:
        """Return the program that was taken from the answer, safe to show."""
        return task_state.safe(self.result.extracted.code) if self.result is not None else ""


def answer_of(result: LaneResult, task: Task) -> Answer:
    """Return a lane's answer as the bench takes it."""
    return Answer(
        slot=result.slot,
        task=task.id,
        sample=0,
        text=result.answer,
        reasoning=result.reasoning,
        stop=result.stop,
        usage=result.usage,
        timings=result.timings,
        seed=result.options.sampling.seed,
        error=result.error.message if result.error else "",
        answer_prefix=result.answer_prefix,
        shared=result.shared,
    )


def headline(lane: LaneTests) -> str:
    """Return what is said beside the pill."""
    task = lane.task
    if task is None:
        return ""
    if lane.trouble:
        return lane.trouble
    if lane.phase is TestPhase.OFFERED:
        tests = words.count(len(task.cases), "test") if task.cases else "tests"
        return f"This task has {tests}."
    if lane.phase is TestPhase.RUNNING:
        return "Running the tests…"
    if lane.phase is TestPhase.ASKING:
        return "There is no sandbox: read the program first."
    result = lane.result
    if result is None:
        return ""
    return task_state.cases_line(result) or words.one_line(result.judged.message or result.extracted.how, 300)


def pill(lane: LaneTests) -> Pill:
    """Return how it ended in a word."""
    if lane.phase is TestPhase.RUNNING:
        return "testing", "run"
    if lane.phase is not TestPhase.DONE or lane.result is None:
        return words.NO_PILL
    return words.outcome_pill(lane.result.judged.outcome)


def failing(lane: LaneTests) -> CaseRow | None:
    """Return the first failing case."""
    if lane.phase is not TestPhase.DONE or lane.result is None:
        return None
    return next((case for case in task_state.case_rows(lane.result.judged.cases) if not case.passed), None)


def remark(lane: LaneTests) -> str:
    """Return how the program was taken, and what the judge said of it."""
    result = lane.result
    if result is None or lane.phase is not TestPhase.DONE:
        return lane.risk if lane.phase is TestPhase.ASKING else ""
    parts = [result.extracted.how]
    if result.judged.outcome is not Outcome.PASS and result.judged.message != result.extracted.how:
        parts.append(result.judged.message)
    return words.one_line(" ".join(filter(None, parts)), 500)
