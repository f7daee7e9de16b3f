"""What a transcript was given, piece by piece, so that it can be written anew when colours change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Entry:
    """A piece of the conversation: user, answer, reasoning or notice."""

    kind: Literal["user", "answer", "reasoning", "notice"]
    parts: list[str] = field(default_factory=list)
    label: str = ""  # of a notice: its kind
    expanded: bool = False
    done: bool = False
    words: int = 0

    @property
    def text(self) -> str:
        """Return the whole text."""
        return "".join(self.parts)

    def head(self) -> str:
        """Return what the bar of a reasoning section says."""
        mark = "▾" if self.expanded else "▸"
        return f"{mark}  {'Thought' if self.done else 'Thinking'} · {self.words:,} words"
