"""Words and colours that all places of the Results screen share. Pure functions; a pill is (text, role)."""

from __future__ import annotations

import datetime as dt
import unicodedata

from playground.bench.outcome import Outcome
from playground.bench.record import Answer, Header
from playground.bench.report import OUTCOMES
from playground.bench.run_data import RunData, TaskRun
from playground.bench.shown_text import shown
from playground.ui.compare_words import size

Pill = tuple[str, str]
NO_PILL: Pill = ("", "plain")
_ROLES = {Outcome.PASS: "ok", Outcome.WRONG: "bad", Outcome.ERROR: "bad", Outcome.FORBIDDEN: "bad"}
_ROLES |= dict.fromkeys((Outcome.TIMEOUT, Outcome.LIMIT, Outcome.CUT_OFF, Outcome.THINKING), "warn")
_MARKS = {"ok": "✓ ", "bad": "✗ "}
_LONGEST_LINE = 400


def outcome_pill(outcome: Outcome | None) -> Pill:
    """Return what is said of one answer."""
    if outcome is None:
        return NO_PILL
    role = _ROLES.get(outcome, "plain")
    mark = _MARKS["ok"] if outcome is Outcome.PASS else _MARKS["bad"] if outcome is Outcome.WRONG else ""
    return f"{mark}{OUTCOMES[outcome]}", role


def cell_pill(run: TaskRun) -> Pill:
    """Return what a lane came to in a task: how one answer ended, or how many of several passed."""
    if len(run.samples) == 1:
        return outcome_pill(run.samples[0].outcome)
    if not run.judged:
        return NO_PILL
    role = "ok" if run.passed == run.judged else "warn" if run.passed else "bad"
    return f"{run.passed} of {run.judged}", role


def solved_by(runs: tuple[TaskRun, ...]) -> str:
    """Return who solved a task: "both", "neither", "only compact", "more often larger"; empty while it is open."""
    if not runs or not all(run.is_complete for run in runs):
        return ""
    if len(runs) == 1:
        return "solved" if runs[0].passed else "not solved"
    small, large = runs[:2]
    if small.rate == large.rate:
        return "both" if small.passed else "neither"
    better, worse, name = (small, large, "compact") if small.rate > large.rate else (large, small, "larger")
    return f"{'more often' if worse.passed else 'only'} {name}" if better.passed else "neither"


def answer_s(answer: Answer) -> float:
    """Return how long an answer took, from the question to its last token."""
    return (answer.timings.first_token_s or answer.timings.prompt_s) + answer.timings.decode_s


def seconds(value: float | None) -> str:
    """Return a duration of an answer."""
    return "–" if value is None else f"{value:.1f} s" if value < 99.95 else f"{value:.0f} s"


def span(value: float) -> str:
    """Return a duration of a run: in seconds below two minutes, in minutes below two hours."""
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def when(iso: str) -> str:
    """Return a time of a run file in this computer's zone: "24 Nov 14:10", with the year when it is another one."""
    try:
        moment = dt.datetime.fromisoformat(iso).astimezone()
    except (ValueError, OverflowError):
        return one_line(iso, 24)
    year = "" if moment.year == dt.datetime.now().astimezone().year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"


def one_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return foreign text as one line that is safe to show: no control or direction marks, not without end."""
    short = text if len(text) <= 4 * longest else text[: 4 * longest]
    flat = shown(short).replace("\n", "⏎").replace("\t", " ")
    flat = "".join(" " if unicodedata.category(c) in ("Zl", "Zp") else c for c in flat)
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def run_title(header: Header) -> str:
    """Return what a run is called: its suite, how many tasks, when."""
    tasks = count(len(header.tasks), "task")
    return f"{one_line(header.suite_title, 40)}, {tasks} · {when(header.started_at)}"


def settings_line(data: RunData) -> str:
    """Return how a run was made, in a line."""
    header = data.header
    heat = header.lanes[0].answer.sampling.temperature if header.lanes else 0.0
    parts = ["greedy" if not heat else f"temperature {heat:g}"]
    if header.settings.samples > 1:
        parts.append(f"{header.settings.samples} answers each")
    context = header.lanes[0].load.n_ctx if header.lanes else None
    if context:
        each = context // max(1, header.lanes[0].load.sequences)
        parts.append(f"{each / 1024:.3g}k context")
    sandbox = f"sandbox: {header.sandbox}" if header.sandbox != "none" else "no sandbox"
    return " · ".join([sandbox, *parts])


def lane_kind(data: RunData, slot: str) -> str:
    """Return what a lane is beside the other: compact or larger."""
    return "compact" if not data.slots or slot == data.slots[0] else "larger"


def memory(size_bytes: int) -> str:
    """Return bytes for a person, a dash where they are not known."""
    return size(size_bytes) if size_bytes else "–"


def tokens(answers: list[Answer]) -> str:
    """Return how many tokens answers have."""
    return f"{sum(answer.usage.completion_tokens for answer in answers):,}" if answers else "–"
