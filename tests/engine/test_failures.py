"""Prompts that do not fit and workers that are killed: one clear sentence, and the next prompt works."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane, LaneDone
from playground.compare.run import Comparison
from playground.engines.pool import EnginePool
from playground.errors import EngineError, ErrorKind
from playground.models.library import describe
from tests.support.engines import answered, asked, loaded_engine
from tests.support.tiny_gguf import build


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "qwen3.gguf"
    build("qwen3", path)
    return path


def test_prompts_that_do_not_fit_are_refused(good: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(good, LoadOptions(n_ctx=256))
        try:
            for text, word in (("", "empty"), ("word " * 2000, "context")):
                with pytest.raises(EngineError, match=word) as caught:
                    await answered(engine, asked(text))
                assert caught.value.kind is ErrorKind.PROMPT
            assert caught.value.fitting_tokens == 256
            assert (caught.value.needed_tokens or 0) > 2000
            _, _, finished = await answered(
                engine, asked("Hello"), AnswerOptions(Sampling(temperature=0), 100_000)
            )
            assert finished.stop in ("context", "end")
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_a_killed_worker_costs_its_lane_only(good: Path) -> None:
    async def scenario() -> None:
        pool = EnginePool(2)
        model = describe(good)
        options = AnswerOptions(Sampling(temperature=0.9), max_tokens=1500)
        talk = Conversation().with_user("Tell me a long story.")
        lanes = [Lane(slot, model, talk, LoadOptions(n_ctx=2048), options) for slot in "AB"]
        try:
            results = {}
            killed = False
            async for event in Comparison(lanes, "together", pool).events():
                victim = pool._engines.get("A")
                if not killed and victim is not None and "B" in pool.loaded() and victim.pid:
                    os.kill(victim.pid, signal.SIGKILL)
                    killed = True
                if isinstance(event, LaneDone):
                    results[event.slot] = event.result
            error = results["A"].error
            assert error is not None
            assert error.kind == ErrorKind.CRASHED
            assert "SIGKILL" in error.message
            assert results["B"].error is None
            again = [event async for event in Comparison(lanes[:1], "auto", pool).events()]
            assert isinstance(again[-1], LaneDone)
            assert again[-1].result.error is None
        finally:
            await pool.close()

    asyncio.run(scenario())
