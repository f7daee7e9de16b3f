"""Speculative decoding through the real worker: the text is what it would be without drafts, only sooner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from playground.chat.messages import Conversation
from playground.chat.options import MTP, AnswerOptions, LoadOptions, Sampling
from playground.engines.protocol import DraftUse
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, answered_all, answered_alone, asked, loaded_engine, running
from tests.support.talks import CLEAR, DIFFERENT, FIRST, SECOND, SEEDS
from tests.support.tiny_gguf import build

SCRIPT = "Some thoughts first.\n</think>\n\nHere is the code 🎉:\n```python\ndef f(x):\n    return x + 1\n```\nDone."
_RECURRENT = ("qwen35", "qwen35moe")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drafts")


def _tiny(folder: Path, arch: str) -> Path:
    path = folder / f"{arch}.gguf"
    return path if path.exists() else build(arch, path, seed=SEEDS[arch.removesuffix("-mtp")])


def _scripted(folder: Path, arch: str) -> Path:
    path = folder / f"script-{arch}.gguf"
    return path if path.exists() else build(arch, path, script=SCRIPT)


def _accepted(use: DraftUse | None) -> float:
    """Return the share of accepted tokens; fails when nothing was drafted."""
    assert use is not None
    assert use.drafted > 0
    return use.accepted / use.drafted


@pytest.mark.parametrize("arch", SEEDS)
def test_a_draft_model_changes_the_speed_alone(folder: Path, arch: str) -> None:
    path = _tiny(folder, arch)

    async def scenario() -> None:
        plain = await answered_alone(path, FIRST.messages(), CLEAR)
        assert plain[2].draft is None
        talk = FIRST.with_answer(*plain[:2]).with_user(SECOND[0])
        expected = await answered_alone(path, talk.messages(), CLEAR)
        load = LoadOptions(draft=str(path), sequences=3)
        async with running(path, load) as engine:
            assert engine.loaded is not None
            assert engine.loaded.model.draft == path.name
            many = msgspec.structs.replace(CLEAR, n=4)
            results = await answered_all(engine, FIRST.messages(), many)
            second = await answered(engine, talk.messages(), CLEAR)
        assert [each[:2] for each in results] == [plain[:2]] * 4
        assert all(_accepted(each[2].draft) >= 0.8 for each in results)
        assert second[:2] == expected[:2]
        assert _accepted(second[2].draft) >= 0.8

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", [f"{arch}-mtp" for arch in _RECURRENT])
def test_prediction_layers_change_the_speed_alone(folder: Path, arch: str) -> None:
    path = _tiny(folder, arch)

    async def scenario() -> None:
        expected = [await answered_alone(path, asked(text), CLEAR) for text in DIFFERENT]
        async with running(path, LoadOptions(draft=MTP, sequences=3)) as engine:
            assert engine.loaded is not None
            assert engine.loaded.model.draft == MTP
            assert engine.loaded.model.mtp_layers == 1
            found = await asyncio.gather(*(answered(engine, asked(text), CLEAR) for text in DIFFERENT))
        assert [each[:2] for each in found] == [each[:2] for each in expected]
        assert all(each[2].draft is not None for each in found)

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", [f"{arch}-mtp" for arch in _RECURRENT])
def test_prediction_layers_that_know_the_text_are_believed(folder: Path, arch: str) -> None:
    """The layer of this model goes by the hidden states alone, so each must reach it at its place."""
    path = _scripted(folder, arch)
    options = AnswerOptions(Sampling(temperature=0), max_tokens=200)

    async def scenario() -> None:
        plain = await answered_alone(path, asked("Hello"), options)
        assert "return x + 1" in plain[0]
        async with running(path, LoadOptions(draft=MTP, sequences=3)) as engine:
            texts = ("Hello", "And now something longer than that", "Hello")
            results = [await answered(engine, asked(texts[0]), options)]
            results += await asyncio.gather(*(answered(engine, asked(text), options) for text in texts))
            results += await answered_all(engine, asked("Hello"), msgspec.structs.replace(options, n=3))
            talk = Conversation().with_user("Hello").with_answer(*plain[:2]).with_user("Again")
            results.append(await answered(engine, talk.messages(), options))
        assert {each[:2] for each in results} == {plain[:2]}
        assert min(_accepted(each[2].draft) for each in results) > 0.7

    asyncio.run(scenario())


@pytest.mark.parametrize(("arch", "draft"), [("qwen35", ""), ("qwen35-mtp", MTP)])
def test_a_short_answer_leaves_the_right_state(folder: Path, arch: str, draft: str) -> None:
    """llama.cpp takes a recurrent state back as far as it is told to, also where it no longer knows it."""
    path = _tiny(folder, arch)
    load = LoadOptions(draft=draft or str(path), draft_tokens=8)

    async def scenario() -> None:
        async with running(path, load) as engine:
            expected = await answered(engine, asked(DIFFERENT[0]), CLEAR)
            for tokens in (1, 3):
                short = msgspec.structs.replace(CLEAR, max_tokens=tokens)
                await answered(engine, asked(DIFFERENT[0]), short)
                again = await answered(engine, asked(DIFFERENT[0]), CLEAR)
                assert again[:2] == expected[:2]

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", ["llama", "qwen35", "gemma3"])
def test_drafts_go_on_after_one_was_wrong(folder: Path, arch: str) -> None:
    """Drawn of two candidates, about every second token is not the draft's."""
    path = _tiny(folder, arch)
    options = AnswerOptions(Sampling(temperature=0.2, top_k=2, top_p=1, min_p=0), max_tokens=150)

    async def scenario() -> None:
        async with running(path, LoadOptions(draft=str(path))) as engine:
            _, _, finished = await answered(engine, asked("Who is it"), options)
        assert 0.1 < _accepted(finished.draft) < 0.9

    asyncio.run(scenario())


def test_a_draft_with_another_vocabulary_is_refused(folder: Path) -> None:
    path, other = _tiny(folder, "qwen3"), _tiny(folder, "llama")

    async def scenario() -> None:
        with pytest.raises(EngineError) as caught:
            await loaded_engine(path, LoadOptions(draft=str(other)))
        assert caught.value.kind is ErrorKind.LOAD_FAILED
        assert caught.value.message == "llama.gguf cannot draft for qwen3.gguf: it has another vocabulary."

    asyncio.run(scenario())


def test_a_draft_that_is_not_there_is_refused(folder: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(EngineError, match="missing") as caught:
            await loaded_engine(_tiny(folder, "qwen3"), LoadOptions(draft=str(folder / "missing.gguf")))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    asyncio.run(scenario())


def test_prediction_layers_that_are_not_there_are_refused(folder: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(EngineError, match="no layers that predict") as caught:
            await loaded_engine(_tiny(folder, "qwen35"), LoadOptions(draft=MTP))
        assert caught.value.kind is ErrorKind.LOAD_FAILED
        assert caught.value.hint

    asyncio.run(scenario())
