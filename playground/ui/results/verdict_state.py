"""What the verdict's place shows, as frozen values made of a run. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from playground.bench import words as bench_words
from playground.bench.cost import LaneCost
from playground.bench.run_data import RunData
from playground.bench.verdict import Pair, Score, Verdict
from playground.ui.results import words
from playground.ui.results.words import Pill

_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: caption, value, what is said below it."""

    caption: str
    value: str
    remark: str


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of quality beside its cost. ``compare``: what the compact one is, in words; ``good``: that is better."""

    name: str
    values: tuple[str, ...]
    compare: str = ""
    good: bool = True


@dataclass(frozen=True, slots=True)
class VerdictState:
    """``first`` and ``second`` are sentences as safe HTML, in which ``{a}`` and ``{b}`` stand for the lanes' colours.

    ``found`` is what the plots are painted from; ``all_sentences`` is the whole verdict in plain words.
    """

    path: str
    title: str
    about: str
    headline: str
    pill: Pill
    first: str
    second: str
    all_sentences: tuple[str, ...]
    metrics: tuple[Metric, ...]
    found: Verdict
    names: tuple[str, ...]
    cost: tuple[CostLine, ...]
    cost_note: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    can_resume: bool
    is_joined: bool = False


def verdict_state(data: RunData, found: Verdict, path: str, *, joined: bool = False) -> VerdictState:
    """Return what is shown of a run."""
    return VerdictState(
        path=path,
        title=words.run_title(data.header),
        about=words.settings_line(data),
        headline=words.one_line(found.headline, 120),
        pill=_pill(found),
        first=_first(found),
        second=_second(found),
        all_sentences=tuple(words.one_line(_in_form(text), 2000) for text in found.sentences),
        metrics=_metrics(found.pair) if found.pair else (),
        found=found,
        names=tuple(words.one_line(score.name, 60) for score in found.scores),
        cost=_cost(found.costs, fair=len({score.tasks for score in found.scores}) == 1),
        cost_note=_cost_note(found.costs),
        warnings=_warnings(found),
        notes=_notes(data, found, joined=joined),
        can_resume=not joined and (not data.is_complete or bool(data.not_run)),
        is_joined=joined,
    )


def _pill(found: Verdict) -> Pill:
    if found.pair is None:
        return words.NO_PILL if found.complete else ("not complete", "warn")
    if not found.complete:
        return "not complete", "warn"
    if found.settled:
        return "settled", "ok"
    return (
        ("not settled", "warn") if found.pair.finding == "none" else words.NO_PILL
    )  # else the headline says it


def _first(found: Verdict) -> str:
    judged = [score for score in found.scores if score.tasks]
    if not judged:
        return "No answer has been judged yet."
    parts = [
        f"{_tinted(found.scores, score)} solved <b>{bench_words.number(score.solved)} of {score.tasks}</b>"
        for score in judged
    ]
    pair = found.pair
    if pair is None:
        score = judged[0]
        return f"{parts[0]} ({_range(score)}, 95 % interval)."
    only = f"Only compact solved <b>{bench_words.number(pair.only_small)}</b>, only larger <b>{bench_words.number(pair.only_large)}</b>."
    return f"{', '.join(parts)}. {only}"


def _tinted(scores: tuple[Score, ...], score: Score) -> str:
    place = "ab"[scores.index(score) % 2]
    name = escape(words.one_line(score.name, 48))
    return f"<span style='color:{{{place}}};font-weight:600'>{name.replace('{', '&#123;').replace('}', '&#125;')}</span>"


def _range(score: Score) -> str:
    return f"{100 * score.low:.0f}–{100 * score.high:.0f} %"


def _second(found: Verdict) -> str:
    pair = found.pair
    if pair is None:
        return ""
    margin = bench_words.points(pair.margin)
    settled = "yes" if pair.p_within >= 0.95 else "no" if pair.p_within <= 0.05 else "not settled"
    text = f"Within {margin} points of the larger: <b>{settled}</b>."
    if pair.finding == "none":
        text = f"Fewer than six tasks tell the two apart ({pair.discordant}), and that proves nothing. {text}"
    more = []
    if pair.finding in ("none", "open"):
        if pair.equal_tasks:
            more.append(
                f"If the two are truly equal, about <b>{pair.equal_tasks} more tasks</b> would settle it"
            )
        if pair.gap_tasks:
            more.append(f"if the gap seen is real, about <b>{pair.gap_tasks} more</b> would show it")
    said = "; ".join(more)
    return f"{text} {said[:1].upper()}{said[1:]}." if said else text


def _metrics(pair: Pair) -> tuple[Metric, ...]:
    first = Metric(
        pair.test.removesuffix(" over tasks").upper(),
        bench_words.p_value(pair.p_value),
        f"{bench_words.number(pair.only_small)} against {bench_words.number(pair.only_large)} tasks",
    )
    within = Metric(
        f"WITHIN {bench_words.points(pair.margin)} POINTS",
        f"{bench_words.likelihood(pair.p_within)} likely",
        "margin set before run",
    )
    gap = "no gap" if pair.can_show is None else f"{bench_words.points(pair.can_show)} points"
    return first, within, Metric(f"{pair.tasks} TASKS CAN SHOW", gap, "gap, 80 % of the time")


def _cost(costs: tuple[LaneCost, ...], *, fair: bool) -> tuple[CostLine, ...]:
    """Return the table of costs. Not ``fair``: one lane has had more tasks, so its sums cannot be compared."""
    minutes = [cost.run_s / 60 or None for cost in costs]
    memory = [cost.peak_bytes / 1e9 or None for cost in costs]
    lines = (
        _line("Solved tasks per minute", [cost.solved_per_minute for cost in costs], "more", "fewer"),
        _line("Solved tasks per GB", [cost.solved_per_gb for cost in costs], "more", "fewer"),
        _line("Tokens per second", [cost.tokens_per_s for cost in costs], "faster", "slower"),
        _line("Peak memory, GB", memory, "larger", "smaller", less=True),
        _line("Time for the answers, min", minutes, "longer", "shorter", less=True),
    )
    sums = (lines[1].name, lines[4].name)
    return lines if fair else tuple(CostLine(x.name, x.values) if x.name in sums else x for x in lines)


def _line(name: str, values: list[float | None], up: str, down: str, *, less: bool = False) -> CostLine:
    texts = tuple(_figure(value) for value in values)
    if len(values) < 2 or not values[0] or not values[1]:
        return CostLine(name, texts)
    ratio = values[0] / values[1]
    times = max(ratio, 1 / ratio)
    if times < 1.05:
        return CostLine(name, texts, "about the same")
    shown = f"{times:.1f}×" if times < 20 else f"{times:.0f}×"
    return CostLine(name, texts, f"{shown} {up if ratio > 1 else down}", good=(ratio < 1) == less)


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _cost_note(costs: tuple[LaneCost, ...]) -> str:
    if any(cost.shared for cost in costs):
        return "Both models ran at the same time: times and speeds are not their own."
    if any(cost.parallel > 1 for cost in costs):
        return f"Speeds of {max(cost.parallel for cost in costs)} answers at once."
    return ""


def _warnings(found: Verdict) -> tuple[str, ...]:
    faults = [
        f"Likely a set-up fault in {fault.slot}: {fault.sentence} {' '.join(fault.checks)}"
        for fault in found.faults
    ]
    dead = [f"{s.slot}, {s.name}, stopped early: {s.error}" for s in found.scores if s.error]
    return tuple(words.one_line(_in_form(text), 600) for text in (*faults, *dead))


def _in_form(text: str) -> str:
    """Return advice with the form's words in place of the command line's."""
    return text.replace("use --thinking off", "switch thinking off").replace(
        "--max-tokens", "the longest answer"
    )


def _notes(data: RunData, found: Verdict, *, joined: bool) -> tuple[str, ...]:
    notes = list(data.notes)
    not_run = sum(score.outcomes.get("not_run", 0) for score in found.scores)
    if not_run:
        reasons = " ".join(data.not_run[:_MOST_REASONS])
        programs = words.count(not_run, "program")
        notes.append(f"{programs} could not be run, so nothing is said of that: {reasons}")
    if not joined and not data.is_complete:
        left, unjudged = len(data.missing()), len(data.unjudged())
        parts = [
            f"{left} answers are missing" if left else "",
            f"{unjudged} are not tested" if unjudged else "",
        ]
        if any(parts):
            notes.append(f"This run is not complete: {', '.join(filter(None, parts))}.")
    if found.caution:
        notes.append(f"About the suite: {found.caution}")
    return tuple(words.one_line(text, 600) for text in notes)
