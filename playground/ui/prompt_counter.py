"""Counts the tokens of the prompt that is being written, one count at a time; what comes too late is dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from playground.engines.protocol import Counted


class PromptCounter:
    """``size`` counts a text for a lane, ``show`` gets what was found; ``spawn`` runs the counting."""

    def __init__(
        self,
        slots: Sequence[str],
        size: Callable[[str, str], Awaitable[Counted | None]],
        show: Callable[[str, Counted | None], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._slots, self._size, self._show, self._spawn = slots, size, show, spawn
        self._text = ""
        self._is_counting = False
        self._must_count = False

    def write(self, text: str) -> None:
        """Take a new text. Returns at once."""
        self._text = text
        self.again()

    def again(self) -> None:
        """Count anew, for what else a prompt consists of has changed. An empty text has no size."""
        self._must_count = bool(self._text.strip())
        if not self._must_count:
            for slot in self._slots:
                self._show(slot, None)
        elif not self._is_counting:
            self._is_counting = True
            self._spawn(self._count())

    async def _count(self) -> None:
        try:
            while self._must_count:
                self._must_count = False
                for slot in self._slots:
                    size = await self._size(slot, self._text)
                    if self._text.strip() and not self._must_count:
                        self._show(slot, size)
        finally:
            self._is_counting = False
