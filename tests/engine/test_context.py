"""The end of the context, real llama.cpp: where an answer stops, goes on, or makes room for another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, answered_all, asked, running
from tests.support.talks import SEEDS
from tests.support.tiny_gguf import build

TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message.content }}\n{% endfor %}"
SCRIPT = "Again and again the same old story, but it never comes to an end 🎉. "
SHIFTS = ("llama", "qwen3")  # the others' caches have a window or a state
CANNOT = "The context was full, and this model cannot forget its oldest part."


@pytest.fixture(scope="module", params=SEEDS)
def endless(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _endless(tmp_path_factory.mktemp("endless"), request.param)


def _endless(folder: Path, arch: str) -> Path:
    return build(arch, folder / f"{arch}.gguf", script=SCRIPT, endless=True, template=TEMPLATE)


def _is_the_story(text: str) -> bool:
    return bool(text) and (SCRIPT * 50).startswith(text)


def test_an_answer_stops_at_the_end_of_the_context(endless: Path) -> None:
    async def scenario() -> None:
        async with running(endless, LoadOptions(n_ctx=256)) as engine:
            text, _, finished = await answered(engine, asked("Hello"), AnswerOptions(max_tokens=1000))
            assert finished.stop == "context"
            assert _is_the_story(text)
            filled = finished.usage.prompt_tokens + finished.usage.completion_tokens
            assert 256 <= filled <= 257  # the last token was written but not read
            assert finished.warnings == ()
            after = await answered(engine, asked("Hello again"), AnswerOptions(max_tokens=20))
            assert after[2].stop == "length"

    asyncio.run(scenario())


def test_a_shift_goes_on_where_the_model_can(endless: Path) -> None:
    options = AnswerOptions(max_tokens=600, context_shift=True)

    async def scenario() -> None:
        async with running(endless, LoadOptions(n_ctx=256)) as engine:
            text, _, finished = await answered(engine, asked("Hello"), options)
            assert _is_the_story(text)
            if endless.stem in SHIFTS:
                assert finished.stop == "length"
                assert finished.usage.completion_tokens == 600
                assert finished.warnings == ("The context was full: the oldest 384 tokens were forgotten.",)
            else:
                assert finished.stop == "context"
                assert finished.warnings == (CANNOT,)

    asyncio.run(scenario())


def test_tokens_are_counted(endless: Path) -> None:
    async def scenario() -> None:
        async with running(endless, LoadOptions(n_ctx=256)) as engine:
            for text in ("a", "Hello 日本 🎉", "the of and", "x" * 300):
                counted = await engine.count_tokens(asked(text), AnswerOptions())
                assert counted.n_ctx == 256
                if counted.tokens < 256:
                    _, _, finished = await answered(engine, asked(text), AnswerOptions(max_tokens=1))
                    assert finished.usage.prompt_tokens == counted.tokens
                    continue
                with pytest.raises(EngineError) as caught:
                    await answered(engine, asked(text))
                assert caught.value.kind is ErrorKind.PROMPT
                assert f"has {counted.tokens} tokens, but the context holds 256" in caught.value.message
            assert counted.tokens > 256

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("arch", "with_draft"), [("llama", False), ("llama", True), ("qwen35", True), ("gemma3", False)]
)
def test_answers_that_do_not_fit_together_take_turns(tmp_path: Path, arch: str, with_draft: bool) -> None:
    """Each of them fits alone. The youngest gives its place up and is read again later."""
    path = _endless(tmp_path, arch)
    load = LoadOptions(n_ctx=512, sequences=3, draft=str(path) if with_draft else "")
    options = AnswerOptions(Sampling(temperature=0), max_tokens=330)

    async def scenario() -> None:
        async with running(path, load) as engine:
            texts = ("Hello", "Who are you, then?", "What is it that you do?")
            async with asyncio.timeout(60):
                results = await asyncio.gather(*(answered(engine, asked(text), options) for text in texts))
                several = AnswerOptions(Sampling(temperature=0), max_tokens=330, n=4)
                results += await answered_all(engine, asked("All of you!"), several)
        assert all(_is_the_story(text) for text, _, _ in results)
        assert [finished.stop for _, _, finished in results] == ["length"] * 7
        assert {finished.usage.completion_tokens for _, _, finished in results} == {330}

    asyncio.run(scenario())
