"""``playground bench``: a suite with one model or two, judged; ``playground bench show``: the verdict of a run file."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playground import config
from playground.bench import bench_report, report, run_file, suites
from playground.bench.events import (
    Answered,
    BenchEvent,
    JudgeDone,
    LaneEnded,
    LaneLoaded,
    LanePhase,
    Phase,
    RunBegun,
    RunFinished,
    TaskText,
    TimeLeft,
)
from playground.bench.lanes import MAX_PARALLEL, lane_infos, parallel_answers
from playground.bench.record import MOST_SAMPLES, Header, LaneInfo, RunSettings
from playground.bench.run import BenchRun
from playground.bench.run_data import RunData
from playground.bench.sandbox import Sandbox, probe
from playground.bench.shown_text import shown
from playground.bench.task import Suite, Task
from playground.bench.verdict import verdict
from playground.chat.options import MAX_CONTEXT_TOKENS, LoadOptions
from playground.cli import output
from playground.compare.prepare import prepare
from playground.engines.pool import EnginePool
from playground.errors import PlaygroundError, SuiteError, UsageError
from playground.models import hardware
from playground.models.files import ModelFile

_PHASES = {Phase.HASHING: "hashing", Phase.LOADING: "loading", Phase.JUDGING: "running tests"}


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run is made of."""

    suite: Suite
    tasks: tuple[Task, ...]
    lanes: tuple[LaneInfo, ...]
    settings: RunSettings
    path: Path
    resume: bool


def bench(arguments: argparse.Namespace) -> int:
    """Run the suite; 0 when every task was answered and every program run, 1 otherwise. Raises UsageError."""
    _check(arguments)
    return asyncio.run(_bench(arguments))


def show(arguments: argparse.Namespace) -> int:
    """Show the verdict of a run file, or write its report. Raises PlaygroundError."""
    data = run_file.read(Path(arguments.file))
    for form in ("html", "markdown"):
        if target := getattr(arguments, form):
            report.write(data, Path(target), form)
            output.say(f"The report is in {target}.")
    for note in data.notes:
        output.say(note)
    _show(data, as_json=arguments.json)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for what cannot be meant."""
    if arguments.resume and not arguments.out:
        raise UsageError("Nothing says what to go on with.", hint="Name the run file with --out.")
    if not arguments.models and not arguments.resume:
        raise UsageError("No model is named.", hint="Name one or two with --model, the compact one first.")
    if len(arguments.models) > 2:
        raise UsageError(
            f"{len(arguments.models)} models are too many.", hint="A run has one model or two; run it again."
        )
    limits = {
        "samples": (1, MOST_SAMPLES),
        "seed": (0, 0xFFFFFFFE),
        "temperature": (0, 10),
        "max_tokens": (1, 1 << 20),
        "ctx": (8, MAX_CONTEXT_TOKENS),
        "margin": (0, 1),
        "parallel": (0, MAX_PARALLEL),
        "threads": (1, 4096),
    }
    for name, (low, high) in limits.items():
        value = getattr(arguments, name)
        if value is not None and not low <= value <= high:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} {value:g} is not usable.", hint=f"It lies between {low} and {high:,}."
            )
    if arguments.samples > 1 and arguments.temperature == 0:
        raise UsageError(
            "At temperature 0 all samples of a task are the same answer.",
            hint="Leave --samples away, or choose a temperature such as 0.7.",
        )


async def _bench(arguments: argparse.Namespace) -> int:
    models = [await prepare(ref, _preparing) for ref in arguments.models]
    sandbox = await asyncio.to_thread(probe)
    make = _resumed if arguments.resume else _begun
    work = await asyncio.to_thread(make, arguments, models)
    pool = EnginePool(hardware.physical_cores())
    run = BenchRun(
        *(work.suite, work.tasks, work.lanes, work.settings, pool, sandbox, work.path), resume=work.resume
    )
    _say_begin(work, sandbox)
    try:
        data = await _follow(run)
    finally:
        await pool.close()
    _show(data, as_json=arguments.json)
    _say_end(data, work.path, arguments.suite)
    return 0 if data.is_complete and not data.not_run else 1


def _preparing(what: str, fraction: float) -> None:
    output.status(f"{what} {fraction:.0%}")


def _begun(arguments: argparse.Namespace, models: Sequence[ModelFile]) -> _Work:
    suite = suites.load(arguments.suite)
    tasks = suites.select(suite, arguments.task)
    settings = RunSettings(
        samples=arguments.samples,
        seed=arguments.seed,
        max_tokens=arguments.max_tokens,
        thinking=None if arguments.thinking is None else arguments.thinking == "on",
        margin=arguments.margin,
        plan=arguments.plan,
        parallel=parallel_answers(arguments.samples, arguments.parallel),
        task_glob=arguments.task,
    )
    load = LoadOptions(
        n_ctx=arguments.ctx,
        threads=arguments.threads,
        gpu_layers=arguments.gpu_layers,
        kv_type=arguments.kv_type,
    )
    lanes = lane_infos(models, tasks, settings, load, arguments.temperature)
    path = Path(arguments.out) if arguments.out else _new_path(suite)
    return _Work(suite, tasks, lanes, settings, path, resume=False)


def _new_path(suite: Suite) -> Path:
    now = datetime.now(UTC).astimezone().strftime("%Y-%m-%d-%H%M%S")
    return config.folders().data / "runs" / f"{suite.id}-{now}.jsonl"


def _resumed(arguments: argparse.Namespace, models: Sequence[ModelFile]) -> _Work:
    """Return the run that a file holds; models may lie elsewhere now. Raises SuiteError."""
    path = Path(arguments.out)
    header = run_file.read(path).header
    _check_again(arguments, header, path)
    named = arguments.suite if arguments.suite != "starter" else header.suite_id
    try:
        suite = suites.load(named)
    except PlaygroundError as error:
        raise SuiteError(
            f"The suite {header.suite_id} of {path.name} cannot be read: {error.message}",
            hint="Name it, or its folder, with --suite.",
        ) from error
    known = {task.id: task for task in suite.tasks}
    tasks = tuple(known[name] for name in header.tasks if name in known)
    if models and len(models) != len(header.lanes):
        raise UsageError(
            f"{path.name} has {len(header.lanes)} lanes, and {len(models)} models are named.",
            hint="Leave --model away to use the same files.",
        )
    return _Work(suite, tasks, _again(header.lanes, models), header.settings, path, resume=True)


def _check_again(arguments: argparse.Namespace, header: Header, path: Path) -> None:
    """Raise UsageError for a setting that differs from the run's: it would be left aside without a word."""
    usual, settings = RunSettings(), header.settings
    thinking = None if arguments.thinking is None else arguments.thinking == "on"
    asked = {"--task": ("task_glob", arguments.task), "--thinking": ("thinking", thinking)}
    for name in ("samples", "seed", "max_tokens", "margin", "plan"):
        asked[f"--{name.replace('_', '-')}"] = (name, getattr(arguments, name))
    if arguments.parallel:
        asked["--parallel"] = ("parallel", arguments.parallel)
    for option, (name, value) in asked.items():
        if value not in (getattr(usual, name), getattr(settings, name)):
            raise UsageError(
                f"{path.name} was begun with another {option}.",
                hint="Leave it away to go on with the same one, or begin a new run.",
            )


def _again(lanes: Sequence[LaneInfo], models: Sequence[ModelFile]) -> tuple[LaneInfo, ...]:
    """Return lanes whose files are hashed again, where they lie now."""
    import msgspec

    files = models or [lane.model for lane in lanes]
    return tuple(
        msgspec.structs.replace(lane, model=msgspec.structs.replace(lane.model, path=file.path), sha256="")
        for lane, file in zip(lanes, files, strict=True)
    )


# ---- while it runs


async def _follow(run: BenchRun) -> RunData:
    """Say what happens and return the run. The first Ctrl-C stops it in order."""
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, run.stop)
    said = _Said()
    try:
        async with contextlib.aclosing(run.events()) as events:
            async for event in events:
                said.say(event)
    except PlaygroundError:
        output.status("")
        raise
    output.status("")
    assert run.data is not None
    return run.data


class _Said:
    """Turns events into words: a passing line on a terminal, whole lines for what stays."""

    def __init__(self) -> None:
        self._left = ""
        self._names: dict[str, str] = {}
        self._tokens: dict[tuple[str, str, int], int] = {}
        self._data: RunData | None = None

    def say(self, event: BenchEvent) -> None:
        """Say one event."""
        if isinstance(event, TimeLeft):
            self._left = _left(event)
            output.status(self._left)
        elif isinstance(event, TaskText):
            output.status(f"{self._left} · {event.slot} {event.task}: {event.tokens} tokens")
        elif isinstance(event, LanePhase) and event.phase in _PHASES:
            share = f" {event.fraction:.0%}" if event.fraction is not None else ""
            output.status(f"{self._left} · {event.slot}: {_PHASES[event.phase]}{share}".strip(" ·"))
        elif isinstance(event, RunBegun):
            self._begin(event)
        elif isinstance(event, (LaneLoaded, LaneEnded)):
            self._say_lane(event)
        elif isinstance(event, Answered):
            answer = event.answer
            self._tokens[answer.slot, answer.task, answer.sample] = answer.usage.completion_tokens
        elif isinstance(event, JudgeDone):
            self._say_result(event)
        elif isinstance(event, RunFinished):
            output.status("")

    def _begin(self, event: RunBegun) -> None:
        output.status("")
        done = len(event.data.answers)
        if done:
            output.say(f"{done} answers are there already.")
        output.say(event.plan.reason)

    def _say_lane(self, event: LaneLoaded | LaneEnded) -> None:
        output.status("")
        if isinstance(event, LaneLoaded):
            load = event.load
            output.say(f"{load.slot}: loaded in {load.load_s:.1f} s, {load.peak_bytes / 1e9:.2f} GB")
            for warning in event.warnings:
                output.say(f"{load.slot}: {warning}")
        elif event.end.error:
            output.say(f"{event.end.slot}: {event.end.error}")

    def _say_result(self, event: JudgeDone) -> None:
        result = event.result
        number = f" #{result.sample + 1}" if result.sample or self._several(result.slot, result.task) else ""
        tokens = self._tokens.get((result.slot, result.task, result.sample))
        count = f" ({tokens} tokens)" if tokens else ""
        output.status("")
        output.say(f"{result.slot} {result.task}{number}: {report.OUTCOMES[result.judged.outcome]}{count}")

    def _several(self, slot: str, task: str) -> bool:
        return (slot, task, 1) in self._tokens


def _left(event: TimeLeft) -> str:
    done = f"{event.done} of {event.total} answers"
    if event.left_s is None or event.low_s is None or event.high_s is None or event.done == event.total:
        return done
    return f"{done} · about {_span(event.left_s)} left ({_span(event.low_s)} to {_span(event.high_s)})"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


# ---- before and behind it


def _say_begin(work: _Work, sandbox: Sandbox) -> None:
    output.status("")
    for lane in work.lanes:
        base = ", base model: asked by completions" if lane.model.is_base else ""
        output.say(f"{lane.slot}: {lane.model.name} {lane.model.quant}{base}")
    caution = f" {work.suite.caution.rstrip('.')}." if work.suite.caution else ""
    output.say(f"{work.suite.title} {work.suite.version}: {len(work.tasks)} tasks.{caution}")
    output.say(f"{sandbox.guarantee} {sandbox.missing}".strip())
    output.say(f"The run file is {work.path}")


def _say_end(data: RunData, path: Path, suite: str) -> None:
    if data.end is not None and not data.end.complete:
        reason = f": {data.end.reason}" if data.end.reason else ""
        again = ["playground", "bench", "--resume", "--out", str(path)]
        if suite not in ("starter", data.header.suite_id):  # a folder, which the run file does not know
            again += ["--suite", suite]
        output.say(f"The run is not complete{reason.rstrip('.')}. To go on: {shlex.join(again)}")


def _show(data: RunData, *, as_json: bool) -> None:
    if as_json:
        output.json_data(bench_report.bench_report(data))
        return
    found = verdict(data)
    lines = [found.headline, "", *(f"- {text}" for text in found.sentences), ""]
    if len(found.costs) > 1 or found.costs[0].run_s:
        lines += _table(["", *(score.name for score in found.scores)], report.cost_lines(found.costs))
    output.data("\n".join(shown(line) for line in lines) + "\n")


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(len(head))]
    return [
        "  ".join(
            text.ljust(width) if not column else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (head, *body)
    ]
