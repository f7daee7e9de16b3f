"""A tiny suite, tiny models whose answers to it are known, and runs of them as the front ends make them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from playground.bench.events import BenchEvent
from playground.bench.judging import Judging
from playground.bench.lanes import lane_infos
from playground.bench.record import RunSettings
from playground.bench.run import BenchRun
from playground.bench.run_data import RunData
from playground.bench.sandbox import probe
from playground.bench.task import Case, Suite, Task
from playground.chat.options import LoadOptions
from playground.engines.pool import EnginePool
from playground.models.library import describe
from tests.support.tiny_gguf import build

RIGHT = "Sure, here it is.\n\n```python\ndef add(a, b):\n    return a + b\n```\n"
WRONG = "Of course:\n\n```python\ndef add(x, y):\n    return x - y\n```\n"
CPU = LoadOptions(gpu_layers="none")


def task(name: str, entry_point: str = "add", expected: Callable[[int, int], int] = int.__add__) -> Task:
    """Return a task about two numbers."""
    pairs = ((1, 2), (5, -7), (0, 0), (10, 4))
    return Task(
        *(name, f"Task {name}", "python", 0, "sums"),
        prompt=f"Write a Python function {entry_point}(a, b). Task {name}.",
        reference=f"def {entry_point}(a, b):\n    return a + b\n",
        entry_point=entry_point,
        completion=f"Task {name}.\n\n```python\ndef {entry_point}(a, b):\n",
        cases=tuple(Case(args=pair, expected=expected(*pair)) for pair in pairs),
    )


def suite(tasks: int = 4) -> Suite:
    """Return tasks of which every third one wants a difference, and every fourth one another function."""
    kinds = [
        task(f"t{n}", "sub" if n % 4 == 3 else "add", int.__sub__ if n % 3 == 2 else int.__add__)
        for n in range(tasks)
    ]
    return Suite("tiny", "Tiny tasks", "1", "MIT", tuple(kinds), sha256="e" * 64)


def write_suite(folder: Path, made: Suite) -> Path:
    """Write a suite as a user's own folder, and return it."""
    (folder / "tasks").mkdir(parents=True)
    head = {"id": made.id, "title": made.title, "version": made.version, "licence": made.licence}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in head.items())
    (folder / "suite.toml").write_text(text, encoding="utf-8")
    tasks = {"tasks": [_given(each) for each in made.tasks]}
    (folder / "tasks" / "all.json").write_bytes(msgspec.json.encode(tasks))
    return folder


def _given(each: Task) -> dict[str, object]:
    keys = ("id", "title", "language", "tier", "topic", "prompt", "reference", "entry_point", "completion")
    cases = [{"args": list(case.args), "expected": case.expected} for case in each.cases]
    return {**{key: getattr(each, key) for key in keys}, "cases": cases}


def right_model(folder: Path) -> Path:
    """Write a model that always adds."""
    return build("llama", folder / "right.gguf", script=RIGHT)


def wrong_model(folder: Path) -> Path:
    """Write a model that always subtracts."""
    return build("llama", folder / "wrong.gguf", script=WRONG)


class Race:
    """A run of models over a suite; ``seen`` keeps its events."""

    def __init__(
        self,
        models: Sequence[Path],
        path: Path,
        *,
        tasks: Suite | None = None,
        settings: RunSettings | None = None,
        resume: bool = False,
        judging: Judging | None = None,
        rest_s: float = 60.0,
    ) -> None:
        self.path, self.suite = path, tasks or suite()
        self.settings = settings or RunSettings(max_tokens=64)
        lanes = lane_infos([describe(each) for each in models], self.suite.tasks, self.settings, CPU)
        self.pool = EnginePool(2)
        self.seen: list[BenchEvent] = []
        self.run = BenchRun(
            *(self.suite, self.suite.tasks, lanes, self.settings, self.pool, probe(), path),
            resume=resume,
            judging=judging,
            rest_s=rest_s,
        )

    async def go(self, on_event: Callable[[BenchEvent], None] = lambda _event: None) -> RunData:
        """Run to the end and return what came of it."""
        try:
            async with contextlib.aclosing(self.run.events()) as events:
                async for event in events:
                    self.seen.append(event)
                    on_event(event)
        finally:
            await self.pool.close()
        assert self.run.data is not None
        return self.run.data
