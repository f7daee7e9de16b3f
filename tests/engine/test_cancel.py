"""Cancelling, real llama.cpp: soon, at any moment, and whatever comes next works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, Finished, PromptProgress
from playground.errors import EngineError, ErrorKind
from playground.models import starter
from tests.support.engines import answered, asked, loaded_engine, running
from tests.support.talks import CLEAR, DIFFERENT, SEEDS
from tests.support.tiny_gguf import build

SCRIPT = "Again and again the same old story, but it never comes to an end. "
ENDLESS = AnswerOptions(Sampling(temperature=0), max_tokens=100_000, context_shift=True)
SOON_S = 2.0  # a tenth of that is usual; a cancel that does not work takes minutes
STEPS = "Step one, step two, step three and so on. " * 700  # some 8,000 tokens of the starter's

Heard = Callable[[PromptProgress | Chunk], None]


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cancel") / "endless.gguf"
    return build("qwen3", path, script=SCRIPT, endless=True)


@pytest.fixture(scope="module")
def real() -> Path:
    return starter.assemble()


async def _cancelled(
    engine: EngineProcess, text: str, options: AnswerOptions, when: Callable[[PromptProgress | Chunk], bool]
) -> tuple[Finished, float]:
    """Cancel at a moment, and return what was finished and how long that took, in seconds."""
    asked_at: list[float] = []

    def hear(event: PromptProgress | Chunk) -> None:
        if not asked_at and when(event):
            asked_at.append(time.monotonic())
            engine.cancel()

    finished = await engine.generate(asked(text), options, 1, hear)
    return finished, time.monotonic() - asked_at[0]


def test_while_it_writes(endless: Path) -> None:
    async def scenario() -> None:
        async with running(endless) as engine:
            finished, elapsed_s = await _cancelled(engine, "Hello", ENDLESS, lambda e: isinstance(e, Chunk))
            assert finished.stop == "cancelled"
            assert finished.usage.completion_tokens > 0
            assert elapsed_s < SOON_S
            text, _, after = await answered(engine, asked("Hello"))
            assert after.stop == "length"
            assert SCRIPT.startswith(text[:60])

    asyncio.run(scenario())


def test_while_it_reads_a_long_prompt(real: Path) -> None:
    def halfway(event: PromptProgress | Chunk) -> bool:
        return isinstance(event, PromptProgress) and 512 <= event.done < event.total

    async def scenario() -> None:
        async with running(real, LoadOptions(n_ctx=16_384)) as engine:
            counted = await engine.count_tokens(asked(STEPS), CLEAR)
            assert counted.tokens > 6000
            finished, elapsed_s = await _cancelled(engine, STEPS, CLEAR, halfway)
            assert finished.stop == "cancelled"
            assert finished.usage.completion_tokens == 0
            assert elapsed_s < SOON_S
            again, elapsed_s = await _cancelled(engine, STEPS, CLEAR, halfway)
            assert again.usage.cached_tokens >= 512  # what was read of it is still there
            assert elapsed_s < SOON_S
            _, _, after = await answered(engine, asked("Hello"), CLEAR)
            assert after.stop == "length"

    asyncio.run(scenario())


@pytest.mark.parametrize("at_once", [True, False])
def test_while_it_loads(real: Path, at_once: bool) -> None:
    """llama.cpp cannot be stopped in a vocabulary of 262,144 tokens; a slow machine ends the process instead."""
    load = LoadOptions(n_ctx=512, mmap=False)

    async def scenario() -> None:
        engine = EngineProcess()

        def cancel(_fraction: float) -> None:
            engine.cancel()

        try:
            await engine.start()
            loading = asyncio.create_task(engine.load(real, load, 1, cancel))
            if at_once:  # the worker finds both in one go
                await asyncio.sleep(0)
                engine.cancel()
            with pytest.raises(EngineError, match=r"Loading was stopped|did not stop in time") as caught:
                await loading
            assert caught.value.kind is ErrorKind.STOPPED
            if "did not stop" in caught.value.message:
                return
            await engine.load(real, load, 1, lambda _fraction: None)
            _, _, after = await answered(engine, asked("Hello"), CLEAR)
            assert after.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", ["llama", "qwen35", "gemma3"])
def test_one_of_several_leaves_the_others_as_they_are(tmp_path: Path, arch: str) -> None:
    path = build(arch, tmp_path / f"{arch}.gguf", seed=SEEDS[arch])
    ends = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<eos>", "<end_of_turn>")
    banned = Sampling(temperature=0, logit_bias=tuple((end, -100.0) for end in ends))
    long = AnswerOptions(banned, max_tokens=3000)

    async def scenario() -> None:
        async with running(path) as engine:
            expected = [(await answered(engine, asked(text), CLEAR))[:2] for text in DIFFERENT]
        async with running(path, LoadOptions(sequences=4)) as engine:
            for _ in range(4):
                victim, begun = _begin(engine, long)
                others = [asyncio.create_task(answered(engine, asked(text), CLEAR)) for text in DIFFERENT]
                await begun.wait()
                victim.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await victim
                assert [(await other)[:2] for other in others] == expected

    asyncio.run(scenario())


def _begin(
    engine: EngineProcess, options: AnswerOptions, sample: int = 0
) -> tuple[asyncio.Task[object], asyncio.Event]:
    """Return a task that answers, and what is set once this sample has text."""
    begun = asyncio.Event()

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk) and event.sample == sample:
            begun.set()

    return asyncio.create_task(engine.generate_all(asked("Hello you"), options, 1, hear)), begun


def test_a_caller_that_goes_leaves_the_worker_usable(endless: Path) -> None:
    """Also when some of its answers are there already."""
    several = msgspec.structs.replace(ENDLESS, max_tokens=300, n=5)

    async def scenario() -> None:
        async with running(endless) as engine:
            pid = engine.pid
            for options, sample in ((ENDLESS, 0), (several, 2)):
                task, begun = _begin(engine, options, sample)
                await begun.wait()
                started = time.monotonic()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert time.monotonic() - started < SOON_S
                assert engine.is_alive
                assert (await answered(engine, asked("Hello")))[2].stop == "length"
            assert engine.pid == pid

    asyncio.run(scenario())


def test_a_caller_that_fails_does_not_keep_the_worker(endless: Path) -> None:
    def fail(_event: PromptProgress | Chunk) -> None:
        raise LookupError("on purpose")

    async def scenario() -> None:
        async with running(endless) as engine:
            started = time.monotonic()
            with pytest.raises(LookupError):
                await engine.generate(asked("Hello"), ENDLESS, 1, fail)
            assert (await answered(engine, asked("Hello")))[2].stop == "length"
            assert time.monotonic() - started < SOON_S

    asyncio.run(scenario())


def test_a_cancel_without_work_does_no_harm(endless: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(endless)
        try:
            engine.cancel()
            assert (await answered(engine, asked("Hello")))[2].stop == "length"
        finally:
            await engine.close()

    asyncio.run(scenario())
