"""The words of a verdict. Pure: numbers in, sentences out; every sentence is true of exactly these tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playground.bench.run_data import RunData
from playground.bench.setup_check import SetupFault
from playground.bench.statistics.planning import FEWEST_DISCORDANT

if TYPE_CHECKING:
    from playground.bench.verdict import Pair, Score

NO_DIFFERENCE = "No difference seen yet"
_LIKELY = 0.95
_MOST_REASONS = 3


def number(value: float) -> str:
    """Return a count, or a sum of shares with one decimal."""
    return f"{value:.0f}" if abs(value - round(value)) < 1e-6 else f"{value:.1f}"


def points(share: float, *, signed: bool = False) -> str:
    """Return a share in percentage points, with a real minus sign."""
    value = 100 * share
    if abs(value) < 0.05:
        return "0"
    digits = 0 if abs(value) >= 20 or abs(value - round(value)) < 0.05 else 1
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("-", "\u2212")


def p_value(value: float) -> str:
    """Return a p-value."""
    return f"p = {value:.2f}" if value >= 0.095 else f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def likelihood(value: float) -> str:
    """Return a probability that is never said to be certain."""
    return "over 99 %" if value > 0.99 else "below 1 %" if value < 0.01 else f"{100 * value:.0f} %"


def headline(scores: Sequence[Score], pair: Pair | None) -> str:
    """Return the shortest honest summary."""
    if pair is None:
        if len(scores) > 1:
            return "Nothing to compare yet"
        score = scores[0]
        return f"{number(score.solved)} of {score.tasks} solved" if score.tasks else "Nothing judged yet"
    small, large = _name(scores, pair.small), _name(scores, pair.large)
    within = f"within your margin of {points(pair.margin)} points"
    return {
        "none": NO_DIFFERENCE,
        "open": "Not settled",
        "small": f"{small} solves more",
        "large": f"{large} solves more",
        "large_within": f"{large} solves more, {within}",
        "within": f"{small} is {within}",
    }[pair.finding]


def sentences(
    data: RunData, scores: Sequence[Score], pair: Pair | None, faults: Sequence[SetupFault]
) -> tuple[str, ...]:
    """Return the verdict in words, the most important first."""
    found = [_scores(scores, data.header.settings.samples)]
    if pair is not None:
        found += [_split(scores, pair), *_difference(scores, pair, whole=data.is_complete), _outlook(pair)]
    found += [_chances(score) for score in scores if score.pass_at]
    found += [_trouble(score) for score in scores if score.error or (score.unanswered and score.tasks)]
    found += [f"{fault.slot}: {fault.sentence} {' '.join(fault.checks)}" for fault in faults]
    if reasons := data.not_run:
        found.append(
            f"Some programs were not run, and nothing is said of them: {' '.join(reasons[:_MOST_REASONS])}"
        )
    if data.header.caution:
        found.append(f"About the suite: {data.header.caution.rstrip('.')}.")
    return tuple(text for text in found if text)


def _scores(scores: Sequence[Score], samples: int) -> str:
    judged = [score for score in scores if score.tasks]
    if not judged:
        return "No answer has been judged yet."
    of = f", {samples} answers each" if samples > 1 else ""
    parts = [
        f"{score.name} solved {number(score.solved)} of {score.tasks} "
        f"({100 * score.low:.0f}\u2013{100 * score.high:.0f} %)"
        for score in judged
    ]
    return (
        f"{', '.join(parts)}{of}; the range holds the true share with 95 % confidence, on tasks like these."
    )


def _split(scores: Sequence[Score], pair: Pair) -> str:
    on = (
        f"On the {pair.tasks} tasks that both answered: "
        if any(s.tasks != pair.tasks for s in scores)
        else ""
    )
    return (
        f"{on}Both solved {number(pair.both)}, only {_name(scores, pair.small)} {number(pair.only_small)}, only "
        f"{_name(scores, pair.large)} {number(pair.only_large)}, neither {number(pair.neither)}."
    )


def _difference(scores: Sequence[Score], pair: Pair, *, whole: bool) -> list[str]:
    seen = (
        f"Difference, {_name(scores, pair.small)} minus {_name(scores, pair.large)}: "
        f"{points(pair.difference, signed=True)} points, 95 % interval {points(pair.low, signed=True)} to "
        f"{points(pair.high, signed=True)}; {p_value(pair.p_value)} ({pair.test})."
    )
    if pair.discordant < FEWEST_DISCORDANT:
        tasks = f"{pair.discordant} task{'' if pair.discordant == 1 else 's'}"
        return [f"{NO_DIFFERENCE}: {tasks} tell the two apart, and fewer than six prove nothing.", seen]
    return [seen, _margin(scores, pair), *([] if whole else [_while_running(scores, pair)])]


def _margin(scores: Sequence[Score], pair: Pair) -> str:
    settled = "yes" if pair.p_within >= _LIKELY else "no" if pair.p_within <= 1 - _LIKELY else "not settled"
    return (
        f"{_name(scores, pair.small)} within {points(pair.margin)} points of {_name(scores, pair.large)}, the margin "
        f"chosen before the run: {settled} ({likelihood(pair.p_within)} likely)."
    )


def _while_running(scores: Sequence[Score], pair: Pair) -> str:
    if not pair.may_stop:
        return "The run is not over, and what was seen so far names nobody, however often one looks."
    leader = pair.small if pair.only_small > pair.only_large else pair.large
    return (
        f"The run is not over, but one may stop: {_name(scores, leader)} leads by more than equal models do in 1 of "
        "20 races looked at after every task."
    )


def _outlook(pair: Pair) -> str:
    known = f"{pair.tasks} tasks are too few to show any gap. "
    if pair.can_show is not None:
        known = f"{pair.tasks} tasks can show a gap of {points(pair.can_show)} points or more (80 % of the time). "
    if pair.finding not in ("none", "open"):
        return known.strip()
    parts = []
    if pair.equal_tasks:
        parts.append(f"if the two are truly equal, about {pair.equal_tasks} more tasks would settle it")
    if pair.gap_tasks:
        parts.append(f"if the gap seen is real, about {pair.gap_tasks} more would show it")
    text = "; ".join(parts)
    return (known + (f"{text[0].upper()}{text[1:]}." if text else "")).strip()


def _chances(score: Score) -> str:
    parts = [
        f"{100 * one:.0f} % that one of {k} answers passes"
        + (f", {100 * every:.0f} % that all {k} do" if k > 1 else "")
        for k, one, every in score.pass_at
        if k > 1
    ]
    return f"{score.name}: {'; '.join(parts)}." if parts else ""


def _trouble(score: Score) -> str:
    left = f"{score.unanswered} task{'s' * (score.unanswered != 1)} of {score.name} not judged"
    return f"{left}: {score.error}" if score.error else f"{left}; they are not in its score."


def _name(scores: Sequence[Score], slot: str) -> str:
    return next(score.name for score in scores if score.slot == slot)
