"""A worker that misbehaves: the right kind of error, a sentence, and no process left behind."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind

_SCRIPT = Path(__file__).parents[2] / "support" / "faulty_worker.py"
_STALL_S = 1.5


async def _ask(engine: EngineProcess) -> None:
    await engine.start()
    await engine.load(Path("faulty.gguf"), LoadOptions(), 1, lambda _fraction: None)
    talk = Conversation().with_user("Hi").messages()
    await engine.generate(talk, AnswerOptions(max_tokens=8), 1, lambda _event: None)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("garbage", ErrorKind.PROTOCOL, "not the protocol"),
        ("killed", ErrorKind.CRASHED, "SIGKILL"),
        ("aborted", ErrorKind.CRASHED, "GGML_ASSERT"),
        ("frozen", ErrorKind.STOPPED, "has not answered"),
        ("exit", ErrorKind.CRASHED, "exit status 7"),
        ("flood", ErrorKind.PROTOCOL, "more than was asked for"),
        ("noise", ErrorKind.STOPPED, "has not answered"),
        ("silent", ErrorKind.STOPPED, "has not answered"),
    ],
)
def test_a_fault_has_a_kind_and_a_sentence(fault: str, kind: ErrorKind, words: str) -> None:
    async def scenario() -> None:
        engine = EngineProcess([sys.executable, str(_SCRIPT), fault], stall_s=_STALL_S)
        try:
            with pytest.raises(EngineError) as caught:
                await _ask(engine)
            assert caught.value.kind is kind
            assert words in caught.value.message
        finally:
            await engine.close()
        assert not engine.is_alive

    asyncio.run(scenario())


def test_a_worker_that_ignores_a_cancel_is_ended() -> None:
    async def scenario() -> None:
        engine = EngineProcess([sys.executable, str(_SCRIPT), "ignores"])
        try:
            await engine.start()
            await engine.load(Path("faulty.gguf"), LoadOptions(), 1, lambda _fraction: None)
            begun = asyncio.Event()
            talk = Conversation().with_user("Hi").messages()
            task = asyncio.create_task(engine.generate(talk, AnswerOptions(), 1, lambda _event: begun.set()))
            await begun.wait()
            engine.cancel()
            with pytest.raises(EngineError) as caught:
                await task
            assert caught.value.kind is ErrorKind.STOPPED
        finally:
            await engine.close()

    asyncio.run(scenario())
