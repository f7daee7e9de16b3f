"""One download as others see it: a frozen value. Who fetches, and how, is in ``downloads`` and ``fetch``."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from playground.models.hub.repository import HubFile


class DownloadState(StrEnum):
    """Where a download is."""

    QUEUED = "queued"
    ACTIVE = "active"
    WAITING = "waiting"  # after a fault, until the next try
    VERIFYING = "verifying"  # a part from an earlier run is hashed
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


class FileProgress(msgspec.Struct, frozen=True):
    """How much of one file is here, bytes. ``is_verified``: whole, its sha256 right, and in the cache."""

    file: HubFile
    received_bytes: int = 0
    is_verified: bool = False


class Download(msgspec.Struct, frozen=True):
    """One model on its way: all parts of one quantization. Times are seconds of ``time.time``.

    ``bytes_per_s``: over the last seconds. ``error`` and ``hint``: why it failed or waits, and what to do; ``kind``: of
    the error that it failed by (a HubErrorKind or DownloadErrorKind), ``url``: the page where a person can do something.
    ``path``: the first file in the cache, once it is done. ``note``: what it is fetched for ("pair with ...").
    """

    id: str
    repo: str
    commit: str
    branch: str
    quant: str
    files: tuple[FileProgress, ...]
    state: DownloadState = DownloadState.QUEUED
    bytes_per_s: float = 0.0
    attempt: int = 0
    retry_at: float = 0.0
    checked_bytes: int = 0
    added_at: float = 0.0
    ended_at: float = 0.0
    paused_at: float = 0.0
    error: str = ""
    hint: str = ""
    kind: str = ""
    url: str = ""
    path: str = ""
    note: str = ""

    @property
    def total_bytes(self) -> int:
        """Return the size of all files."""
        return sum(item.file.size_bytes for item in self.files)

    @property
    def received_bytes(self) -> int:
        """Return how much of them is here."""
        return sum(item.received_bytes for item in self.files)

    @property
    def seconds_left(self) -> float | None:
        """Return how long it will take at this speed, None when it does not move."""
        left = self.total_bytes - self.received_bytes
        return left / self.bytes_per_s if self.bytes_per_s > 0 else None
