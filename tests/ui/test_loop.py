"""The window's loop keeps asyncio's promises about callbacks."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.ui.loop import Loop


@pytest.fixture
def loop(qtbot: QtBot, qapp: QApplication) -> Iterator[Loop]:
    made = Loop(qapp)
    asyncio.set_event_loop(made)
    yield made
    made.close()
    asyncio.set_event_loop(None)
    assert qtbot


def test_callbacks_run_in_order_and_new_ones_in_the_next_round(loop: Loop) -> None:
    said: list[str] = []

    async def scenario() -> None:
        def first() -> None:
            said.append("first")
            loop.call_soon(said.append, "added by the first")

        loop.call_soon(first)
        loop.call_soon(said.append, "cancelled").cancel()
        loop.call_soon(said.append, "second")
        for _ in range(3):
            await asyncio.sleep(0)

    loop.run_until_complete(scenario())
    assert said == ["first", "second", "added by the first"]


def test_an_error_in_a_callback_stops_no_other(loop: Loop) -> None:
    said: list[str] = []
    loop.set_exception_handler(lambda _loop, context: said.append(str(context["exception"])))

    async def scenario() -> None:
        loop.call_soon([].pop)
        loop.call_soon(said.append, "next")
        await asyncio.sleep(0.01)

    loop.run_until_complete(scenario())
    assert said == ["pop from empty list", "next"]


def test_a_callback_runs_in_its_own_context(loop: Loop) -> None:
    name = contextvars.ContextVar("name", default="outer")
    said: list[str] = []

    async def scenario() -> None:
        inner = contextvars.copy_context()
        inner.run(name.set, "inner")
        loop.call_soon(lambda: said.append(name.get()), context=inner)
        loop.call_soon(lambda: said.append(name.get()))
        await asyncio.sleep(0.01)

    loop.run_until_complete(scenario())
    assert said == ["inner", "outer"]


def test_other_threads_wake_it(loop: Loop) -> None:
    async def scenario() -> str:
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(answer.set_result, "from a thread"))
        thread.start()
        async with asyncio.timeout(5):
            said = await answer
        thread.join()
        return said

    assert loop.run_until_complete(scenario()) == "from a thread"


def test_queues_and_timeouts_work_together(loop: Loop) -> None:
    async def scenario() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(1)

        async def produce() -> None:
            for number in range(200):
                await queue.put(number)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            taken = [await queue.get() for _ in range(200)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await queue.get()
        return taken

    assert loop.run_until_complete(scenario()) == list(range(200))


def test_timers_ring_in_order_and_cancelled_ones_never(loop: Loop) -> None:
    said: list[str] = []

    async def scenario() -> None:
        loop.call_later(0.03, said.append, "third")
        loop.call_later(0.02, said.append, "second")
        loop.call_at(loop.time() + 0.01, said.append, "first")
        loop.call_later(0, said.append, "at once")
        loop.call_later(0.005, said.append, "cancelled").cancel()
        limits = [loop.call_later(30, said.append, "a time limit") for _ in range(100)]
        for limit in limits:
            limit.cancel()
        await asyncio.sleep(0.05)

    loop.run_until_complete(scenario())
    assert said == ["at once", "first", "second", "third"]


def test_a_timer_never_rings_early(loop: Loop) -> None:
    early: list[float] = []

    async def scenario() -> None:
        for delay in (0.0, 0.001, 0.0033, 0.02, 0.04):
            due = loop.time() + delay
            await asyncio.sleep(delay)
            if loop.time() < due:
                early.append(delay)

    loop.run_until_complete(scenario())
    assert not early
