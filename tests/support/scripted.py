"""Scripted services behind the Compare screen: models, runs whose events the test writes, a memory reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from playground.compare.events import (
    Lane,
    LaneDone,
    LaneError,
    LaneLoaded,
    LaneResult,
    LaneText,
    Plan,
    Planned,
    RunEvent,
    WantedPlan,
)
from playground.compare.prompts import Prompt
from playground.engines.protocol import Counted, LoadedModel, MemoryUse, StopReason, Timings, Usage
from playground.models.files import ModelFile
from playground.ui.services import MemoryReading, OnProgress

Script = Callable[[Lane], Sequence[RunEvent]]
REASON = "Together: all models fit in memory; their speeds are marked shared."


def model(
    name: str = "Tiny", quant: str = "Q4_K_M", n_ctx_train: int = 32_768, *, base: bool = False
) -> ModelFile:
    """Return a model file that is nowhere on the disk."""
    path = f"/models/{name}-{quant}.gguf"
    return ModelFile(path, path, name, 1_500_000_000, "llama", quant, 10, n_ctx_train, is_base=base)


def result(
    lane: Lane,
    text: str = "Yes.",
    *,
    error: LaneError | None = None,
    stop: StopReason = "end",
    prompt_tokens: int = 9,
    warnings: tuple[str, ...] = (),
    shared: bool = False,
) -> LaneResult:
    """Return how a lane ended."""
    return LaneResult(
        lane.slot,
        lane.model,
        "" if error else text,
        "",
        "error" if error else stop,
        error,
        Usage(prompt_tokens, 0, 3),
        Timings(first_token_s=0.2, decode_tokens_per_s=20.0),
        MemoryUse(resident_bytes=397_000_000),
        lane.load,
        lane.answer,
        1,
        shared=shared,
        warnings=warnings,
    )


def answers(lane: Lane) -> Sequence[RunEvent]:
    """Script: the model is loaded and answers."""
    n_ctx = lane.load.n_ctx or min(lane.model.n_ctx_train, 8192)
    loaded = LoadedModel(n_ctx, lane.model.n_ctx_train, 1, 0, is_base=False, thinks=False, description="tiny")
    return (
        LaneLoaded(lane.slot, loaded, MemoryUse()),
        LaneText(lane.slot, "Yes.", "", 3, 0.1),
        LaneDone(lane.slot, result(lane)),
    )


def fails(kind: str, message: str, hint: str = "", *, fitting_tokens: int | None = None) -> Script:
    """Return a script: the lane fails in this way."""
    error = LaneError(kind, message, hint, fitting_tokens=fitting_tokens)
    return lambda lane: (LaneDone(lane.slot, result(lane, error=error)),)


class ScriptedRun:
    """Plays each lane's script, lane after lane."""

    def __init__(self, lanes: Sequence[Lane], scripts: dict[str, Script]) -> None:
        self._lanes, self._scripts = lanes, scripts
        self.stopped: list[str | None] = []

    async def events(self) -> AsyncIterator[RunEvent]:
        """Yield the plan and the scripts' events."""
        yield Planned(Plan("together", tuple(lane.slot for lane in self._lanes), REASON))
        for lane in self._lanes:
            for event in self._scripts.get(lane.slot, answers)(lane):
                await asyncio.sleep(0)
                yield event

    def stop(self, slot: str | None = None) -> None:
        """Remember what was to be stopped."""
        self.stopped.append(slot)


class ScriptedServices:
    """``scripts`` says by slot what its next runs do; ``asked`` keeps the lanes of every run."""

    def __init__(self, models: Sequence[ModelFile] = (), **scripts: Script) -> None:
        self.models = list(models)
        self.scripts = scripts
        self.asked: list[tuple[Lane, ...]] = []
        self.copies: list[tuple[str, str]] = []
        self.hold: asyncio.Event | None = None  # set: preparing a model and counting tokens wait for it
        self.sizes: dict[str, tuple[int, int]] = {}  # tokens and context by slot: what counting finds
        self.counted: list[Lane] = []

    def local_models(self) -> list[ModelFile]:
        """Return the models."""
        return self.models

    def prompts(self) -> Sequence[Prompt]:
        """Return no prompts."""
        return ()

    async def prepare(self, ref: str, progress: OnProgress) -> ModelFile:
        """Return the model with this reference."""
        progress("Preparing", 0.5)
        if self.hold is not None:
            await self.hold.wait()
        return next((m for m in self.models if m.ref == ref), model())

    async def make_copy(self, source: ModelFile, quant: str, progress: OnProgress) -> ModelFile:
        """Return the copy, which is in the list from now on."""
        progress(f"Making {quant}", 0.5)
        self.copies.append((source.ref, quant))
        copy = msgspec.structs.replace(source, quant=quant, path=f"{source.path}.{quant}")
        self.models.append(copy)
        return copy

    def run(self, lanes: Sequence[Lane], wanted: WantedPlan) -> ScriptedRun:  # noqa: ARG002 -- the protocol's
        """Begin a scripted run."""
        self.asked.append(tuple(lanes))
        return ScriptedRun(lanes, self.scripts)

    async def count(self, lane: Lane) -> Counted | None:
        """Return the size that was set for the lane."""
        self.counted.append(lane)
        if self.hold is not None:
            await self.hold.wait()
        size = self.sizes.get(lane.slot)
        return Counted(0, *size) if size else None

    def sentence(self, results: Sequence[LaneResult]) -> str:
        """Return a sentence about two results."""
        return f"{len(results)} results" if len(results) == 2 else ""

    async def devices(self) -> str:
        """Return one made-up device."""
        return "GPU0: a scripted device, 7.5 of 8.0 GB free."

    def memory(self) -> MemoryReading:
        """Return a machine with one engine."""
        return MemoryReading(16_000_000_000, 8_000_000_000, 1_000_000_000, 1, 4)

    def quant_types(self) -> Sequence[str]:
        """Return two types."""
        return ("Q2_K", "Q8_0")
