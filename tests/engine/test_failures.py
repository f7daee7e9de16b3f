"""Bad files, killed workers: one clear sentence, and the next model works."""

from __future__ import annotations

import asyncio
import os
import random
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

_KINDS = {
    ErrorKind.LOAD_FAILED,
    ErrorKind.CRASHED,
    ErrorKind.OUT_OF_MEMORY,
    ErrorKind.PROMPT,
    ErrorKind.TEMPLATE,
}
_MUTATIONS = 64


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "qwen3.gguf"
    build("qwen3", path)
    return path


def _mutated(raw: bytes, seed: int) -> bytes:
    """Damage a header in one of several ways; the metadata's numbers are hit most often."""
    chance = random.Random(seed)
    data = bytearray(raw)
    keys = [
        b".block_count",
        b".attention.head_count",
        b".embedding_length",
        b".context_length",
        b".feed_forward",
    ]
    way = seed % 4
    if way == 0:
        place = data.find(chance.choice(keys)) + 10
        place = data.find(b"\x04\x00\x00\x00", place) + 4
        value = chance.choice([0, 1, 7, 10**6, 2**31, 2**32 - 1])
        data[place : place + 4] = value.to_bytes(4, "little")
    elif way == 1:
        return bytes(data[: chance.randrange(len(data))])
    elif way == 2:
        for _ in range(8):
            data[chance.randrange(4096)] ^= 1 << chance.randrange(8)
    else:
        place = chance.randrange(4, 64)
        data[place : place + 8] = chance.randbytes(8)
    return bytes(data)


def test_mutated_headers_never_end_the_parent(good: Path, tmp_path: Path) -> None:
    raw = good.read_bytes()

    async def attempt(seed: int) -> None:
        path = tmp_path / f"mutated-{seed}.gguf"
        await asyncio.to_thread(path.write_bytes, _mutated(raw, seed))
        try:
            engine = await loaded_engine(path, LoadOptions(n_ctx=256))
        except EngineError as error:
            assert error.kind in _KINDS, (seed, error.kind, error.message)
            assert error.message.strip().endswith("."), (seed, error.message)
        else:
            try:
                await answered(engine, asked("Hello"))
            except EngineError as error:
                assert error.kind in {*_KINDS, ErrorKind.INTERNAL}, (seed, error.kind, error.message)
            finally:
                await engine.close()
        await asyncio.to_thread(path.unlink)

    async def scenario() -> None:
        for seed in range(0, _MUTATIONS, 2):
            await asyncio.gather(attempt(seed), attempt(seed + 1))
        engine = await loaded_engine(good)
        await answered(engine, asked("Hello"))
        await engine.close()

    asyncio.run(scenario())


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.gguf"
    foreign.write_bytes(b"root:x:0:0" * 100)

    async def scenario() -> None:
        for path in (tmp_path / "missing.gguf", foreign):
            with pytest.raises(EngineError) as caught:
                await loaded_engine(path)
            assert caught.value.kind in (ErrorKind.LOAD_FAILED, ErrorKind.NOT_FOUND)
            assert path.name in caught.value.message

    asyncio.run(scenario())


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


def test_a_template_that_loops_is_an_error_of_its_lane(tmp_path: Path) -> None:
    path = tmp_path / "loop.gguf"
    build(
        "qwen3",
        path,
        template="{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    )

    async def scenario() -> None:
        engine = await loaded_engine(path)
        try:
            with pytest.raises(EngineError) as caught:
                await answered(engine, asked("Hello"))
            assert caught.value.kind is ErrorKind.TEMPLATE
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
