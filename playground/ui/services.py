"""What the window needs of the rest, as types. ``app`` gives it the real ones, tests give scripted ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.compare.events import Lane, LaneResult, RunEvent, WantedPlan
from playground.compare.prompts import Prompt
from playground.engines.protocol import Counted
from playground.models.files import ModelFile

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Bytes of the machine's memory: all, in use, in use by our engines; and the engines that hold it."""

    total_bytes: int
    used_bytes: int
    ours_bytes: int
    engines: int
    cores: int


class Run(Protocol):
    """One comparison under way."""

    def events(self) -> AsyncIterator[RunEvent]:
        """Yield what happens until every lane is done."""

    def stop(self, slot: str | None = None) -> None:
        """Stop one lane, or all."""


class Services(Protocol):
    """Everything behind the Compare screen."""

    def local_models(self) -> list[ModelFile]:
        """Return the models on this disk. Blocking."""

    def prompts(self) -> Sequence[Prompt]:
        """Return the built-in prompts."""

    async def prepare(self, ref: str, progress: OnProgress) -> ModelFile:
        """Return the model for a reference, made first where the app can make it."""

    async def make_copy(self, source: ModelFile, quant: str, progress: OnProgress) -> ModelFile:
        """Make a smaller copy."""

    def run(self, lanes: Sequence[Lane], wanted: WantedPlan) -> Run:
        """Begin a comparison."""

    async def count(self, lane: Lane) -> Counted | None:
        """Return how many tokens a lane's prompt would have; None while its model is not loaded."""

    def sentence(self, results: Sequence[LaneResult]) -> str:
        """Return what can be said about two results."""

    async def devices(self) -> str:
        """Return in words on which devices models can be put, and what would have to be done to use others."""

    def memory(self) -> MemoryReading:
        """Return the machine's memory now."""

    def quant_types(self) -> Sequence[str]:
        """Return the types that smaller copies can have."""
