"""Runs of a suite on tiny models whose answers are known, with the real engine, sandbox and file."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from playground.bench.events import (
    Answered,
    BenchEvent,
    JudgeDone,
    LaneEnded,
    LanePhase,
    Phase,
    RunBegun,
    RunFinished,
    TaskBegun,
    TaskText,
    TimeLeft,
)
from playground.bench.outcome import Outcome
from playground.bench.record import RunSettings
from playground.bench.run_data import RunData
from playground.bench.run_file import read
from playground.bench.verdict import verdict
from playground.errors import PlaygroundError, SuiteError, UsageError
from tests.support.bench_models import Race, right_model, suite, task, wrong_model
from tests.support.tiny_gguf import build

_SHORT = RunSettings(max_tokens=64)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [right_model(folder), wrong_model(folder)]


@pytest.fixture(scope="module")
def raced(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Race, RunData]:
    """Run both models once, to the end, for all who only look at what came of it."""
    race = Race(models, tmp_path_factory.mktemp("raced") / "run.jsonl")
    return race, asyncio.run(race.go())


def _outcomes(data: RunData, slot: str) -> list[str]:
    return [" ".join(str(sample.outcome) for sample in run.samples) for run in data.tasks(slot)]


def test_a_pass_and_a_fail_are_certain(raced: tuple[Race, RunData]) -> None:
    race, data = raced
    assert _outcomes(data, "A") == ["pass", "pass", "wrong", "error"]
    assert _outcomes(data, "B") == ["wrong", "wrong", "pass", "error"]
    assert read(race.path) == data
    found = verdict(data)
    assert found.pair is not None
    assert (found.pair.both, found.pair.only_small, found.pair.only_large, found.pair.neither) == (0, 2, 1, 1)
    assert found.headline == "No difference seen yet"
    assert data.end is not None
    assert data.end.complete


def test_events_tell_the_run_from_its_first_hash_to_its_end(raced: tuple[Race, RunData]) -> None:
    race, _ = raced
    kinds = [type(event) for event in race.seen]
    assert isinstance(race.seen[-1], RunFinished)
    first = [event.phase for event in race.seen if isinstance(event, LanePhase)]
    assert first[0] is Phase.HASHING
    assert kinds.count(RunBegun) == 1
    assert kinds.count(TaskBegun) == kinds.count(Answered) == kinds.count(JudgeDone) == 8
    assert kinds.count(LaneEnded) == 2
    streamed = "".join(
        e.text for e in race.seen if isinstance(e, TaskText) and (e.slot, e.task) == ("A", "t0")
    )
    answered = next(e.answer for e in race.seen if isinstance(e, Answered))
    assert streamed == answered.text
    left = [event for event in race.seen if isinstance(event, TimeLeft)]
    assert left[0].left_s is None
    assert (left[-1].done, left[-1].total, left[-1].left_s) == (8, 8, 0.0)
    begun = next(event for event in race.seen if isinstance(event, RunBegun))
    assert begun.plan.mode == "sequential"


@pytest.mark.parametrize(("parallel", "rest_s", "early"), [(1, 60.0, 3), (4, 60.0, 0), (2, 0.0, 3)])
def test_nothing_is_judged_while_a_lane_writes(
    models: list[Path], tmp_path: Path, parallel: int, rest_s: float, early: int
) -> None:
    settings = msgspec.structs.replace(_SHORT, parallel=parallel)
    race = Race(models[:1], tmp_path / "run.jsonl", settings=settings, rest_s=rest_s)
    asyncio.run(race.go())
    writing: set[str] = set()
    judged = 0
    judged_before_the_last_answer = 0
    for event in race.seen:
        if isinstance(event, TaskBegun):
            writing.add(event.task)
        elif isinstance(event, Answered):
            writing.discard(event.answer.task)
            judged_before_the_last_answer = judged
        elif isinstance(event, JudgeDone):
            assert not writing
            judged += 1
    assert judged == 4
    assert judged_before_the_last_answer == early


def test_the_file_holds_what_repeats_the_run(models: list[Path], raced: tuple[Race, RunData]) -> None:
    import hashlib

    _, data = raced
    for lane, path in zip(data.header.lanes, models, strict=True):
        assert lane.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert len(lane.template_sha256) == 64
        assert lane.model.quant
        assert lane.answer.sampling.temperature == 0.0
    assert data.header.engine.startswith("llama-cpp-python 0.3.")
    assert data.header.machine.memory_bytes > 0
    assert data.header.suite_sha256 == "e" * 64
    assert data.header.task_infos[0].prompt.startswith("Write a Python function")
    assert {"A", "B"} == set(data.loads)
    assert all(load.peak_bytes > 0 and load.load_s > 0 for load in data.loads.values())
    seeds = {slot: [data.answers[slot, t, 0].seed for t in data.header.tasks] for slot in "AB"}
    assert seeds["A"] == seeds["B"]
    assert len(set(seeds["A"])) == 4


@pytest.mark.parametrize("parallel", [1, 3, 8])
def test_samples_are_drawn_with_seeds_of_their_own(models: list[Path], tmp_path: Path, parallel: int) -> None:
    settings = RunSettings(samples=3, max_tokens=64, parallel=parallel)
    data = asyncio.run(Race(models[:1], tmp_path / "run.jsonl", settings=settings).go())
    assert _outcomes(data, "A") == [
        "pass pass pass",
        "pass pass pass",
        "wrong wrong wrong",
        " ".join(["error"] * 3),
    ]
    seeds = [data.answers["A", "t0", sample].seed for sample in range(3)]
    assert seeds == [seeds[0], seeds[0] + 1, seeds[0] + 2]
    cached = [data.answers["A", "t0", sample].usage.cached_tokens for sample in range(3)]
    assert cached[1] > 0  # the prompt was evaluated once
    assert cached[2] > 0
    assert verdict(data).scores[0].pass_at[0][1] == pytest.approx(0.5)


def test_together_the_speeds_are_marked_shared(models: list[Path], tmp_path: Path) -> None:
    settings = msgspec.structs.replace(_SHORT, plan="together")
    data = asyncio.run(Race(models, tmp_path / "run.jsonl", settings=settings).go())
    assert data.is_complete
    assert all(answer.shared for answer in data.answers.values() if answer.task == "t0")
    assert all(cost.shared for cost in verdict(data).costs)


def test_a_base_model_goes_on_with_the_completion(tmp_path: Path) -> None:
    base = build("llama", tmp_path / "base.gguf", script="    return a + b\n```\n", template=None)
    data = asyncio.run(Race([base], tmp_path / "run.jsonl").go())
    assert _outcomes(data, "A") == ["pass", "pass", "wrong", "pass"]
    assert data.answers["A", "t0", 0].answer_prefix.startswith("```python\ndef add")
    assert data.header.lanes[0].template_sha256 == ""


def test_an_answer_that_is_cut_off_is_told_from_a_wrong_one(models: list[Path], tmp_path: Path) -> None:
    settings = msgspec.structs.replace(_SHORT, max_tokens=8)
    data = asyncio.run(Race(models[:1], tmp_path / "run.jsonl", settings=settings).go())
    assert _outcomes(data, "A")[0] == "cut_off"


def _stopping(race: Race, answers: int, how: str) -> RunData:
    """Run until so many answers are in, then end it."""
    count = 0

    def look(event: BenchEvent) -> None:
        nonlocal count
        count += isinstance(event, Answered)
        if count == answers and isinstance(event, Answered):
            if how == "stop":
                race.run.stop()
            else:
                raise _LeftError

    return asyncio.run(race.go(look))


class _LeftError(Exception):
    pass


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("how", ["stop", "leave"])
def test_a_run_goes_on_where_it_was_left(
    models: list[Path], raced: tuple[Race, RunData], tmp_path: Path, how: str, parallel: int
) -> None:
    path = tmp_path / "run.jsonl"
    settings = msgspec.structs.replace(_SHORT, parallel=parallel)
    race = Race(models, path, settings=settings)
    if how == "stop":
        stopped = _stopping(race, 3, how)
        assert stopped.end is not None
        assert (stopped.end.complete, stopped.end.reason) == (False, "stopped")
    else:
        with pytest.raises(_LeftError):
            _stopping(race, 3, how)
    before = read(path)
    assert 3 <= len(before.answers) < 8
    again = Race(models, path, settings=settings, resume=True)
    data = asyncio.run(again.go())
    answered = [e.answer for e in again.seen if isinstance(e, Answered)]
    assert len(answered) == 8 - len(before.answers)
    assert {**before.answers} == {key: data.answers[key] for key in before.answers}
    assert data.is_complete
    assert data.end is not None
    assert data.end.complete
    assert data.busy_s("A") >= before.busy_s("A") > 0
    _, whole = raced
    assert {k: (a.text, a.seed) for k, a in data.answers.items()} == {
        k: (a.text, a.seed) for k, a in whole.answers.items()
    }


def test_a_lane_whose_model_dies_is_marked_and_the_other_goes_on(models: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    race = Race(models, path)

    def kill(event: BenchEvent) -> None:
        if isinstance(event, TaskText) and (event.slot, event.task) == ("A", "t1"):
            for pid in race.pool.pids():
                os.kill(pid, signal.SIGKILL)

    data = asyncio.run(race.go(kill))
    assert "SIGKILL" in data.lane_ends["A"].error
    assert not data.lane_ends["B"].error
    assert not data.missing("B")
    assert data.end is not None
    assert not data.end.complete
    assert "SIGKILL" in data.end.reason
    resumed = asyncio.run(Race(models, path, resume=True).go())
    assert resumed.is_complete
    assert not resumed.lane_ends["A"].error


def test_a_model_that_cannot_be_loaded_ends_its_lane_only(models: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(models[1].read_bytes())
    race = Race([models[0], broken], tmp_path / "run.jsonl")

    def cut(event: BenchEvent) -> None:
        if isinstance(event, RunBegun):
            os.truncate(broken, broken.stat().st_size // 2)

    data = asyncio.run(race.go(cut))
    assert not data.missing("A")
    assert data.lane_ends["B"].error
    assert len(data.missing("B")) == 4


def test_a_prompt_that_is_refused_costs_one_task(tmp_path: Path) -> None:
    template = (
        "{% if 'Task t1.' in messages[0].content %}{{ raise_exception('not this') }}{% endif %}"
        "<|start_header_id|>user<|end_header_id|>\n\n{{ messages[0].content }}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    picky = build("llama", tmp_path / "picky.gguf", script=_right(), template=template)
    data = asyncio.run(Race([picky], tmp_path / "run.jsonl").go())
    assert _outcomes(data, "A") == ["pass", "no_answer", "wrong", "error"]
    assert "not this" in data.answers["A", "t1", 0].error
    assert not data.lane_ends["A"].error


def _right() -> str:
    from tests.support.bench_models import RIGHT

    return RIGHT


def test_a_pause_begins_no_task(models: list[Path], tmp_path: Path) -> None:
    race = Race(models[:1], tmp_path / "run.jsonl")
    order: list[str] = []

    def look(event: BenchEvent) -> None:
        if isinstance(event, TaskBegun):
            order.append("begun")
            if len(order) == 1:
                race.run.pause()
        elif isinstance(event, LanePhase) and event.phase is Phase.PAUSED:
            order.append("paused")
            race.run.go_on()

    data = asyncio.run(race.go(look))
    assert order == ["begun", "paused", "begun", "begun", "begun"]
    assert data.is_complete


def test_a_file_of_other_tasks_models_or_settings_is_not_gone_on_with(
    models: list[Path], raced: tuple[Race, RunData]
) -> None:
    path = raced[0].path
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        asyncio.run(Race(models, path).go())
    others = (
        (Race(models, path, tasks=suite(5), resume=True), "other tasks"),
        (Race([models[0], models[0]], path, resume=True), "not the file that lane B"),
        (Race(models, path, settings=RunSettings(max_tokens=65), resume=True), "other settings"),
        (Race(models[:1], path, resume=True), "other settings"),
    )
    for race, words in others:
        with pytest.raises(SuiteError, match=words):
            asyncio.run(race.go())
    assert path.read_bytes() == before


def test_a_disk_that_fills_up_stops_the_run_in_order(models: list[Path], tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "run.jsonl"
    race = Race(models[:1], path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(event: BenchEvent) -> None:
        if isinstance(event, TaskBegun) and event.task == "t2":
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, hard))

    try:
        with pytest.raises(PlaygroundError, match="the disk is full") as raised:
            asyncio.run(race.go(fill))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert "--resume" in raised.value.hint
    assert race.run.unsaved
    kept = read(path)
    assert len(kept.answers) == 2
    assert not kept.notes
    assert asyncio.run(Race(models[:1], path, resume=True).go()).is_complete


def test_what_could_not_be_run_is_judged_when_there_is_a_sandbox(models: list[Path], tmp_path: Path) -> None:
    from playground.bench.judging import Judging
    from playground.bench.sandbox import Backend, Sandbox

    path = tmp_path / "run.jsonl"
    none = Judging(Sandbox(Backend.NONE, "No sandbox."))
    data = asyncio.run(Race(models[:1], path, judging=none).go())
    assert _outcomes(data, "A") == ["not_run"] * 4
    again = Race(models[:1], path, resume=True)
    data = asyncio.run(again.go())
    assert _outcomes(data, "A") == ["pass", "pass", "wrong", "error"]
    assert not any(isinstance(event, Answered) for event in again.seen)
    assert data.results["A", "t0", 0].judged.outcome is Outcome.PASS


def test_one_task_is_enough(models: list[Path], tmp_path: Path) -> None:
    one = msgspec.structs.replace(suite(1), tasks=(task("t0"),))
    data = asyncio.run(Race(models, tmp_path / "run.jsonl", tasks=one).go())
    assert verdict(data).headline == "No difference seen yet"


def test_a_run_that_is_stopped_while_its_models_are_hashed_leaves_no_file(
    models: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    race = Race(models, path)

    def stop(event: BenchEvent) -> None:
        if isinstance(event, LanePhase) and event.phase is Phase.HASHING:
            race.run.stop()

    race.run.stop()
    with pytest.raises(PlaygroundError, match="stopped before it began"):
        asyncio.run(race.go(stop))
    assert not path.exists()
