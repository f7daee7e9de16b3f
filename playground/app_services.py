"""The real services behind the Compare screen. Heavy modules are imported when they are first needed. Knows no Qt."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import psutil

from playground.compare.events import Lane, LaneResult, WantedPlan
from playground.compare.prompts import Prompt, all_prompts
from playground.engines.pool import EnginePool
from playground.engines.protocol import Counted
from playground.models import hardware
from playground.models.files import ModelFile
from playground.models.quants import QUANTIZE_TYPES
from playground.ui.services import MemoryReading, OnProgress, Run


class AppServices:
    """What ``playground.ui.services.Services`` asks for, on a pool of engines."""

    def __init__(self, pool: EnginePool) -> None:
        self.pool = pool

    def local_models(self) -> list[ModelFile]:
        """Return the models on this disk. Blocking."""
        from playground.models.library import local_models

        return local_models()

    def prompts(self) -> tuple[Prompt, ...]:
        """Return the built-in prompts."""
        return all_prompts()

    async def prepare(self, ref: str, progress: OnProgress) -> ModelFile:
        """Return the model for a reference."""
        from playground.compare.prepare import prepare

        return await prepare(ref, progress)

    async def make_copy(self, source: ModelFile, quant: str, progress: OnProgress) -> ModelFile:
        """Make a smaller copy in the app's data folder."""
        from playground.compare.prepare import make_copy

        return await make_copy(source, quant, None, progress)

    def run(self, lanes: Sequence[Lane], wanted: WantedPlan) -> Run:
        """Begin a comparison."""
        from playground.compare.run import Comparison

        return Comparison(lanes, wanted, self.pool)

    async def count(self, lane: Lane) -> Counted | None:
        """Return how many tokens a lane's prompt would have."""
        from playground.compare.count import count

        return await count(self.pool, lane)

    async def devices(self) -> str:
        """Return in words on which devices models can be put."""
        from playground.compare.gpu_advice import devices_words

        return devices_words(await self.pool.known_devices(), hardware.gpus())

    def sentence(self, results: Sequence[LaneResult]) -> str:
        """Return what can be said about two results."""
        from playground.compare.verdict import sentence

        return sentence(results)

    def memory(self) -> MemoryReading:
        """Return the machine's memory now."""
        total, available = hardware.total_memory_bytes(), hardware.available_memory_bytes()
        ours = 0
        for pid in self.pool.pids():
            with contextlib.suppress(psutil.Error):
                ours += psutil.Process(pid).memory_info().rss
        loaded = len(self.pool.loaded())
        return MemoryReading(total, max(total - available, ours), ours, loaded, self.pool.budget.cores)

    def quant_types(self) -> tuple[str, ...]:
        """Return the types that smaller copies can have."""
        return QUANTIZE_TYPES
