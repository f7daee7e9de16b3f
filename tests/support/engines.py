"""Runs the real worker process on model files, for tests."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from playground.chat.messages import Conversation, Message
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, Finished, PromptProgress

GREEDY = AnswerOptions(Sampling(temperature=0.0), max_tokens=48)


def asked(text: str, system: str = "") -> tuple[Message, ...]:
    """Return the messages of a first prompt."""
    return Conversation(system).with_user(text).messages()


async def loaded_engine(path: Path, options: LoadOptions | None = None) -> EngineProcess:
    """Return a worker with a model in memory."""
    engine = EngineProcess()
    try:
        await engine.start()
        await engine.load(path, options or LoadOptions(), 1, lambda _fraction: None)
    except BaseException:
        await engine.kill()
        raise
    return engine


async def answered(
    engine: EngineProcess, messages: Sequence[Message], options: AnswerOptions = GREEDY
) -> tuple[str, str, Finished]:
    """Return an answer, its reasoning, and its figures."""
    answer: list[str] = []
    reasoning: list[str] = []

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk):
            answer.append(event.text)
            reasoning.append(event.reasoning)

    finished = await engine.generate(messages, options, 1, hear)
    return "".join(answer), "".join(reasoning), finished


@contextlib.asynccontextmanager
async def running(path: Path, options: LoadOptions | None = None) -> AsyncIterator[EngineProcess]:
    """Lend a worker with a model in memory."""
    engine = await loaded_engine(path, options)
    try:
        yield engine
    finally:
        await engine.close()


async def answered_alone(
    path: Path, messages: Sequence[Message], options: AnswerOptions = GREEDY, load: LoadOptions | None = None
) -> tuple[str, str, Finished]:
    """Return what a worker answers that has never read anything else."""
    async with running(path, load) as engine:
        return await answered(engine, messages, options)


async def answered_all(
    engine: EngineProcess, messages: Sequence[Message], options: AnswerOptions
) -> list[tuple[str, str, Finished]]:
    """Return all ``options.n`` answers of one request, as ``answered`` does one."""
    answer: dict[int, str] = defaultdict(str)
    reasoning: dict[int, str] = defaultdict(str)

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk):
            answer[event.sample] += event.text
            reasoning[event.sample] += event.reasoning

    finished = await engine.generate_all(messages, options, 1, hear)
    return [(answer[each.sample], reasoning[each.sample], each) for each in finished]
