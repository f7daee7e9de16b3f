"""The services behind Results and *Run tests* on the real bench: tiny models, real engines, real sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from playground.app_results import AppResults, stacked
from playground.bench import suites
from playground.bench.events import RunBegun, RunFinished
from playground.bench.outcome import Outcome
from playground.bench.record import RunSettings
from playground.bench.run_data import RunData
from playground.bench.run_file import RunWriter
from playground.chat.options import LoadOptions
from playground.compare.prompts import by_id
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.errors import PlaygroundError
from playground.models.library import describe
from playground.ui.results.services import BenchWork, JudgeServices, ResultsServices, RunWish
from tests.support import bench_models, runs
from tests.support.tiny_gguf import build

_TASKS = "py-add,py-even"
_SETTINGS = RunSettings(max_tokens=64, margin=0.2, task_glob=_TASKS)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    return tmp_path


def _services(pool: EnginePool) -> AppResults:
    made = AppResults(pool)
    checked: tuple[ResultsServices, JudgeServices] = (made, made)  # the types say that it is both
    assert checked
    return made


async def _follow(work: BenchWork, *, stop_after: int | None = None) -> RunData:
    data: RunData | None = None
    answered = 0
    async for event in work.events():
        if isinstance(event, RunBegun):
            data = event.data
        elif type(event).__name__ == "Answered":
            answered += 1
            if answered == stop_after:
                work.stop()
        elif isinstance(event, RunFinished):
            data = event.data
    assert data is not None
    return data


def test_a_run_is_made_listed_read_and_resumed(home: Path) -> None:
    right, wrong = bench_models.right_model(home), bench_models.wrong_model(home)

    async def scenario() -> None:
        pool = EnginePool(2)
        services = _services(pool)
        try:
            wish = RunWish((describe(wrong), describe(right)), "starter", _SETTINGS)
            stopped = await _follow(services.start(wish), stop_after=1)
            assert not stopped.is_complete
            (listed,) = services.runs()
            assert not listed.complete
            whole = await _follow(services.resume(Path(listed.path)))
            assert whole.is_complete
            (listed,) = services.runs()
            assert listed.complete
        finally:
            await pool.close()
        read = services.read(Path(listed.path))
        assert read.header.settings.margin == 0.2
        assert read.results["B", "py-add", 0].judged.outcome is Outcome.PASS
        assert read.results["A", "py-add", 0].judged.outcome is Outcome.WRONG
        svg = services.pictures(read, dark=True)
        assert svg.count("<svg ") == 4
        services.write_report(read, home / "report.html", "html")
        assert "py-add" in (home / "report.html").read_text(encoding="utf-8")

    asyncio.run(scenario())


def test_models_of_compare_are_named_and_unloaded(home: Path) -> None:
    path = build("llama", home / "held.gguf", script="Yes.")

    async def scenario() -> None:
        pool = EnginePool(2)
        services = _services(pool)

        async def load(engine: EngineProcess) -> None:
            await engine.load(path, LoadOptions(gpu_layers="none", n_ctx=64), 1, lambda _share: None)

        try:
            await pool.load("A", str(path), LoadOptions(gpu_layers="none", n_ctx=64), load)
            assert services.loaded() == ("held",)
            await services.unload()
            assert services.loaded() == ()
        finally:
            await pool.close()

    asyncio.run(scenario())


def test_prompts_with_tests_are_known_and_judged(home: Path) -> None:  # noqa: ARG001 -- a home of its own
    services = _services(EnginePool(1))
    prompts = {prompt.task: prompt for prompt in services.task_prompts()}
    assert len(prompts) == len(suites.load("starter").tasks)
    task = services.task_of(prompts["starter/py-add"].text + "\n")
    assert task is not None
    assert task.id == "py-add"
    even = services.task_of(by_id("is-even").text)
    assert even is not None
    assert even.entry_point == "is_even"
    assert services.task_of("Hello") is None
    right = msgspec.structs.replace(
        runs.answer("A", 0, text=f"```python\n{task.reference}\n```"), task=task.id
    )
    wrong = msgspec.structs.replace(
        runs.answer("B", 0, text="```python\ndef add(a, b):\n    return 0\n```"), task=task.id
    )

    async def scenario() -> None:
        assert (await services.judge(right, task)).judged.outcome is Outcome.PASS
        failed = await services.judge(wrong, task)
        assert failed.judged.outcome is Outcome.WRONG
        assert any(not case.passed and case.expected for case in failed.judged.cases)
        assert (await services.judge_unsafe(task, task.reference)).outcome is Outcome.PASS

    asyncio.run(scenario())


def test_every_linked_prompt_names_a_task_that_its_reference_solves() -> None:
    known = {f"starter/{task.id}": task for task in suites.load("starter").tasks}
    from playground.compare.prompts import all_prompts

    linked = [prompt for prompt in all_prompts() if prompt.task]
    assert linked
    for prompt in linked:
        task = known[prompt.task]
        assert prompt.language == task.language
        assert f"`{task.entry_point}(" in prompt.text


def test_a_run_over_an_unknown_suite_cannot_be_resumed(home: Path) -> None:
    path = home / "x.jsonl"
    RunWriter.create(path, runs.header(1)).close()
    with pytest.raises(PlaygroundError, match=r"A tiny suite of x\.jsonl cannot be read"):
        _services(EnginePool(1)).resume(path)


def test_answers_of_another_computer_are_tested_without_its_models(home: Path) -> None:
    suite = suites.load("starter")
    task = next(each for each in suite.tasks if each.id == "py-add")
    begun = msgspec.structs.replace(
        runs.header(1),
        suite_id=suite.id,
        suite_version=suite.version,
        suite_sha256=suite.sha256,
        tasks=(task.id,),
    )
    path = home / "elsewhere.jsonl"
    writer = RunWriter.create(path, begun)
    for slot, code in (("A", task.reference), ("B", "def add(a, b):\n    return 0\n")):
        writer.add(
            msgspec.structs.replace(runs.answer(slot, 0, text=f"```python\n{code}\n```"), task=task.id)
        )
        made = runs.result(slot, 0, Outcome.NOT_RUN)
        extracted = msgspec.structs.replace(made.extracted, code=code, outcome=None)
        writer.add(msgspec.structs.replace(made, task=task.id, extracted=extracted))
    writer.close()

    async def scenario() -> None:
        pool = EnginePool(2)
        try:
            allowed = await _services(pool).test_unsafe(path, "B", task.id, 0)
            assert allowed.results["B", task.id, 0].judged.outcome is Outcome.WRONG
            assert _services(pool).read(path).results == allowed.results
            data = await _follow(_services(pool).resume(path))
        finally:
            await pool.close()
        assert data.results["A", task.id, 0].judged.outcome is Outcome.PASS
        assert data.results["B", task.id, 0].judged.outcome is Outcome.WRONG
        assert data.not_run == ()

    asyncio.run(scenario())


def test_pictures_are_put_below_each_other() -> None:
    parts = ["<svg viewBox='0 0 640 60'></svg>", "<svg viewBox='0 0 640 116'></svg>"]
    found = stacked(parts)
    assert "y='0'" in found
    assert "y='76'" in found
    assert "height='224'" in found
