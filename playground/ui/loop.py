"""The window's event loop: qasync's, with callbacks that are due at once in one queue.

qasync starts and kills a Qt timer for each callback of ``call_soon``, and a streamed piece of text needs five of them
on its way up. Here one timer runs all that wait, as asyncio's own loop does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context

from PySide6.QtCore import QTimer  # before qasync, which takes the binding that is there
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """Runs callbacks in the order of their coming; those that they add wait for the next round of Qt's loop."""

    def __init__(self, qt: QApplication) -> None:
        self._due: deque[asyncio.Handle] = deque()
        self._round = QTimer()
        self._round.setSingleShot(True)
        self._round.setInterval(0)
        self._round.timeout.connect(self._run_due)
        super().__init__(qt)

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback in the next round."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self._due:
            self._round.start()
        self._due.append(handle)
        return handle

    def close(self) -> None:
        """Give up what still waits."""
        self._round.stop()
        self._due.clear()
        super().close()

    def _run_due(self) -> None:
        round_, self._due = self._due, deque()
        try:
            while round_:
                handle = round_.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 -- what an event loop is for
        finally:
            if round_:  # SystemExit or KeyboardInterrupt came through
                self._due.extendleft(reversed(round_))
                self._round.start()
