"""Real llama.cpp, real architectures: tiny models load, answer, and reuse what they have read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, Sampling
from tests.support.engines import GREEDY, answered, asked, loaded_engine
from tests.support.tiny_gguf import build

ARCHITECTURES = ("llama", "qwen3", "qwen35", "qwen35moe", "gemma3", "gpt-oss")
_LONG = "Count the words of this text and say what you think of it. " * 12


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / f"{request.param}.gguf"
    build(request.param, path)
    return path


def test_a_second_turn_evaluates_only_what_is_new(model: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(model)
        fresh = await loaded_engine(model)
        try:
            talk = Conversation().with_user(_LONG)
            answer, reasoning, first = await answered(engine, talk.messages())
            assert first.usage.cached_tokens == 0
            assert first.usage.completion_tokens > 0
            talk = talk.with_answer(answer, reasoning).with_user("And now shorter.")
            again, _, second = await answered(engine, talk.messages())
            assert second.usage.cached_tokens > 0
            expected, _, whole = await answered(fresh, talk.messages())
            assert whole.usage.cached_tokens == 0
            assert again == expected
        finally:
            await engine.close()
            await fresh.close()

    asyncio.run(scenario())


def test_a_cancel_stops_a_long_prompt_and_the_next_one_works(model: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(model)
        try:
            task = asyncio.create_task(answered(engine, asked(_LONG), AnswerOptions(Sampling(), 100_000)))
            await asyncio.sleep(0.2)
            engine.cancel()
            _, _, stopped = await task
            assert stopped.stop in ("cancelled", "context", "end")
            _, _, after = await answered(engine, asked("Hello"))
            assert after.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_the_length_limit_is_kept(model: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(model)
        try:
            _, _, finished = await answered(engine, asked("Hello"), GREEDY)
            assert finished.usage.completion_tokens <= GREEDY.max_tokens
            assert finished.stop in ("length", "end")
        finally:
            await engine.close()

    asyncio.run(scenario())
