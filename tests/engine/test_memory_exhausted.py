"""Memory that runs out while an engine starts, loads, or answers: a sentence, and the next try works."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane, LaneDone, LaneResult
from playground.compare.run import Comparison
from playground.engines.child import worker_command
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind
from playground.models.library import describe
from tests.support.engines import answered, asked, loaded_engine
from tests.support.tiny_gguf import build

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux bounds a process's memory in this way"
)

_MIB = 1 << 20
_ROOM_BYTES = 45 * _MIB  # beside a context of 1,024 tokens; one of 8,192 needs 56 MiB more
_LIMITED = """
import os, resource, sys
kind, size = getattr(resource, sys.argv[1]), int(sys.argv[2])
resource.setrlimit(kind, (size, size))
os.execv(sys.argv[3], sys.argv[3:])
"""
_SHORT = AnswerOptions(Sampling(temperature=0), 4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen3", tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a model of many layers: 8 KiB of cache for each token of context."""
    return build("llama", tmp_path_factory.mktemp("deep") / "deep.gguf", n_layer=32, ctx=8192)


def _limited(kind: str, size_bytes: int) -> list[str]:
    return [sys.executable, "-c", _LIMITED, kind, str(size_bytes), *worker_command()]


async def _load(engine: EngineProcess, path: Path, options: LoadOptions) -> None:
    await engine.load(path, options, 1, lambda _fraction: None)


def test_too_large_a_context_is_refused_and_a_smaller_one_loads(tiny: Path) -> None:
    async def scenario() -> None:
        engine = EngineProcess(_limited("RLIMIT_DATA", 400 * _MIB))
        try:
            await engine.start()
            for tokens in (10_000_000, 1_000_000, 1 << 30):
                with pytest.raises(EngineError) as caught:
                    await _load(engine, tiny, LoadOptions(n_ctx=tokens))
                assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
                assert f"{tokens:,} tokens" in caught.value.message
                assert engine.is_alive
            await _load(engine, tiny, LoadOptions(n_ctx=256))
            _, _, finished = await answered(engine, asked("Hello"), _SHORT)
            assert finished.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_whatever_fails_first_is_told(tiny: Path) -> None:
    limits = {"RLIMIT_AS": (60, 100, 180, 260, 1200), "RLIMIT_DATA": (30, 45, 60, 80, 400)}
    results: Counter[str] = Counter()

    async def scenario() -> None:
        for kind, sizes in limits.items():
            for size in sizes:
                engine = EngineProcess(_limited(kind, size * _MIB))
                try:
                    await engine.start()
                    await _load(engine, tiny, LoadOptions(n_ctx=256))
                    await answered(engine, asked("Hello"), _SHORT)
                    results["answered"] += 1
                except EngineError as error:
                    assert error.message.endswith("."), error.message
                    assert error.hint, error.message
                    results[str(error.kind)] += 1
                finally:
                    await engine.close()

    asyncio.run(scenario())
    assert results["answered"] >= 2, results
    assert results["out_of_memory"] >= 3, results


def test_memory_that_runs_out_during_an_answer_fails_that_answer(tiny: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(tiny, LoadOptions(n_ctx=256))
        try:
            process = psutil.Process(engine.pid)
            unlimited = process.rlimit(psutil.RLIMIT_AS)
            process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms, unlimited[1]))
            with pytest.raises(EngineError) as caught:
                await answered(engine, asked("word " * 2_000_000), _SHORT)
            assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
            assert engine.is_alive
            process.rlimit(psutil.RLIMIT_AS, unlimited)
            _, _, finished = await answered(engine, asked("Hello"), _SHORT)
            assert finished.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())


async def _data_bytes(path: Path, options: LoadOptions) -> int:
    """Return the private memory of a worker that has loaded and answered."""
    engine = await loaded_engine(path, options)
    try:
        await answered(engine, asked("Hello"), _SHORT)
        status = await asyncio.to_thread(Path(f"/proc/{engine.pid}/status").read_text, encoding="ascii")
        lines = status.splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData"))
    finally:
        await engine.close()


async def _compared(path: Path, load: LoadOptions, limit_bytes: int) -> LaneResult:
    pool = EnginePool(2, _limited("RLIMIT_DATA", limit_bytes))
    try:
        lane = Lane("A", describe(path), Conversation().with_user("Hello"), load, _SHORT)
        events = [event async for event in Comparison([lane], "auto", pool).events()]
    finally:
        await pool.close()
    assert isinstance(events[-1], LaneDone)
    return events[-1].result


@pytest.mark.parametrize("mmap", [True, False])
def test_a_context_that_the_app_chose_is_made_smaller(deep: Path, mmap: bool) -> None:
    async def scenario() -> None:
        small = await _data_bytes(deep, LoadOptions(n_ctx=1024, mmap=mmap))
        result = await _compared(deep, LoadOptions(mmap=mmap), small + _ROOM_BYTES)
        assert result.error is None, result.error
        assert result.loaded is not None
        assert 1024 <= result.loaded.n_ctx < 8192
        assert any("smaller" in warning for warning in result.warnings)
        chosen = await _compared(deep, LoadOptions(n_ctx=8192, mmap=mmap, kv_type="f16"), small + _ROOM_BYTES)
        assert chosen.error is not None
        assert chosen.error.kind == ErrorKind.OUT_OF_MEMORY

    asyncio.run(scenario())
