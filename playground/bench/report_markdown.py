"""A run's report as Markdown. What models and programs wrote stands in fences or escaped, never as markup."""

from __future__ import annotations

import re

from playground.bench import report
from playground.bench.run_data import RunData, Sample, TaskRun
from playground.bench.shown_text import shown
from playground.bench.verdict import Verdict

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_LANGUAGES = {"javascript": "js", "python": "python", "sql": "sql", "bash": "bash"}


def markdown(data: RunData, found: Verdict) -> str:
    """Return the whole report."""
    header = data.header
    lines = [f"# {_plain(header.suite_title)}: {_plain(found.headline)}", ""]
    lines += [*(f"- {_plain(text)}" for text in (*found.sentences, *data.notes)), ""]
    names = [f"{score.slot} {_plain(score.name)}" for score in found.scores]
    lines += _table(["", *names], report.cost_lines(found.costs))
    lines += ["## Tasks", ""]
    lines += _table(
        ["Task", "Topic", *names, "Solved by"],
        [(_title(row), row.topic, *row.cells, row.solved_by) for row in report.rows(data)],
    )
    lines += ["## Set-up", "", *_table(["", ""], report.setup_lines(header))]
    for lane in header.lanes:
        lines += [f"### Lane {lane.slot}", "", *_table(["", ""], report.lane_lines(data, lane))]
    lines += ["## Answers", ""]
    for row in report.rows(data):
        lines += _task(data, row.task)
    return "\n".join(lines).rstrip() + "\n"


def _title(row: report.Row) -> str:
    return row.task if row.title == row.task else f"{row.title} ({row.task})"


def _task(data: RunData, task: str) -> list[str]:
    info = data.info(task)
    lines = [f"### {_plain(info.title or task)} ({_plain(task)})", "", "Prompt:", "", *_fenced(info.prompt)]
    for slot in data.slots:
        run = data.task(slot, task)
        for sample in run.samples:
            lines += _answer(data, run, sample)
    if diff := report.code_diff(data, task):
        lines += [f"From {data.slots[0]} to {data.slots[1]}:", "", *_fenced(diff, "diff")]
    return lines


def _answer(data: RunData, run: TaskRun, sample: Sample) -> list[str]:
    if sample.answer is None:
        return [f"**{run.slot}**: not answered.", ""]
    number = f", answer {sample.number + 1}" if len(run.samples) > 1 else ""
    outcome = report.OUTCOMES[sample.outcome] if sample.outcome is not None else "not judged"
    tokens = f"{sample.answer.usage.completion_tokens} tokens"
    lines = [f"**{run.slot}{number}: {outcome}** · {tokens}, seed {sample.answer.seed}", ""]
    if sample.answer.error:
        return [*lines, _plain(sample.answer.error), ""]
    result = sample.result
    if result is not None:
        lines += [_plain(text) for text in (result.judged.message, result.extracted.how) if text]
        lines += ["", *_fenced(result.extracted.code, _LANGUAGES.get(data.info(run.task).language, ""))]
        cases = report.failing_first(run, sample.number)
        failing = [case[1:] for case in cases if case[0] == "fail"]
        if failing:
            lines += _table(["Input", "Expected", "Got"], failing)
        if result.judged.log.strip():
            lines += ["It printed:", "", *_fenced(result.judged.log)]
    return [
        *lines,
        "<details><summary>Whole answer</summary>",
        "",
        *_fenced(sample.answer.text),
        "</details>",
        "",
    ]


def _fenced(text: str, language: str = "") -> list[str]:
    if not text.strip():
        return []
    safe = shown(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", safe, fence, ""]


def _table(head: list[str], body: object) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    assert isinstance(body, (list, tuple))
    lines += [f"| {' | '.join(_plain(str(value)) for value in line)} |" for line in body]
    return [*lines, ""]


def _plain(text: str) -> str:
    """Return text that is no markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(shown(text, 2000).split()))
