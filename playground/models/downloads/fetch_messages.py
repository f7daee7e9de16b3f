"""What the app and the fetcher's process say to each other: JSON lines. Pure values; neither side is known here.

The app sends one ``Job``, then any number of ``Limit``; closing the pipe ends the fetcher. The token is not among it: it
comes by the environment.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from playground.errors import DownloadError, DownloadErrorKind, HubError, HubErrorKind, PlaygroundError


class Job(msgspec.Struct, frozen=True):
    """One file that is wanted. ``sha256`` empty: the Hub keeps none, then the file's git hash is checked instead.

    ``branch``: its ref in the cache is set to ``commit`` at the end. ``cache``: the Hub cache's folder.
    """

    repo: str
    commit: str
    branch: str
    path: str
    size_bytes: int
    sha256: str
    cache: str
    endpoint: str
    limit_bytes_per_s: int = 0


class Limit(msgspec.Struct, frozen=True):
    """The speed from now on, 0 for no limit."""

    limit_bytes_per_s: int


class Checking(msgspec.Struct, frozen=True, tag_field="event", tag="checking"):
    """What is on disk already is hashed: so much of it by now."""

    checked_bytes: int


class Progress(msgspec.Struct, frozen=True, tag_field="event", tag="progress"):
    """So much of the file is here."""

    received_bytes: int


class Waiting(msgspec.Struct, frozen=True, tag_field="event", tag="waiting"):
    """After a setback, until the next try. ``attempt`` counts those without progress."""

    reason: str
    hint: str
    seconds: float
    attempt: int


class Done(msgspec.Struct, frozen=True, tag_field="event", tag="done"):
    """The file is whole, verified, and in the cache at ``path``."""

    path: str


class Failed(msgspec.Struct, frozen=True, tag_field="event", tag="failed"):
    """It could not be fetched."""

    room: Literal["hub", "download"]
    kind: str
    message: str
    hint: str
    detail: str = ""
    url: str = ""

    def error(self) -> PlaygroundError:
        """Return the error that this was in the fetcher."""
        if self.room == "hub":
            kind = HubErrorKind(self.kind)
            return HubError(kind, self.message, hint=self.hint, detail=self.detail, url=self.url)
        return DownloadError(DownloadErrorKind(self.kind), self.message, hint=self.hint, detail=self.detail)


Event = Checking | Progress | Waiting | Done | Failed


def failed(error: HubError | DownloadError) -> Failed:
    """Return an error as the fetcher tells it."""
    is_hub = isinstance(error, HubError)
    url = error.url if isinstance(error, HubError) else ""
    return Failed(
        "hub" if is_hub else "download", str(error.kind), error.message, error.hint, error.detail, url
    )
