"""A run's report as one HTML file: no script, nothing from elsewhere, every text escaped, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from playground.bench import report
from playground.bench.outcome import Outcome
from playground.bench.picture import PAGE, verdict_pictures
from playground.bench.run_data import RunData, Sample, TaskRun
from playground.bench.shown_text import harmless, shown
from playground.bench.verdict import Verdict

_STYLE = """
:root{color-scheme:light dark;--bg:#f4f5f8;--card:#fff;--text:#1c2030;--faint:#5f6678;--grid:#dfe2ea;
--small:#3556d8;--large:#a3429b;--both:#6fa995;--neither:#bfc3cd;--good:#0f6b4a;--bad:#b3261e;--warn:#8a5a00;
--code:#f0f2f6;--plus:#e1f3ea;--minus:#fbe4e2}
@media (prefers-color-scheme:dark){:root{--bg:#14161d;--card:#1d2029;--text:#e8eaf0;--faint:#a3a9b8;--grid:#343946;
--small:#7d97ff;--large:#d986d1;--both:#4f8f79;--neither:#6b7080;--good:#62c79f;--bad:#ff8a80;--warn:#e5b454;
--code:#262a35;--plus:#173a2b;--minus:#472320}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 Inter,system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 16px 64px}section{background:var(--card);border:1px solid var(--grid);
border-radius:10px;padding:18px 20px;margin:0 0 16px}h1{font-size:26px;line-height:1.25;margin:4px 0 10px}
h2{font-size:17px;margin:0 0 10px}h3{font-size:15px;margin:14px 0 6px}p{margin:4px 0}ul{margin:6px 0;padding-left:20px}
.faint{color:var(--faint)}svg{max-width:100%;height:auto;display:block;margin:8px 0 14px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--faint);font-size:13px}th,td{padding:5px 10px 5px 0;vertical-align:top;
border-bottom:1px solid var(--grid)}td.mono,pre,code{font:13px/1.5 "JetBrains Mono",ui-monospace,monospace}
td.mono{white-space:pre-wrap}td.mono,.lanes td+td{overflow-wrap:anywhere}pre{background:var(--code);border-radius:7px;padding:10px 12px;margin:8px 0;
overflow:auto;max-height:480px;white-space:pre-wrap;overflow-wrap:anywhere}
.tag{display:inline-block;border-radius:6px;padding:0 8px;font-weight:600;font-size:13px;background:var(--code)}
.pass{color:var(--good)}.fail{color:var(--bad)}.none{color:var(--warn)}.add{background:var(--plus);display:block}
.del{background:var(--minus);display:block}details{border-top:1px solid var(--grid);padding:8px 0}
summary{cursor:pointer}.lanes{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));gap:20px}
.lanes>div{min-width:0}a{color:var(--small)}.caution{border-left:4px solid var(--warn)}
"""
_BAD = (Outcome.WRONG, Outcome.ERROR, Outcome.TIMEOUT, Outcome.LIMIT, Outcome.FORBIDDEN)


def html(data: RunData, found: Verdict) -> str:
    """Return the whole report."""
    title = f"{data.header.suite_title}: {found.headline}"
    body = [_top(data, found), _pictures(found), _costs(found), _faults(found), _tasks(data, found)]
    body += [_setup(data), *(_task(data, row.task) for row in report.rows(data))]
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _top(data: RunData, found: Verdict) -> str:
    header = data.header
    state = "" if found.complete else " · <b>not complete</b>"
    sentences = "".join(f"<li>{_safe(text)}</li>" for text in (*found.sentences, *data.notes))
    return _section(
        f"<p class='faint'>{_safe(header.suite_title)} · {len(header.tasks)} tasks · {_safe(header.started_at)}{state}</p>"
        f"<h1>{_safe(found.headline)}</h1><ul>{sentences}</ul>"
    )


def _pictures(found: Verdict) -> str:
    what = f"The same {found.pair.tasks} tasks, task by task" if found.pair is not None else "Score"
    return _section(f"<h2>{_safe(what)}</h2>{''.join(verdict_pictures(found, PAGE))}")


def _costs(found: Verdict) -> str:
    head = ["", *(f"{score.slot} {score.name}" for score in found.scores)]
    return _section(f"<h2>Quality beside its cost</h2>{_table(head, report.cost_lines(found.costs))}")


def _faults(found: Verdict) -> str:
    items = [f"{fault.slot}: {fault.sentence} {' '.join(fault.checks)}" for fault in found.faults]
    if not items:
        return ""
    listed = "".join(f"<li>{_safe(text)}</li>" for text in items)
    return f"<section class='caution'><h2>Look at the set-up first</h2><ul>{listed}</ul></section>"


def _tasks(data: RunData, found: Verdict) -> str:
    names = "".join(f"<th>{_safe(f'{score.slot} {score.name}')}</th>" for score in found.scores)
    lines = []
    for row in report.rows(data):
        cells = "".join(f"<td>{_tag(cell)}</td>" for cell in row.cells)
        lines.append(
            f"<tr><td><a href='#{_anchor(data, row.task)}'>{_safe(row.title)}</a></td><td>{_safe(row.topic)}</td>"
            f"{cells}<td>{_safe(row.solved_by)}</td></tr>"
        )
    head = f"<tr><th>Task</th><th>Topic</th>{names}<th>Solved by</th></tr>"
    return _section(f"<h2>Tasks</h2><div class='wide'><table>{head}{''.join(lines)}</table></div>")


def _setup(data: RunData) -> str:
    lanes = "".join(
        f"<div><h3>Lane {_safe(lane.slot)}</h3>{_table(('', ''), report.lane_lines(data, lane))}</div>"
        for lane in data.header.lanes
    )
    return _section(
        f"<h2>Set-up</h2>{_table(('', ''), report.setup_lines(data.header))}<div class='lanes'>{lanes}</div>"
    )


def _task(data: RunData, task: str) -> str:
    info = data.info(task)
    lanes = "".join(_lane(data.task(slot, task)) for slot in data.slots)
    diff = report.code_diff(data, task)
    shown_diff = (
        f"<h3>Program {data.slots[0]} to {data.slots[1]}</h3><pre>{_diff(diff)}</pre>" if diff else ""
    )
    return (
        f"<section id='{_anchor(data, task)}'><h2>{_safe(info.title or task)} <span class='faint'>{_safe(task)} · "
        f"{_safe(info.language)} · tier {info.tier}</span></h2><pre>{_safe(shown(info.prompt))}</pre>"
        f"<div class='lanes'>{lanes}</div>{shown_diff}</section>"
    )


def _lane(run: TaskRun) -> str:
    parts = [_answer(run, sample) for sample in run.samples]
    return f"<div><h3>{_safe(run.slot)} {_tag(report.cell(run))}</h3>{''.join(parts)}</div>"


def _answer(run: TaskRun, sample: Sample) -> str:
    answer, result = sample.answer, sample.result
    if answer is None:
        return "<p class='faint'>Not answered.</p>"
    number = f"Answer {sample.number + 1} · " if len(run.samples) > 1 else ""
    word = _tag(report.OUTCOMES[sample.outcome]) if sample.outcome is not None and number else ""
    speed = answer.timings.decode_tokens_per_s
    figures = f"{answer.usage.completion_tokens} tokens" + (f" · {speed:.1f} tokens/s" if speed else "")
    parts = [f"<p class='faint'>{number}{figures} · seed {answer.seed} {word}</p>"]
    if answer.error:
        parts.append(f"<p class='fail'>{_safe(answer.error)}</p>")
    if result is not None:
        parts += [f"<p>{_safe(text)}</p>" for text in (result.judged.message,) if text]
        parts.append(f"<p class='faint'>{_safe(result.extracted.how)}</p>" if result.extracted.how else "")
        parts.append(_pre(result.extracted.code))
        parts.append(_cases(run, sample.number, result.judged.passed, result.judged.total))
        parts.append(_more("What it printed", result.judged.log))
    parts += [_more("Reasoning", answer.reasoning), _more("Whole answer", answer.text)]
    return "".join(parts)


def _cases(run: TaskRun, sample: int, passed: int, total: int) -> str:
    cases = report.failing_first(run, sample)
    if not cases:
        return ""
    lines = "".join(
        f"<tr><td><span class='tag {mark}'>{mark}</span></td>"
        + "".join(f"<td class='mono'>{_safe(shown(text, 2000))}</td>" for text in texts)
        + "</tr>"
        for mark, *texts in cases
    )
    head = "<tr><th></th><th>Input</th><th>Expected</th><th>Got</th></tr>"
    return (
        f"<details open><summary>{passed} of {total} cases pass</summary><div class='wide'><table>{head}{lines}"
        "</table></div></details>"
    )


def _more(title: str, text: str) -> str:
    return f"<details><summary>{_safe(title)}</summary>{_pre(text)}</details>" if text.strip() else ""


def _pre(text: str) -> str:
    return f"<pre>{_safe(shown(text))}</pre>" if text.strip() else ""


def _diff(text: str) -> str:
    kinds = {"+": "add", "-": "del"}
    lines = []
    for line in shown(text).split("\n"):
        kind = "" if line.startswith(("+++", "---")) else kinds.get(line[:1], "")
        lines.append(f"<span class='{kind}'>{_safe(line)}</span>" if kind else f"{_safe(line)}\n")
    return "".join(lines)


def _tag(word: str) -> str:
    words = {report.OUTCOMES[outcome]: "fail" for outcome in _BAD} | {"pass": "pass"}
    return f"<span class='tag {words.get(word, 'none')}'>{_safe(word)}</span>"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{_safe(text)}</th>' for text in head)}</tr>" if any(head) else ""
    body = "".join(f"<tr>{''.join(f'<td>{_safe(text)}</td>' for text in line)}</tr>" for line in lines)
    return f"<div class='wide'><table>{top}{body}</table></div>"


def _section(body: str) -> str:
    return f"<section>{body}</section>"


def _anchor(data: RunData, task: str) -> str:
    return f"task-{data.header.tasks.index(task)}"


def _safe(text: str) -> str:
    return escape(harmless(text), quote=True)
