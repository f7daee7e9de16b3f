"""A run as a document that needs no app: the verdict, its figures, the set-up, each task. What HTML and Markdown share."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.bench import run_file
from playground.bench.cost import LaneCost
from playground.bench.outcome import Outcome
from playground.bench.record import Header, LaneInfo
from playground.bench.run_data import RunData, TaskRun
from playground.bench.verdict import Verdict, verdict
from playground.errors import PlaygroundError, UsageError

_MOST_CASES = 30
OUTCOMES = {
    Outcome.PASS: "pass",
    Outcome.WRONG: "wrong",
    Outcome.ERROR: "error",
    Outcome.TIMEOUT: "timeout",
    Outcome.LIMIT: "over the limit",
    Outcome.FORBIDDEN: "forbidden",
    Outcome.NO_CODE: "no code",
    Outcome.CUT_OFF: "cut off",
    Outcome.THINKING: "only thinking",
    Outcome.REFUSED: "refused",
    Outcome.NOT_RUN: "not run",
    Outcome.NO_ANSWER: "no answer",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of tasks: what each lane came to, and who solved it."""

    task: str
    title: str
    topic: str
    cells: tuple[str, ...]
    solved_by: str


def rows(data: RunData) -> tuple[Row, ...]:
    """Return all tasks, those that tell the lanes apart first."""
    found = [_row(data, task) for task in data.header.tasks]
    return tuple(sorted(found, key=lambda row: not row.solved_by.startswith("only")))


def _row(data: RunData, task: str) -> Row:
    runs = [data.task(slot, task) for slot in data.slots]
    info = data.info(task)
    return Row(task, info.title or task, info.topic, tuple(cell(run) for run in runs), _solved_by(runs))


def cell(run: TaskRun) -> str:
    """Return what a lane came to in a task: a word, or with several samples how many passed."""
    if len(run.samples) > 1:
        return f"{run.passed} of {run.judged}" if run.judged else "–"
    outcome = run.samples[0].outcome
    return OUTCOMES[outcome] if outcome is not None else "–"


def _solved_by(runs: Sequence[TaskRun]) -> str:
    if not all(run.is_complete for run in runs):
        return ""
    if len(runs) == 1:
        return "yes" if runs[0].passed else "no"
    if runs[0].rate == runs[1].rate:
        return "both" if runs[0].passed else "neither"
    better = 0 if runs[0].rate > runs[1].rate else 1
    return f"{'only ' if not runs[1 - better].passed else 'more often '}{runs[better].slot}"


def code_diff(data: RunData, task: str, sample: int = 0) -> str:
    """Return how the two lanes' programs differ, as a unified diff; empty where one has none."""
    if len(data.slots) < 2:
        return ""
    results = [data.results.get((slot, task, sample)) for slot in data.slots[:2]]
    codes = [result.extracted.code.splitlines() if result is not None else [] for result in results]
    if not all(codes):
        return ""
    return "\n".join(difflib.unified_diff(codes[0], codes[1], data.slots[0], data.slots[1], lineterm="", n=2))


def cost_lines(costs: Sequence[LaneCost]) -> tuple[tuple[str, ...], ...]:
    """Return the table of costs: what, then a value for each lane."""
    return (
        ("Solved tasks per minute", *(_figure(cost.solved_per_minute) for cost in costs)),
        ("Solved tasks per GB", *(_figure(cost.solved_per_gb) for cost in costs)),
        ("Tokens per second", *(_figure(cost.tokens_per_s) + _how(cost) for cost in costs)),
        ("Peak memory, GB", *(_figure(cost.peak_bytes / 1e9 if cost.peak_bytes else None) for cost in costs)),
        ("Time for its answers, min", *(_figure(cost.run_s / 60) for cost in costs)),
        ("Tokens", *(f"{cost.tokens:,}" for cost in costs)),
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _how(cost: LaneCost) -> str:
    batch = f" ({cost.parallel} answers at once)" if cost.parallel > 1 else ""
    return f"{batch} (shared)" if cost.shared else batch


def setup_lines(header: Header) -> tuple[tuple[str, str], ...]:
    """Return what repeats the run: name and value."""
    settings, machine = header.settings, header.machine
    thinking = {None: "left to the template", True: "on", False: "off"}[settings.thinking]
    return (
        (
            "Suite",
            f"{header.suite_title} ({header.suite_id} {header.suite_version}), {len(header.tasks)} tasks",
        ),
        ("Suite sha256", header.suite_sha256),
        ("Tasks chosen", settings.task_glob or "all"),
        ("Answers to each task", f"{settings.samples}, {settings.parallel} at once"),
        ("Seed", str(settings.seed)),
        ("Longest answer", f"{settings.max_tokens} tokens"),
        ("Thinking", thinking),
        ("Margin", f"{100 * settings.margin:g} points, chosen before the run"),
        ("Plan", settings.plan),
        ("Sandbox", header.sandbox),
        ("Begun", header.started_at),
        ("Playground", header.app_version),
        ("Engine", header.engine),
        ("System", machine.system),
        ("Processor", f"{machine.cpu}, {machine.cores} cores"),
        ("Memory", f"{machine.memory_bytes / 1e9:.1f} GB"),
        ("Devices", ", ".join(machine.devices) or "none besides the processor"),
        ("Run", header.id),
    )


def lane_lines(data: RunData, lane: LaneInfo) -> tuple[tuple[str, str], ...]:
    """Return what is known of a lane's model: name and value."""
    model, sampling, loaded = lane.model, lane.answer.sampling, data.loads.get(lane.slot)
    lines = [
        ("Model", f"{model.name} {model.quant}, {model.size_bytes / 1e9:.2f} GB"),
        ("Reference", model.ref),
        ("sha256", lane.sha256),
        ("Template sha256", lane.template_sha256 or "none: a base model, asked by completions"),
        ("Temperature", f"{sampling.temperature:g}"),
        ("Top-k, top-p, min-p", f"{sampling.top_k}, {sampling.top_p:g}, {sampling.min_p:g}"),
        ("Context", f"{lane.load.n_ctx or 'default'} tokens for {lane.load.sequences} answers"),
        ("KV cache", lane.load.kv_type),
    ]
    if loaded is not None:
        lines.append(("Threads, GPU layers", f"{loaded.threads}, {loaded.gpu_layers}"))
        lines.append(("Loading", f"{loaded.load_s:.1f} s"))
    ended = data.lane_ends.get(lane.slot)
    return (*lines, ("Ended early", ended.error)) if ended is not None and ended.error else tuple(lines)


def failing_first(run: TaskRun, sample: int) -> tuple[tuple[str, str, str, str], ...]:
    """Return the cases of an answer, failing ones first, at most 30: mark, input, expected, got."""
    result = run.samples[sample].result
    if result is None:
        return ()
    cases = sorted(result.judged.cases, key=lambda case: case.passed)[:_MOST_CASES]
    return tuple(("pass" if c.passed else "fail", c.input, c.expected, c.got) for c in cases)


def write(data: RunData, path: Path, form: str) -> None:
    """Write the report as ``html`` or ``markdown``. Blocking.

    Raises PlaygroundError when it cannot be written, UsageError when a run would be lost by it.
    """
    from playground.bench import report_html, report_markdown

    if run_file.begins_run(path):
        raise UsageError(
            f"{path} is a run file: a report does not replace it.", hint="Name another file for the report."
        )
    found: Verdict = verdict(data)
    text = report_html.html(data, found) if form == "html" else report_markdown.markdown(data, found)
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        raise PlaygroundError(
            f"The report {path} cannot be written: {reason}.", hint="Name another file."
        ) from error
