"""What a run proves, as one frozen value: counts, intervals, probabilities, and the words for them. Pure.

Words follow from numbers by fixed rules. Below six tasks that tell the two apart nobody is named, and while a run is
under way only evidence that bears being looked at after every task names anyone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Literal

import msgspec

from playground.bench import words
from playground.bench.cost import LaneCost, costs
from playground.bench.run_data import RunData, TaskRun
from playground.bench.setup_check import SetupFault, setup_faults
from playground.bench.statistics import paired, planning, sampled
from playground.bench.statistics.paired import Table
from playground.bench.statistics.proportions import Interval, wilson

Finding = Literal["none", "small", "large", "within", "large_within", "open"]
_SIGNIFICANT = 0.05
_LIKELY = 0.95


class Score(msgspec.Struct, frozen=True):
    """One lane's score. ``solved``: tasks, or with several samples the sum of the tasks' pass rates.

    ``low`` to ``high``: 95 % interval of the share. ``pass_at``: (k, chance that one of k answers passes, that all
    do). ``outcomes``: answers by how they ended. ``unanswered``: tasks that are not in the score.
    """

    slot: str
    name: str
    solved: float
    tasks: int
    low: float
    high: float
    pass_at: tuple[tuple[int, float, float], ...]
    outcomes: dict[str, int]
    unanswered: int = 0
    error: str = ""

    @property
    def share(self) -> float:
        """Return the solved part, 0 to 1."""
        return self.solved / self.tasks if self.tasks else 0.0


class Pair(msgspec.Struct, frozen=True):
    """Compact (``small``) against larger, on the tasks that both answered. Shares, 0 to 1.

    ``low`` to ``high``: 95 % interval of the difference, compact minus larger; ``score_low``, ``score_high``: Tango's.
    ``p_value``: exact McNemar, or with samples the permutation test. ``p_within``: probability that the compact one
    is not worse by more than the margin. ``evidence``: the e-value; above 20 one may stop. ``equal_tasks``,
    ``gap_tasks``: about how many more would settle it. ``can_show``: the gap that so many tasks show, 80 % of the time.
    """

    small: str
    large: str
    tasks: int
    both: float
    only_small: float
    only_large: float
    neither: float
    discordant: int
    difference: float
    low: float
    high: float
    score_low: float
    score_high: float
    p_value: float
    p_within: float
    margin: float
    evidence: float
    may_stop: bool
    can_show: float | None
    equal_tasks: int | None
    gap_tasks: int | None
    finding: Finding
    interval: str  # the method's name, as is ``test``
    test: str


class Verdict(msgspec.Struct, frozen=True):
    """``headline`` and ``sentences`` for a person, the rest for those who want to know. ``pair``: with two models."""

    headline: str
    settled: bool
    sentences: tuple[str, ...]
    scores: tuple[Score, ...]
    pair: Pair | None
    costs: tuple[LaneCost, ...]
    faults: tuple[SetupFault, ...]
    samples: int
    complete: bool
    caution: str = ""


def verdict(data: RunData) -> Verdict:
    """Return what a run proves, whole or as far as it has come."""
    scores = tuple(_score(data, slot) for slot in data.slots)
    found = _pair(data) if len(data.slots) > 1 else None
    faults = tuple(fault for score in scores for fault in setup_faults(data, score.slot))
    return Verdict(
        headline=words.headline(scores, found),
        settled=found is not None and found.finding not in ("none", "open"),
        sentences=words.sentences(data, scores, found, faults),
        scores=scores,
        pair=found,
        costs=costs(data),
        faults=faults,
        samples=data.header.settings.samples,
        complete=data.is_complete,
        caution=data.header.caution,
    )


def _score(data: RunData, slot: str) -> Score:
    runs = [run for run in data.tasks(slot) if run.is_complete]
    solved = sum(run.rate for run in runs)
    interval = wilson(solved, len(runs)) if runs else Interval(0.0, 1.0)
    ended = data.lane_ends.get(slot)
    outcomes = Counter(
        str(sample.outcome)
        for run in data.tasks(slot)
        for sample in run.samples
        if sample.outcome is not None
    )
    return Score(
        slot=slot,
        name=name(data, slot),
        solved=round(solved, 9),
        tasks=len(runs),
        low=interval.low,
        high=interval.high,
        pass_at=_pass_at(runs, data.header.settings.samples),
        outcomes=dict(outcomes),
        unanswered=len(data.header.tasks) - len(runs),
        error=ended.error if ended else "",
    )


def name(data: RunData, slot: str) -> str:
    """Return what a lane is called: its model, and as much more as it takes to tell it from the others."""
    model = data.lane(slot).model
    others = [lane.model for lane in data.header.lanes if lane.slot != slot]
    if all(other.name != model.name for other in others):
        return model.name
    if all((other.name, other.quant) != (model.name, model.quant) for other in others):
        return f"{model.name} {model.quant}"
    return f"{model.name} {model.quant} ({slot})"


def _pass_at(runs: Sequence[TaskRun], samples: int) -> tuple[tuple[int, float, float], ...]:
    if samples == 1 or not runs:
        return ()
    steps = sorted({1, *(k for k in (5, 10) if k < samples), samples})
    return tuple(
        (
            k,
            sum(sampled.pass_at(k, run.passed, samples) for run in runs) / len(runs),
            sum(sampled.pass_all(k, run.passed, samples) for run in runs) / len(runs),
        )
        for k in steps
    )


def _pair(data: RunData) -> Pair | None:
    small, large = data.slots[:2]
    runs = [
        (one.rate, other.rate)
        for one, other in zip(data.tasks(small), data.tasks(large), strict=True)
        if one.is_complete and other.is_complete
    ]
    if not runs:
        return None
    table = _table(runs)
    differences = [one - other for one, other in runs]
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    samples, margin = data.header.settings.samples, data.header.settings.margin
    p_value = paired.mcnemar(wins, losses) if samples == 1 else sampled.permutation(differences)
    interval, p_within, method = _difference(table, differences, margin, samples)
    score = paired.tango(table)
    n, discordance = len(runs), table.discordant / len(runs)
    agree = (
        wins - losses
    ) * table.difference > 0  # with samples, many small wins may weigh less than one loss
    may_stop = planning.may_stop(wins, losses) and agree
    finding = _finding(
        wins,
        losses,
        p_value < _SIGNIFICANT if data.is_complete else may_stop,
        p_within,
        difference=table.difference,
    )
    return Pair(
        *(small, large, n, table.both, table.only_small, table.only_large, table.neither, wins + losses),
        difference=table.difference,
        low=interval.low,
        high=interval.high,
        score_low=score.low,
        score_high=score.high,
        p_value=p_value,
        p_within=p_within,
        margin=margin,
        evidence=planning.evidence(wins, losses),
        may_stop=may_stop,
        can_show=planning.smallest_gap(n, discordance),
        equal_tasks=_more(planning.tasks_for_margin(_assumed(discordance, n), margin), n, discordance),
        gap_tasks=_more(planning.tasks_for_gap(_assumed(discordance, n), table.difference), n, discordance),
        finding=finding,
        interval=method,
        test="exact McNemar" if samples == 1 else "permutation test over tasks",
    )


def _table(runs: Sequence[tuple[float, float]]) -> Table:
    """Return the table of shares: with one sample counts, with several the sums of what each task says."""
    only_small = sum(max(0.0, one - other) for one, other in runs)
    only_large = sum(max(0.0, other - one) for one, other in runs)
    both = sum(min(one, other) for one, other in runs)
    neither = len(runs) - both - only_small - only_large
    return Table(*(max(0.0, round(cell, 9)) for cell in (both, only_small, only_large, neither)))


def _difference(
    table: Table, differences: Sequence[float], margin: float, samples: int
) -> tuple[Interval, float, str]:
    """Return the interval of the difference, the probability within the margin, and the method's name."""
    if samples > 1 and sum(d != 0 for d in differences) >= planning.FEWEST_DISCORDANT:
        interval, within = sampled.t_interval(differences), sampled.t_above(differences, -margin)
        if interval is not None and within is not None:
            return interval, within, "Student's t over tasks"
    return paired.posterior(table), paired.above(table, -margin), "Dirichlet(1/2) posterior"


def _finding(wins: int, losses: int, certain: bool, p_within: float, *, difference: float) -> Finding:
    if wins + losses < planning.FEWEST_DISCORDANT:
        return "none"
    within = p_within >= _LIKELY
    if certain and difference:
        if difference > 0:
            return "small"
        return "large_within" if within else "large"
    return "within" if within else "open"


def _assumed(discordance: float, tasks: int) -> float:
    """Return the discordance to plan with: one task more than was seen, so that none is not taken for never."""
    return discordance or 1 / (tasks + 1)


def _more(needed: int | None, tasks: int, discordance: float) -> int | None:
    """Return how many tasks are lacking, also until as many tell the two apart as it takes to say anything."""
    if needed is None:
        return None
    telling = ceil(planning.FEWEST_DISCORDANT / _assumed(discordance, tasks))
    return planning.about(max(0, max(needed, telling) - tasks))
