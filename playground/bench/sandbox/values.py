"""What a sandbox is made of, and how a program in it can be stopped. Frozen values; starts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Backend(StrEnum):
    """What holds a program in, from strong to nothing."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Program:
    """A program for use inside: its file, its version, and what else of the disk it needs to be able to read."""

    path: str
    version: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the probe found on this machine.

    ``guarantee``: a sentence about what a program is kept from. ``missing``: why there is nothing better and how to
    get it, empty where this is the best. ``flags``: what this bubblewrap understands. ``user``: the user to become
    when the app runs as root, None to stay.
    """

    backend: Backend
    guarantee: str
    missing: str = ""
    python: Program | None = None
    node: Program | None = None
    node_missing: str = ""
    bash: str = ""
    flags: tuple[str, ...] = ()
    user: int | None = None

    @property
    def name(self) -> str:
        """Return the backend's name, as run files have it."""
        return self.backend.value

    @property
    def is_safe(self) -> bool:
        """Return whether programs may be run without asking a person."""
        return self.backend is not Backend.NONE


class Stop(StrEnum):
    """Why a program was stopped, or stopped by itself, before its last answer."""

    TIME = "time"
    CPU = "cpu"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"
    OUTPUT = "output"
    ANSWER = "answer"  # one answer is too large
    PROTOCOL = "protocol"  # something else than answers came through their channel
    ENDED = "ended"


class StoppedError(Exception):
    """A program gives no more answers. ``text``: one sentence; ``detail``: what it printed. Never leaves the judge."""

    def __init__(self, kind: Stop, text: str) -> None:
        self.kind, self.text, self.detail = kind, text, ""
        super().__init__(text)
