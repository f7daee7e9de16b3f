"""Hostile chat templates in the real worker: the prompt fails, the worker lives, the next prompt is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.options import LoadOptions
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, asked, loaded_engine
from tests.support.hostile_templates import CURIOUS, ENDLESS, GREEDY, MALFORMED
from tests.support.tiny_gguf import build

_OWN_TEXT = "The answer is here, and it is whole."
_SOME = (
    *("loop", "megabytes", "doubled text", "nested list", "power", "padding", "recursion"),
    *("deep loops", "break outside", "raised", "too long", "subclasses", "system", "stored format"),
)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen3", tmp_path_factory.mktemp("scripted") / "scripted.gguf", script=_OWN_TEXT)


async def _load(engine: EngineProcess, path: Path, template: str | None) -> tuple[str, ...]:
    options = LoadOptions(n_ctx=256, template=template)
    return (await engine.load(path, options, 1, lambda _fraction: None)).warnings


def test_each_costs_its_prompt_and_leaves_the_worker_usable(scripted: Path) -> None:
    every = {**GREEDY, **MALFORMED, **CURIOUS, **ENDLESS}
    sources = {name: every[name] for name in _SOME}

    async def scenario() -> None:
        engine = await loaded_engine(scripted, LoadOptions(n_ctx=256))
        first = engine.pid
        failed = 0
        try:
            for name, source in sources.items():
                warnings = await _load(engine, scripted, source)
                try:
                    answer, _, _ = await answered(engine, asked("Hello"))
                except EngineError as error:
                    assert error.kind in (ErrorKind.TEMPLATE, ErrorKind.PROMPT), (name, error.message)
                    assert warnings, name
                    failed += 1
                else:
                    assert name in CURIOUS, name
                    assert answer == _OWN_TEXT
                assert engine.is_alive, name
            for template in ("", None):
                await _load(engine, scripted, template)
                answer, _, _ = await answered(engine, asked("Hello"))
                assert answer == _OWN_TEXT
            assert engine.pid == first
        finally:
            await engine.close()
        assert failed >= sum(name not in CURIOUS for name in _SOME)

    asyncio.run(scenario())
