"""How fast a download is: over the last seconds, so that it neither jumps nor lags. Pure; the caller tells the time."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 8.0
_SHORTEST_S = 0.3


class Speed:
    """Keeps (time, bytes) of the last seconds. Times are seconds of one clock, bytes the sum so far."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def reset(self) -> None:
        """Forget what was seen: after a pause, or when bytes were thrown away."""
        self._seen.clear()

    def add(self, now_s: float, total_bytes: int) -> float:
        """Count and return bytes per second; 0 as long as there is too little to tell."""
        if self._seen and total_bytes < self._seen[-1][1]:
            self.reset()
        self._seen.append((now_s, total_bytes))
        while now_s - self._seen[0][0] > _WINDOW_S and len(self._seen) > 2:
            self._seen.popleft()
        first_s, first_bytes = self._seen[0]
        if now_s - first_s < _SHORTEST_S:
            return 0.0
        return (total_bytes - first_bytes) / (now_s - first_s)
