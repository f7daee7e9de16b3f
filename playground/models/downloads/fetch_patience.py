"""How long the fetcher tries: setbacks, the pauses between tries, and when it gives up. Knows no network and no disk."""

from __future__ import annotations

import email.utils
import os
import random
import re
import time
from collections.abc import Callable, Mapping

from playground.errors import DownloadError, DownloadErrorKind, HubError

_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_WAIT_S = 3600.0
_WINDOW = re.compile(r";\s*t\s*=\s*(\d{1,6})")  # ratelimit: "api";r=0;t=55


def setting(name: str, default: float) -> float:
    """Return a number from the environment, ``PLAYGROUND_FETCH_<NAME>``."""
    try:
        return float(os.environ.get(f"PLAYGROUND_FETCH_{name}", default))
    except ValueError:
        return default


class Setback(Exception):  # noqa: N818 -- it becomes an error only when patience ends
    """Something that may go better at the next try. ``error`` is what it is when it never does.

    ``is_lie``: the server contradicted itself, which is forgiven twice in a row and not ten times; ``is_range``: about a
    range, so that the second time the whole file is asked for.
    ``pause_s``: what the server asks for. ``keeps_address``: the address of the bytes is still good.
    """

    def __init__(
        self,
        error: HubError | DownloadError,
        *,
        pause_s: float | None = None,
        is_lie: bool = False,
        is_range: bool = False,
        keeps_address: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error, self.pause_s = error, pause_s
        self.is_lie, self.is_range, self.keeps_address = is_lie, is_range, keeps_address


def lie(what: str, *, is_range: bool = False) -> Setback:
    """Return the setback of an answer that contradicts itself or the Hub's facts."""
    return Setback(
        DownloadError(
            DownloadErrorKind.LYING,
            f"The server contradicts itself: {what}.",
            hint="Try again later; what is here is kept.",
        ),
        is_lie=True,
        is_range=is_range,
    )


def asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """Return how long a server wants to be left alone, in seconds or until a date; None where it does not say."""
    said = headers.get("retry-after", "").strip()
    if said.isdecimal() and len(said) < 7:
        return min(float(said), _LONGEST_ASKED_WAIT_S)
    if said:
        try:
            until = email.utils.parsedate_to_datetime(said).timestamp()
        except ValueError:
            until = 0.0
        if until:
            return min(max(0.0, until - time.time()), _LONGEST_ASKED_WAIT_S)
    window = _WINDOW.search(headers.get("ratelimit", ""))
    return min(float(window[1]), _LONGEST_ASKED_WAIT_S) if window else None


class Patience:
    """Counts the tries since the last progress. Pauses double, with jitter, so that many clients do not come at once."""

    def __init__(self, tell: Callable[[Setback, float, int], None]) -> None:
        self._tell = tell
        self._first_wait_s = setting("WAIT_S", 1.0)
        self._tries = int(setting("TRIES", 15))
        self.attempt = self.lies = self._furthest_bytes = 0

    def begin_again(self) -> None:
        """Forget what was reached."""
        self.attempt = self.lies = self._furthest_bytes = 0

    def progress(self, received_bytes: int) -> None:
        """Count the tries from here when it got further than ever: a server that starts over again and again does not."""
        if received_bytes > self._furthest_bytes:
            self._furthest_bytes = received_bytes
            self.attempt = self.lies = 0

    def wait(self, setback: Setback) -> None:
        """Wait until the next try. Raises the setback's error when there have been too many."""
        self.attempt += 1
        self.lies += setback.is_lie
        if self.attempt >= self._tries or self.lies > 2:
            raise setback.error from setback
        doubled = min(self._first_wait_s * 2 ** (self.attempt - 1), _LONGEST_WAIT_S)
        pause_s = doubled * random.uniform(0.8, 1.2) if setback.pause_s is None else setback.pause_s  # noqa: S311
        self._tell(setback, pause_s, self.attempt)
        time.sleep(pause_s)
