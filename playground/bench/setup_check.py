"""Whether a score looks like a fault of the set-up and not of the model: far below a published one, or no code. Pure."""

from __future__ import annotations

import re

import msgspec

from playground.bench.outcome import Outcome
from playground.bench.run_data import RunData
from playground.bench.statistics.proportions import two_proportions

_FAR = 0.10
_SURE = 0.01
_MANY = 0.20
_FEWEST = 5
_ADVICE = {
    Outcome.CUT_OFF: "were cut off: raise --max-tokens, or the context",
    Outcome.THINKING: "used the whole budget for thinking: raise --max-tokens, or use --thinking off",
    Outcome.NO_CODE: "hold no code: look at an answer, and at whether the model has its own chat template",
    Outcome.REFUSED: "are refusals: look at an answer, and at the system prompt in the chat template",
    Outcome.NO_ANSWER: "never came: the errors in the run file say why",
}


class SetupFault(msgspec.Struct, frozen=True):
    """A likely fault. ``sentence`` says what was seen, ``checks`` what to look at."""

    slot: str
    sentence: str
    checks: tuple[str, ...]


def setup_faults(data: RunData, slot: str) -> tuple[SetupFault, ...]:
    """Return what looks like a faulty set-up in a lane."""
    runs = [run for run in data.tasks(slot) if run.is_complete]
    outcomes = [sample.outcome for run in runs for sample in run.samples]
    checks = _checks(outcomes)
    solved, tasks = sum(run.rate for run in runs), len(runs)
    faults = []
    if (found := published(data, slot)) is not None and tasks:
        family, score = found
        total = data.header.suite_tasks or len(data.header.tasks)
        p = two_proportions(round(solved), tasks, round(score * total), total)
        if solved / tasks < score - _FAR and p < _SURE:
            faults.append(
                SetupFault(
                    slot,
                    f"{solved / tasks:.0%} lies far below the {score:.0%} that is published for {family} "
                    f"(p = {p:.1g}): the set-up is probably at fault, not the model.",
                    checks or ("Look at some answers, and at the chat template and the sampling values.",),
                )
            )
    if checks and not faults:
        sentence = (
            "Many answers hold no program that could be run: the set-up may be at fault, not the model."
        )
        faults.append(SetupFault(slot, sentence, checks))
    return tuple(faults)


def published(data: RunData, slot: str) -> tuple[str, float] | None:
    """Return the published score that belongs to a lane's model: family and share of tasks."""
    model = data.lane(slot).model
    names = _plain(f"{model.name} {model.ref} {model.path.rpartition('/')[2]}")
    fitting = [family for family in data.header.published if _plain(family) and _plain(family) in names]
    best = max(fitting, key=len, default=None)
    return (best, data.header.published[best]) if best is not None else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _checks(outcomes: list[Outcome | None]) -> tuple[str, ...]:
    found = []
    for outcome, advice in _ADVICE.items():
        count = outcomes.count(outcome)
        if count >= _FEWEST and count >= _MANY * len(outcomes):
            found.append(f"{count} of {len(outcomes)} answers {advice}.")
    return tuple(found)
