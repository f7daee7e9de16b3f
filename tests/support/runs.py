"""Runs for tests: headers, answers and results as a run file has them, and run files of wanted outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from playground.bench.outcome import CaseResult, Extracted, Judged, Outcome
from playground.bench.record import (
    SCHEMA,
    Answer,
    End,
    Entry,
    Header,
    LaneEnd,
    LaneInfo,
    LaneLoad,
    Machine,
    Result,
    RunSettings,
    TaskInfo,
)
from playground.bench.run_data import RunData
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.protocol import Timings, Usage
from playground.models.files import ModelFile

COMPACT = ModelFile(
    "compact",
    "/models/compact.gguf",
    "Compact 27B",
    9_000_000_000,
    "qwen35",
    "Q4_K_M",
    27,
    32768,
    is_base=False,
)
LARGER = ModelFile(
    "larger",
    "/models/larger.gguf",
    "Larger 72B",
    40_000_000_000,
    "qwen35",
    "Q4_K_M",
    72,
    32768,
    is_base=False,
)
CODE = "def add(a, b):\n    return a + b\n"


def header(
    tasks: int = 3,
    *,
    models: Sequence[ModelFile] = (COMPACT, LARGER),
    settings: RunSettings | None = None,
    published: dict[str, float] | None = None,
    caution: str = "",
) -> Header:
    """Return the first line of a run over so many tasks."""
    names = tuple(f"task-{number}" for number in range(tasks))
    return Header(
        schema=SCHEMA,
        id="0" * 32,
        started_at="2026-11-24T12:00:00+00:00",
        app_version="1.0",
        engine="llama-cpp-python 0.3.36",
        suite_id="tiny",
        suite_version="1",
        suite_sha256="f" * 64,
        suite_title="A tiny suite",
        caution=caution,
        tasks=names,
        settings=settings or RunSettings(),
        lanes=tuple(
            LaneInfo(slot, model, slot * 64, "", LoadOptions(), AnswerOptions())
            for slot, model in zip("AB", models, strict=False)
        ),
        machine=Machine("Linux", "A processor", 2, 16_000_000_000),
        sandbox="bubblewrap",
        task_infos=tuple(
            TaskInfo(name, f"Title of {name}", "python", 0, "topic", f"Write {name}.", cases=2)
            for name in names
        ),
        published=published or {},
        suite_tasks=tasks,
    )


def answer(
    slot: str, task: int, sample: int = 0, text: str = "", *, lane_s: float = 1.0, parallel: int = 1
) -> Answer:
    """Return an answer to a task."""
    return Answer(
        *(slot, f"task-{task}", sample, text or f"```python\n{CODE}```\n", ""),
        stop="end",
        usage=Usage(20, 0, 50),
        timings=Timings(decode_tokens_per_s=30.0 if slot == "A" else 6.0),
        seed=42,
        lane_s=lane_s,
        parallel=parallel,
    )


def result(slot: str, task: int, outcome: Outcome, sample: int = 0) -> Result:
    """Return what the judge said of an answer."""
    passed = outcome is Outcome.PASS
    has_code = outcome not in (Outcome.NO_CODE, Outcome.CUT_OFF, Outcome.THINKING, Outcome.REFUSED)
    cases = (
        CaseResult("1", True, "add(1, 2)", "3", "3"),
        CaseResult("2", passed, "add(2, 2)", "4", "4" if passed else "5 <b>&"),
    )
    extracted = Extracted(CODE if has_code else "", "The only fenced block.", None if has_code else outcome)
    judged = Judged(
        outcome,
        cases if has_code else (),
        2 if passed else 1,
        2,
        "" if passed else "A test got another value.",
    )
    return Result(slot, f"task-{task}", sample, extracted, judged)


def entries(outcomes: dict[str, Sequence[Outcome]], seconds: dict[str, float] | None = None) -> list[Entry]:
    """Return the lines of a whole run with one sample: by slot, how each task ended."""
    found: list[Entry] = []
    for slot, each in outcomes.items():
        busy_s = (seconds or {}).get(slot, 60.0)
        found.append(LaneLoad(slot, 1.0, 2_000_000_000 if slot == "A" else 8_000_000_000, 1, 1, 1, 0, 2))
        for task, outcome in enumerate(each):
            found += [answer(slot, task, lane_s=busy_s * (task + 1) / len(each)), result(slot, task, outcome)]
        found.append(LaneEnd(slot, busy_s, 2_000_000_000 if slot == "A" else 8_000_000_000))
    return [*found, End("2026-11-24T13:00:00+00:00", complete=True)]


def run(
    both: int, only_small: int, only_large: int, neither: int, *, settings: RunSettings | None = None
) -> RunData:
    """Return a complete run with this paired table."""
    small = [Outcome.PASS] * (both + only_small) + [Outcome.WRONG] * (only_large + neither)
    large = [Outcome.PASS] * both + [Outcome.WRONG] * only_small + [Outcome.PASS] * only_large
    large += [Outcome.WRONG] * neither
    data = RunData(header(len(small), settings=settings))
    return data.with_entries(entries({"A": small, "B": large}))
