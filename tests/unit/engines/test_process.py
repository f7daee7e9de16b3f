"""A worker that misbehaves: the right kind of error, a sentence, and no process left behind."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.process import EngineProcess
from playground.engines.protocol import Finished
from playground.errors import EngineError, ErrorKind

_SCRIPT = Path(__file__).parents[2] / "support" / "faulty_worker.py"
_STALL_S = 1.5
_CYCLES = 50


def _engine(fault: str, *details: str, stall_s: float = _STALL_S, progress_s: float = 60.0) -> EngineProcess:
    command = [sys.executable, "-S", str(_SCRIPT), fault, *details]
    return EngineProcess(command, stall_s=stall_s, progress_s=progress_s)


async def _load(engine: EngineProcess) -> None:
    await engine.load(Path("faulty.gguf"), LoadOptions(), 1, lambda _fraction: None)


async def _generate(engine: EngineProcess) -> Finished:
    talk = Conversation().with_user("Hi").messages()
    return await engine.generate(talk, AnswerOptions(max_tokens=8), 1, lambda _event: None)


async def _ask(engine: EngineProcess) -> None:
    await engine.start()
    await _load(engine)
    await _generate(engine)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("garbage", ErrorKind.PROTOCOL, "not the protocol"),
        ("no text", ErrorKind.PROTOCOL, "not the protocol"),
        ("nested", ErrorKind.PROTOCOL, "not the protocol"),
        ("other type", ErrorKind.PROTOCOL, "not the protocol"),
        ("too long", ErrorKind.PROTOCOL, "too long"),
        ("unknown request", ErrorKind.PROTOCOL, "nobody asked"),
        ("negative request", ErrorKind.PROTOCOL, "nobody asked"),
        ("other version", ErrorKind.PROTOCOL, "greeted with something else"),
        ("flood", ErrorKind.PROTOCOL, "more than was asked for"),
        ("half a line", ErrorKind.CRASHED, "SIGKILL"),
        ("killed", ErrorKind.CRASHED, "SIGKILL"),
        ("terminated", ErrorKind.CRASHED, "SIGTERM"),
        ("aborted", ErrorKind.CRASHED, "GGML_ASSERT"),
        ("exit", ErrorKind.CRASHED, "exit status 7"),
        ("frozen", ErrorKind.STOPPED, "has not answered"),
        ("noise", ErrorKind.STOPPED, "has not answered"),
        ("silent", ErrorKind.STOPPED, "has not answered"),
    ],
)
def test_a_fault_has_a_kind_and_a_sentence(fault: str, kind: ErrorKind, words: str) -> None:
    async def scenario() -> None:
        engine = _engine(fault)
        try:
            with pytest.raises(EngineError) as caught:
                await _ask(engine)
            assert caught.value.kind is kind, caught.value.message
            assert words in caught.value.message
            with pytest.raises(EngineError):
                await _generate(engine)
        finally:
            await engine.close()
        assert not engine.is_alive

    asyncio.run(scenario())


def test_a_worker_that_closes_its_output_is_ended() -> None:
    async def scenario() -> None:
        engine = _engine("closed output", stall_s=60)
        try:
            with pytest.raises(EngineError, match="closed its output") as caught:
                await _ask(engine)
            assert caught.value.kind is ErrorKind.PROTOCOL
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_signs_of_life_alone_are_not_enough_for_ever() -> None:
    async def scenario() -> None:
        engine = _engine("beats", progress_s=1.0)
        try:
            with pytest.raises(EngineError) as caught:
                await _ask(engine)
            assert caught.value.kind is ErrorKind.STOPPED
            assert "has not come any further" in caught.value.message
        finally:
            await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", ["finish twice", "unasked progress"])
def test_what_comes_too_often_or_too_late_does_no_harm(fault: str) -> None:
    async def scenario() -> None:
        engine = _engine(fault)
        try:
            await engine.start()
            await _load(engine)
            assert (await _generate(engine)).id == 1
            assert (await _generate(engine)).id == 2
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_megabytes_on_stderr_do_not_hold_up_an_answer() -> None:
    async def scenario() -> None:
        engine = _engine("noisy answer")
        try:
            await engine.start()
            await _load(engine)
            assert (await _generate(engine)).stop == "end"
            assert len(engine._child.stderr_tail) <= 8 << 10
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_all_requests_under_way_fail_with_their_worker() -> None:
    async def scenario() -> None:
        engine = _engine("two requests")
        try:
            await engine.start()
            await _load(engine)
            results = await asyncio.gather(_generate(engine), _generate(engine), return_exceptions=True)
            for error in results:
                assert isinstance(error, EngineError)
                assert error.kind is ErrorKind.CRASHED
                assert "SIGKILL" in error.message
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_a_worker_that_ignores_a_cancel_is_ended() -> None:
    async def scenario() -> None:
        engine = _engine("ignores", stall_s=60)
        try:
            await engine.start()
            await _load(engine)
            begun = asyncio.Event()
            talk = Conversation().with_user("Hi").messages()
            task = asyncio.create_task(engine.generate(talk, AnswerOptions(), 1, lambda _event: begun.set()))
            await begun.wait()
            engine.cancel()
            with pytest.raises(EngineError) as caught:
                await task
            assert caught.value.kind is ErrorKind.STOPPED
            assert "did not stop in time" in caught.value.message
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_a_worker_that_died_can_be_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = _engine("dies once", str(tmp_path / "died"))
        try:
            await engine.start()
            with pytest.raises(EngineError) as caught:
                await _load(engine)
            assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
            first = engine.pid
            await engine.restart()
            await _load(engine)
            assert engine.pid != first
            assert engine.is_alive
            assert (await _generate(engine)).stop == "end"
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_a_worker_stopped_while_it_starts_is_stopped() -> None:
    async def scenario() -> None:
        engine = _engine("ignores")
        starting = asyncio.create_task(engine.start())
        await asyncio.sleep(0)
        await engine.kill(EngineError(ErrorKind.STOPPED, "Loading was stopped."))
        with pytest.raises(EngineError, match="Loading was stopped"):
            await starting
        assert not engine.is_alive
        assert engine.pid is None or not psutil.pid_exists(engine.pid)

    asyncio.run(scenario())


def test_a_command_that_does_not_exist_is_a_sentence() -> None:
    async def scenario() -> None:
        engine = EngineProcess(["/no/such/program"])
        with pytest.raises(EngineError, match="cannot be started") as caught:
            await engine.start()
        assert caught.value.kind is ErrorKind.CRASHED
        await engine.close()

    asyncio.run(scenario())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in procfs")
def test_many_starts_and_ends_leave_nothing_behind() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def cycle(number: int) -> None:
        engine = _engine("ignores")
        await engine.start()
        if number % 3 == 0:
            await _load(engine)
        task = asyncio.create_task(_generate(engine)) if number % 3 == 0 else None
        await asyncio.sleep(0)
        await (engine.kill() if number % 2 else engine.close())
        if task is not None:
            with pytest.raises(EngineError):
                await task

    async def scenario() -> None:
        await cycle(0)
        before, tasks = open_files(), len(asyncio.all_tasks())
        for number in range(_CYCLES):
            await cycle(number)
        for _ in range(100):
            await asyncio.sleep(0.01)
            if open_files() <= before and len(asyncio.all_tasks()) <= tasks:
                break
        assert open_files() <= before
        assert len(asyncio.all_tasks()) <= tasks
        assert not psutil.Process().children()

    asyncio.run(scenario())
