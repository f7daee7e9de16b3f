"""The window's event loop: qasync's, with asyncio's own queue of callbacks and heap of timers.

qasync starts a Qt timer for each callback and each time limit, and lets it ring even when it was cancelled. A streamed
piece of text needs five callbacks and a time limit on its way up, fifty times a second in each lane. Here one Qt timer
runs all callbacks that are due and another one waits for the earliest time limit.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context

from PySide6.QtCore import Qt, QTimer  # before qasync, which takes the binding that is there
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

_LONGEST_MS = 1 << 30


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """Runs callbacks in the order of their coming; those that they add wait for the next round of Qt's loop."""

    def __init__(self, qt: QApplication) -> None:
        self._due: deque[asyncio.Handle] = deque()
        self._later: list[asyncio.TimerHandle] = []
        self._round = _single_shot(self._run_due)
        self._alarm = _single_shot(self._ring)
        super().__init__(qt)

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback in the next round."""
        handle = asyncio.Handle(callback, args, self, context)
        self._add(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after ``delay`` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback when ``time()`` has come to ``when``."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._later, handle)
        if self._later[0] is handle:
            self._set_alarm()
        return handle

    def close(self) -> None:
        """Give up what still waits."""
        self._round.stop()
        self._alarm.stop()
        self._due.clear()
        self._later.clear()
        super().close()

    def _add(self, handle: asyncio.Handle) -> None:
        if not self._due:
            self._round.start(0)
        self._due.append(handle)

    def _run_due(self) -> None:
        due, self._due = self._due, deque()
        try:
            while due:
                handle = due.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 -- what an event loop is for
        finally:
            if due:  # SystemExit or KeyboardInterrupt came through
                self._due.extendleft(reversed(due))
                self._round.start(0)

    def _ring(self) -> None:
        now = self.time()
        while self._later and (self._later[0].cancelled() or self._later[0].when() <= now):
            self._add(heapq.heappop(self._later))
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._later:
            wait_ms = math.ceil((self._later[0].when() - self.time()) * 1000)
            self._alarm.start(min(max(wait_ms, 0), _LONGEST_MS))


def _single_shot(rings: Callable[[], None]) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(rings)
    return timer
