"""Stop strings: end an answer where one of them appears, looking at its tail only. Pure."""

from __future__ import annotations

from playground.engines.reasoning import held_back


class StopStrings:
    """Lets text through up to the first stop string; ``hit`` says that one was found.

    What may still become a stop string is held back, so the cost per piece does not grow with the answer.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._pending = ""
        self.hit = False

    def feed(self, text: str) -> str:
        """Take more text and return what is certainly part of the answer."""
        if not self._stops or self.hit:
            return "" if self.hit else text
        self._pending += text
        places = [self._pending.find(stop) for stop in self._stops]
        first = min((place for place in places if place >= 0), default=None)
        if first is not None:
            self.hit = True
            ready, self._pending = self._pending[:first], ""
            return ready
        keep = held_back(self._pending, self._stops)
        size = len(self._pending) - keep
        ready, self._pending = self._pending[:size], self._pending[size:]
        return ready

    def finish(self) -> str:
        """Return what was held back."""
        rest, self._pending = self._pending, ""
        return "" if self.hit else rest
