"""Several hundred broken models through the app's own reader and the real worker: nothing worse than a sentence."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane
from playground.compare.needs import lane_needs
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind, ModelError
from playground.models.library import describe
from tests.support import mutants
from tests.support.broken_gguf import Parts, take_apart, u32
from tests.support.engines import answered, asked, loaded_engine
from tests.support.mutants import Mutant
from tests.support.tiny_gguf import build

_KINDS = {
    ErrorKind.LOAD_FAILED,
    ErrorKind.CRASHED,
    ErrorKind.OUT_OF_MEMORY,
    ErrorKind.PROMPT,
    ErrorKind.TEMPLATE,
    ErrorKind.STOPPED,
    ErrorKind.INTERNAL,
}
_DEADLY = {ErrorKind.CRASHED, ErrorKind.STOPPED}
_SHORT = AnswerOptions(Sampling(temperature=0.5), max_tokens=3)
_SMALL = LoadOptions(n_ctx=256)
_AT_ONCE = 2
_STUCK_S = 8.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broken")


def _parts(folder: Path, arch: str) -> Parts:
    return take_apart(build(arch, folder / f"{arch}.gguf"))


def _containers(parts: Parts, chance: random.Random) -> Iterable[Mutant]:
    yield from mutants.containers(parts, chance)
    yield from mutants.metadata(parts)


def _tensors(parts: Parts, chance: random.Random) -> Iterable[Mutant]:
    yield from mutants.tensor_tables(parts, chance)
    yield from mutants.weights(parts, chance)


def _texts(parts: Parts, chance: random.Random) -> Iterable[Mutant]:
    yield from mutants.tokenizers(parts)
    yield from mutants.templates(parts)
    yield from mutants.bit_flips(parts, chance, 60)


def _numbers(parts: Parts, _chance: random.Random) -> Iterable[Mutant]:
    yield from mutants.hyperparameters(parts)


# architecture, what is broken, and the fewest that must be refused, die by a signal, and answer all the same
_CASES = [
    pytest.param("qwen3", _containers, 50, 0, 1, id="containers"),
    pytest.param("llama", _tensors, 35, 5, 4, id="tensors"),
    pytest.param("qwen3", _texts, 40, 1, 20, id="texts"),
    pytest.param("qwen35moe", _numbers, 28, 15, 6, id="numbers of a hybrid mixture"),
    pytest.param("gpt-oss", _numbers, 20, 12, 8, id="numbers of a mixture"),
    pytest.param("gemma3", _numbers, 18, 3, 6, id="numbers of a sliding window"),
]


@pytest.mark.parametrize(("arch", "broken", "refused", "died", "answered_all_the_same"), _CASES)
def test_a_broken_model_costs_a_sentence(
    folder: Path, arch: str, broken: object, refused: int, died: int, answered_all_the_same: int
) -> None:
    parts = _parts(folder, arch)
    found = list(broken(parts, random.Random(11)))  # type: ignore[operator]
    assert len({name for name, _ in found}) == len(found)
    results: Counter[str] = Counter()

    async def scenario() -> None:
        left = iter(enumerate(found))
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(_try_all(folder / arch, left, results))
        engine = await loaded_engine(folder / f"{arch}.gguf", _SMALL)
        try:
            _, _, finished = await answered(engine, asked("Hello"), _SHORT)
            assert finished.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())
    assert results["load_failed"] >= refused, results
    assert results["crashed"] >= died, results
    assert results["answered"] >= answered_all_the_same, results


async def _try_all(stem: Path, left: Iterator[tuple[int, Mutant]], results: Counter[str]) -> None:
    """Load one file after the other, in the same process as long as that survives."""
    engine = EngineProcess(progress_s=_STUCK_S)
    try:
        await engine.start()
        for number, (name, raw) in left:
            if not engine.is_alive:
                await engine.close()
                engine = EngineProcess(progress_s=_STUCK_S)
                await engine.start()
            path = stem.with_name(f"{stem.name}-{number}.gguf")
            await asyncio.to_thread(path.write_bytes, raw)
            _look_at(path, name)
            results[await _outcome(engine, path, name)] += 1
            await asyncio.to_thread(path.unlink)
    finally:
        await engine.close()


async def _load_and_ask(engine: EngineProcess, path: Path) -> None:
    await engine.load(path, _SMALL, 1, lambda _fraction: None)
    await answered(engine, asked("Hello"), _SHORT)


async def _outcome(engine: EngineProcess, path: Path, name: str) -> str:
    try:
        await _load_and_ask(engine, path)
    except EngineError as error:
        _is_a_sentence(name, error)
        assert not engine.is_alive or error.kind not in _DEADLY, (name, error.kind)
        return str(error.kind)
    return "answered"


def _is_a_sentence(name: str, error: EngineError) -> None:
    assert error.kind in _KINDS, (name, error.kind, error.message)
    for text in (error.message, error.hint):
        assert re.fullmatch(r"[^\n]+[.!?…]", text), (name, text)
        assert text.isprintable(), (name, text)
    assert "Traceback" not in error.message
    assert not re.search(r"/\S+\.(?:c|cpp|h):\d", error.message), error.message
    assert error.kind is not ErrorKind.INTERNAL or "unexpected" not in error.message, (name, error.detail)


def _look_at(path: Path, name: str) -> None:
    """Read a file as the app does before it starts an engine."""
    try:
        model = describe(path)
        assert model.params >= 0 <= model.n_ctx_train, name
        lane = Lane("A", model, Conversation().with_user("Hello"), _SMALL)
        assert lane_needs([lane], ()).host_bytes["A"] > 0, name
    except ModelError as error:
        assert re.fullmatch(r"[^\n]+[.]", error.message), (name, error.message)
        assert error.message.isprintable(), (name, error.message)


def test_a_model_that_never_ends_a_step_is_given_up(folder: Path) -> None:
    parts = _parts(folder, "qwen35")
    path = folder / "endless.gguf"
    path.write_bytes(parts.with_key("qwen35.rope.dimension_count", u32(0)).to_bytes())

    async def scenario() -> None:
        engine = EngineProcess(stall_s=4.0, progress_s=1.5)
        try:
            await engine.start()
            with pytest.raises(EngineError) as caught:
                await _load_and_ask(engine, path)
            assert caught.value.kind is ErrorKind.STOPPED
            assert "has not come any further" in caught.value.message
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.gguf"
    foreign.write_bytes(b"root:x:0:0" * 100)

    async def scenario() -> None:
        for path in (tmp_path / "missing.gguf", foreign):
            with pytest.raises(EngineError) as caught:
                await loaded_engine(path)
            assert caught.value.kind in (ErrorKind.LOAD_FAILED, ErrorKind.NOT_FOUND)
            assert path.name in caught.value.message

    asyncio.run(scenario())
