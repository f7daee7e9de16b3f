"""Changes of a lane's transcript, in order: what the view-model writes and the page's timer takes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a lane's transcript."""

    kind: Literal["user", "begin", "answer", "reasoning", "finish", "notice", "remove_answer", "clear"]
    text: str = ""
    level: Literal["info", "warn", "bad"] = "info"


class StepQueue:
    """Steps that wait to be shown."""

    def __init__(self) -> None:
        self._waiting: deque[Step] = deque()

    def add(self, step: Step) -> None:
        """Add a step at the end."""
        self._waiting.append(step)

    def take(self) -> list[Step]:
        """Return the steps since the last call; neighbouring text is joined."""
        joined: list[Step] = []
        while self._waiting:
            step = self._waiting.popleft()
            if joined and step.kind in ("answer", "reasoning") and joined[-1].kind == step.kind:
                joined[-1] = replace(joined[-1], text=joined[-1].text + step.text)
            else:
                joined.append(step)
        return joined
