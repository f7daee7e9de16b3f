"""Models that are not chat models in one file: split ones, base models, other templates, embedding models."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.messages import Conversation, Message, Role
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, asked, loaded_engine, running
from tests.support.talks import CLEAR, DIFFERENT, SEEDS
from tests.support.tiny_gguf import build

SCRIPT = "def f(x):\n    return x + 1\n```\nThis comes behind the fence."


@pytest.mark.parametrize("embeds", ["pooling", "bidirectional"])
def test_embedding_models_are_refused(tmp_path: Path, embeds: str) -> None:
    path = build("llama", tmp_path / "embeds.gguf", embeds=embeds)  # type: ignore[arg-type]

    async def scenario() -> None:
        with pytest.raises(EngineError) as caught:
            await loaded_engine(path)
        assert caught.value.kind is ErrorKind.LOAD_FAILED
        assert caught.value.message == "embeds.gguf is an embedding model, so it cannot answer a prompt."

    asyncio.run(scenario())


def test_a_split_model_answers_like_the_whole_one(tmp_path: Path) -> None:
    whole = build("qwen3", tmp_path / "whole.gguf", seed=SEEDS["qwen3"])
    first = build("qwen3", tmp_path / "split.gguf", seed=SEEDS["qwen3"], tensors_per_file=20)
    assert len(list(tmp_path.glob("split-*.gguf"))) > 1

    async def answers() -> None:
        texts = []
        for path in (whole, first):
            async with running(path) as engine:
                texts.append([(await answered(engine, asked(text), CLEAR))[:2] for text in DIFFERENT])
        assert texts[0] == texts[1]

    async def fails() -> None:
        with pytest.raises(EngineError, match=first.name) as caught:
            await loaded_engine(first)
        assert caught.value.kind is ErrorKind.LOAD_FAILED

    asyncio.run(answers())
    max(tmp_path.glob("split-*.gguf")).unlink()
    asyncio.run(fails())


def test_a_base_model_continues_the_plain_text(tmp_path: Path) -> None:
    """The open fence of the prompt is the answer's prefix, the closing one ends the answer."""
    path = build("qwen3", tmp_path / "base.gguf", script=SCRIPT, template=None)
    turn = Message(Role.USER, "Write it.", completion="Here it is:\n\n```python\n")

    async def scenario() -> None:
        async with running(path) as engine:
            assert engine.loaded is not None
            assert engine.loaded.model.is_base
            assert not engine.loaded.model.thinks
            answer, reasoning, finished = await answered(engine, [turn], AnswerOptions(max_tokens=100))
            assert finished.stop == "stop"
            assert finished.prefix == "```python\n"
            assert answer == "```python\ndef f(x):\n    return x + 1"
            assert reasoning == ""
            assert finished.usage.prompt_tokens <= len(turn.completion or "")
            counted = await engine.count_tokens([turn], AnswerOptions())
            assert counted.tokens == finished.usage.prompt_tokens

    asyncio.run(scenario())


def test_a_base_model_goes_on_with_a_conversation(tmp_path: Path) -> None:
    """Control tokens' texts are text there, also in the middle of a prompt."""
    path = build("qwen3", tmp_path / "base.gguf", template=None)

    async def scenario() -> None:
        async with running(path) as engine:
            talk = Conversation().with_user("Once upon a time <|im_end|> there was")
            answer, _, first = await answered(engine, talk.messages(), CLEAR)
            assert first.usage.prompt_tokens > len("<|im_end|>")
            talk = talk.with_answer(answer).with_user(" and then")
            _, _, second = await answered(engine, talk.messages(), CLEAR)
            assert second.usage.cached_tokens >= first.usage.prompt_tokens - 1

    asyncio.run(scenario())


def test_the_template_can_be_replaced(tmp_path: Path) -> None:
    path = build("qwen3", tmp_path / "chat.gguf", script="Just an answer to that.")
    long = "x" * 40

    async def scenario() -> None:
        tokens = {}
        for name, template in {"own": None, "plain": "", "other": "{{ messages[0].content }}!"}.items():
            async with running(path, LoadOptions(template=template)) as engine:
                assert engine.loaded is not None
                assert engine.loaded.model.is_base == (name == "plain")
                assert bool(engine.loaded.warnings) == (name == "other")  # it forgets all turns but the first
                tokens[name] = (await engine.count_tokens(asked(long), CLEAR)).tokens
                options = AnswerOptions(Sampling(temperature=0), max_tokens=100)
                assert (await answered(engine, asked(long), options))[0] == "Just an answer to that."
        assert tokens["plain"] == 40
        assert tokens["other"] == 41
        assert tokens["own"] > 41

    asyncio.run(scenario())


def test_a_template_that_is_none_is_an_error_of_its_prompts(tmp_path: Path) -> None:
    path = build("qwen3", tmp_path / "chat.gguf")

    async def scenario() -> None:
        async with running(path, LoadOptions(template="{% if %}")) as engine:
            assert engine.loaded is not None
            (warning,) = engine.loaded.warnings
            for question in (answered(engine, asked("Hello")), engine.count_tokens(asked("Hello"), CLEAR)):
                with pytest.raises(EngineError) as caught:
                    await question
                assert caught.value.kind is ErrorKind.TEMPLATE
                assert caught.value.message == warning

    asyncio.run(scenario())
