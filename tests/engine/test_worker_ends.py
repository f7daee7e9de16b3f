"""How real workers end: killed, stopped, orphaned, closed in the middle of things. None is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, Finished, PromptProgress
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, asked, loaded_engine
from tests.support.tiny_gguf import build

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")

_ROOT = Path(__file__).parents[2]
_ENDLESS = AnswerOptions(Sampling(temperature=0), 1_000_000, context_shift=True)
_SLOW_TEMPLATE = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
_TWO = LoadOptions(n_ctx=512, sequences=2)


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = "This goes on and on, and nobody knows when it will end. "
    return build("llama", tmp_path_factory.mktemp("endless") / "endless.gguf", script=text, endless=True)


async def _begin(engine: EngineProcess) -> asyncio.Task[Finished]:
    """Return an answer under way that has shown its first text."""
    begun = asyncio.Event()

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk):
            begun.set()

    task = asyncio.create_task(engine.generate(asked("Go on"), _ENDLESS, 1, hear))
    await asyncio.wait({task, asyncio.create_task(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    return task


async def _gone(pid: int) -> bool:
    """Return whether a process ends within ten seconds."""
    for _ in range(500):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (signal.SIGKILL, ErrorKind.CRASHED, "SIGKILL"),
        (signal.SIGTERM, ErrorKind.CRASHED, "SIGTERM"),
        (signal.SIGSEGV, ErrorKind.CRASHED, "SIGSEGV"),
        (signal.SIGSTOP, ErrorKind.STOPPED, "has not answered for 3 s"),
    ],
)
def test_a_signal_fails_all_answers_under_way(
    endless: Path, number: signal.Signals, kind: ErrorKind, words: str
) -> None:
    async def scenario() -> None:
        engine = EngineProcess(stall_s=3.0)
        try:
            await engine.start()
            await engine.load(endless, _TWO, 1, lambda _fraction: None)
            answers = [await _begin(engine), await _begin(engine)]
            assert engine.pid is not None
            os.kill(engine.pid, number)
            for error in await asyncio.gather(*answers, return_exceptions=True):
                assert isinstance(error, EngineError)
                assert error.kind is kind
                assert words in error.message
            assert await _gone(engine.pid)
        finally:
            await engine.close()

    asyncio.run(scenario())


async def _while_idle(_engine: EngineProcess, _path: Path) -> None:
    return


async def _while_answering(engine: EngineProcess, _path: Path) -> asyncio.Task[Finished]:
    return await _begin(engine)


async def _while_loading(engine: EngineProcess, path: Path) -> asyncio.Task[object]:
    options = LoadOptions(n_ctx=256, template=_SLOW_TEMPLATE)
    load = engine.load(path, options, 1, lambda _fraction: None)
    task: asyncio.Task[object] = asyncio.ensure_future(load)
    await asyncio.sleep(0.3)  # now it tries the template, which takes two seconds
    assert not task.done()
    return task


_Moment = Callable[[EngineProcess, Path], Awaitable["asyncio.Task[object] | asyncio.Task[Finished] | None"]]
_MOMENTS = [_while_idle, _while_answering, _while_loading]


@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_worker_ends_by_itself_when_its_input_closes(endless: Path, moment: _Moment) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(endless, LoadOptions(n_ctx=256))
        try:
            task = await moment(engine, endless)
            process = engine._child._process
            assert process is not None
            assert process.stdin is not None
            process.stdin.close()
            assert await _gone(process.pid)
            assert await process.wait() == 0
            if task is not None:
                with pytest.raises(EngineError):
                    await task
        finally:
            await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("moment", _MOMENTS)
def test_closing_fails_what_is_under_way(endless: Path, moment: _Moment) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(endless, LoadOptions(n_ctx=256))
        task = await moment(engine, endless)
        await engine.close()
        if task is not None:
            with pytest.raises(EngineError) as caught:
                await task
            assert caught.value.kind is ErrorKind.STOPPED
        with pytest.raises(EngineError) as caught:
            await answered(engine, asked("Hello"))
        assert caught.value.kind is ErrorKind.STOPPED
        await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("delay_ms", range(0, 40, 5))
def test_a_cancel_at_the_end_of_an_answer_ends_it_once(tmp_path: Path, delay_ms: int) -> None:
    path = build("llama", tmp_path / "short.gguf", script="A few words only, and that is all of it.")

    async def scenario() -> None:
        engine = await loaded_engine(path, LoadOptions(n_ctx=256))
        try:
            for _ in range(3):
                task = asyncio.create_task(answered(engine, asked("Hello")))
                await asyncio.sleep(delay_ms / 1000)
                engine.cancel()
                _, _, finished = await task
                assert finished.stop in ("cancelled", "end")
            _, _, finished = await answered(engine, asked("Hello"))
            assert finished.stop == "end"
        finally:
            await engine.close()

    asyncio.run(scenario())


_PARENT = """
import asyncio, sys
from pathlib import Path
from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess

async def main():
    engine = EngineProcess(stall_s=1.5)
    await engine.start()
    await engine.load(Path(sys.argv[1]), LoadOptions(n_ctx=256), 1, lambda fraction: None)
    print(engine.pid, flush=True)
    talk = Conversation().with_user("Go on").messages()
    options = AnswerOptions(Sampling(temperature=0), 1_000_000, context_shift=True)
    answer = asyncio.create_task(engine.generate(talk, options, 1, lambda event: None))
    await asyncio.to_thread(sys.stdin.readline)
    engine.cancel()
    print((await answer).stop, flush=True)
    await engine.close()

asyncio.run(main())
"""


def _parent(path: Path) -> tuple[subprocess.Popen[str], int]:
    """Return a process that has a worker which is answering, and the worker's id."""
    command = [sys.executable, "-c", _PARENT, str(path)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def test_a_killed_app_leaves_no_worker(endless: Path) -> None:
    parent, worker = _parent(endless)
    with parent:
        assert psutil.pid_exists(worker)
        parent.kill()
    assert asyncio.run(_gone(worker))


def test_an_app_that_was_stopped_for_a_while_goes_on(endless: Path) -> None:
    parent, worker = _parent(endless)
    with parent:
        parent.send_signal(signal.SIGSTOP)
        asyncio.run(asyncio.sleep(2.5))
        parent.send_signal(signal.SIGCONT)
        output, _ = parent.communicate("\n", timeout=60)
    assert output.strip() == "cancelled"
    assert asyncio.run(_gone(worker))
