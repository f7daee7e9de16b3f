"""Between Qt's slots and asyncio: tasks that belong to a widget, one place for their errors, a watch on the loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from playground import logs
from playground.errors import PlaygroundError

if TYPE_CHECKING:
    import asyncio

LATE_S = 0.1
_WATCH_S = 0.5
_log = logs.get("ui")
OnError = Callable[[PlaygroundError], None]


class Bridge:
    """Starts coroutines for slots and keeps their tasks. ``on_bug`` is told of errors that nobody foresaw."""

    def __init__(self, on_bug: Callable[[BaseException], None]) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_bug = on_bug

    def spawn(
        self, work: Coroutine[Any, Any, None], owner: QObject, on_error: OnError | None = None
    ) -> asyncio.Task[None]:
        """Start a coroutine; it is cancelled when its owner is destroyed."""
        import asyncio  # 60 ms that the first paint need not wait for

        task = asyncio.get_running_loop().create_task(self._guard(work, on_error))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(
            lambda _task: work.close()
        )  # one cancelled before its first step was never begun
        owner.destroyed.connect(task.cancel)
        return task

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        import asyncio

        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guard(self, work: Coroutine[Any, Any, None], on_error: OnError | None) -> None:
        try:
            await work
        except PlaygroundError as error:
            if on_error is None:
                self._on_bug(error)
            else:
                on_error(error)
        except Exception as error:  # noqa: BLE001 -- the funnel: anything else is a bug and shown as one
            _log.exception("unexpected error")
            self._on_bug(error)


async def watch_lateness() -> None:
    """Log whenever the loop was late by more than 100 ms: something blocked the window."""
    import asyncio

    while True:
        due = time.monotonic() + _WATCH_S
        await asyncio.sleep(_WATCH_S)
        late_s = time.monotonic() - due
        if late_s > LATE_S:
            _log.log(logging.INFO, "the event loop was late by %.0f ms", late_s * 1000)
