"""Real llama.cpp, all architectures: what is in memory is used again, several answers at once are those alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from tests.support.engines import answered, answered_all, answered_alone, asked, running
from tests.support.talks import CLEAR, DIFFERENT, FIRST, LONG, SECOND, SEEDS
from tests.support.tiny_gguf import build, template_of


@pytest.fixture(scope="module", params=SEEDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / f"{request.param}.gguf"
    return build(request.param, path, seed=SEEDS[request.param])


async def _length_without_opening(model: Path, talk: Conversation) -> int:
    """Return the tokens of a conversation up to the end of its last turn, before an answer is opened."""
    closed = "{%- set add_generation_prompt = false -%}" + template_of(model.stem)
    async with running(model, LoadOptions(template=closed)) as engine:
        return (await engine.count_tokens(talk.messages(), CLEAR)).tokens


def test_a_conversation_goes_on_from_what_was_read(model: Path) -> None:
    async def scenario() -> None:
        async with running(model) as engine:
            answer, reasoning, first = await answered(engine, FIRST.messages(), CLEAR)
            assert first.usage.cached_tokens == 0
            assert 0 < first.usage.completion_tokens <= CLEAR.max_tokens
            again = await answered(engine, FIRST.messages(), CLEAR)
            assert again[:2] == (answer, reasoning)
            assert again[2].usage.prompt_tokens - again[2].usage.cached_tokens <= 1
            shared = await _length_without_opening(model, FIRST)
            talk = FIRST.with_answer(answer, reasoning)
            for text in SECOND:  # the second one is an edit of the first
                await _goes_on(engine, model, talk.with_user(text), shared)

    asyncio.run(scenario())


async def _goes_on(engine: EngineProcess, model: Path, talk: Conversation, shared: int) -> None:
    answer, reasoning, finished = await answered(engine, talk.messages(), CLEAR)
    assert shared <= finished.usage.cached_tokens < finished.usage.prompt_tokens
    expected = await answered_alone(model, talk.messages(), CLEAR)
    assert expected[2].usage.cached_tokens == 0
    assert (answer, reasoning) == expected[:2]


def test_several_answers_of_a_prompt_read_it_once(model: Path) -> None:
    async def scenario() -> None:
        expected = await answered_alone(model, FIRST.messages(), CLEAR)
        async with running(model, LoadOptions(sequences=4)) as engine:
            many = msgspec.structs.replace(CLEAR, n=6)
            results = await answered_all(engine, FIRST.messages(), many)
        assert [each[2].sample for each in results] == list(range(6))
        assert [each[:2] for each in results] == [expected[:2]] * 6
        usages = [each[2].usage for each in results]
        evaluated = [usage.prompt_tokens - usage.cached_tokens for usage in usages]
        assert evaluated[0] == usages[0].prompt_tokens
        assert max(evaluated[1:]) <= 1

    asyncio.run(scenario())


def test_different_prompts_at_once_are_answered_as_alone(model: Path) -> None:
    async def scenario() -> None:
        async with running(model, LoadOptions(sequences=3)) as engine:
            together = await asyncio.gather(*(answered(engine, asked(text), CLEAR) for text in DIFFERENT))
        async with running(model) as engine:
            alone = [await answered(engine, asked(text), CLEAR) for text in DIFFERENT]
        assert [each[:2] for each in together] == [each[:2] for each in alone]

    asyncio.run(scenario())


def test_a_seed_makes_the_text(model: Path) -> None:
    def options(seed: int) -> AnswerOptions:
        return AnswerOptions(Sampling(temperature=1.5, top_p=1, min_p=0, seed=seed), max_tokens=24)

    async def scenario() -> None:
        async with running(model) as engine:
            texts = [(await answered(engine, asked("Hello"), options(seed)))[:2] for seed in (5, 5, 6)]
        assert texts[0] == texts[1] != texts[2]

    asyncio.run(scenario())


def test_each_of_several_answers_has_its_own_seed(model: Path) -> None:
    """Of two candidates at a time, and few tokens: rounding must not decide."""
    narrow = Sampling(temperature=5, top_k=2, top_p=1, min_p=0, seed=5)
    options = AnswerOptions(narrow, max_tokens=6, n=4)

    async def scenario() -> None:
        async with running(model, LoadOptions(sequences=4)) as engine:
            texts = [each[:2] for each in await answered_all(engine, asked("Hello"), options)]
            for sample in range(4):
                seeded = msgspec.structs.replace(narrow, seed=5 + sample)
                alone = msgspec.structs.replace(options, sampling=seeded, n=1)
                assert (await answered(engine, asked("Hello"), alone))[:2] == texts[sample]
        assert len(set(texts)) > 1

    asyncio.run(scenario())


def test_a_shorter_common_beginning_is_used(model: Path) -> None:
    """Without a checkpoint there, a sliding window or a recurrent state is read anew; the text is right anyway."""
    other = Conversation().with_user(f"{LONG[:300]} Something else.")

    async def scenario() -> None:
        async with running(model) as engine:
            await answered(engine, FIRST.messages(), CLEAR)
            found = await answered(engine, other.messages(), CLEAR)
            assert found[:2] == (await answered_alone(model, other.messages(), CLEAR))[:2]
            back = await answered(engine, FIRST.messages(), CLEAR)
        assert back[:2] == (await answered_alone(model, FIRST.messages(), CLEAR))[:2]

    asyncio.run(scenario())
