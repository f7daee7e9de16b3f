"""Runs the real worker process on model files, for tests."""

from __future__ import annotations

from collections.abc import Sequence
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
