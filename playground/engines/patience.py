"""How long a worker may be silent, or busy without getting on, before it is given up."""

from __future__ import annotations

import time

from playground.engines import death
from playground.errors import EngineError

STALL_S = 20.0  # a worker sends a heartbeat every second, even from within native code
PROGRESS_S = (
    1800.0  # a large model on a slow machine reads one batch of a prompt for minutes; none does for longer
)


class Patience:
    """Ends ``stall_s`` after the last sign of life, or ``progress_s`` after the last progress."""

    def __init__(self, stall_s: float, progress_s: float) -> None:
        self.stall_s, self._progress_s = stall_s, progress_s
        self._heard = self._progressed = time.monotonic()

    def renew(self) -> None:
        """Take notice of progress."""
        self._heard = self._progressed = time.monotonic()

    def hear(self) -> None:
        """Take notice of a sign of life."""
        self._heard = time.monotonic()

    def begin(self) -> None:
        """Take notice that something new was asked for."""
        self._progressed = time.monotonic()

    def over(self, what: str) -> EngineError | None:
        """Return why ``what`` is to be given up, None while it may go on."""
        now = time.monotonic()
        if now - self._heard > self.stall_s:
            return death.stalled(what, self.stall_s)
        if now - self._progressed > self._progress_s:
            return death.stuck(what, self._progress_s)
        return None
