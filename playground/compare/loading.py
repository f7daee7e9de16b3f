"""Brings a lane's model into memory: where its layers go, and what is given up when an allocation fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from playground.chat.options import LoadOptions
from playground.compare.events import Lane
from playground.compare.memory import context_tokens, refuse_what_cannot_fit
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.engines.protocol import Device, Placement
from playground.errors import EngineError, ErrorKind
from playground.models.gguf import GgufHeader, read_header
from playground.models.placement import DeviceMemory, Placed, Wanted, fewer, place

_SMALLEST_CONTEXT = 1024
_SMALLER_TYPES = {"f16": "q8_0", "q8_0": "q4_0"}
OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt. ``notes`` say what was given up so far."""

    placed: Placed
    n_ctx: int
    kv_type: str
    notes: tuple[str, ...] = ()


async def load(pool: EnginePool, lane: Lane, threads: int, on_progress: OnProgress) -> EngineProcess:
    """Load a lane's model into its slot. Raises ModelError for a bad file, EngineError for all else."""
    header = await asyncio.to_thread(read_header, Path(lane.model.path))

    async def work(engine: EngineProcess) -> None:
        async with _placing(pool, engine, lane) as devices:
            attempt = _first(header, lane, devices)
            await asyncio.to_thread(refuse_what_cannot_fit, lane, header, attempt.placed)
            await _load(engine, lane, header, attempt, threads, on_progress)

    return await pool.load(lane.slot, lane.model.path, lane.load, work)


def chosen(devices: tuple[Device, ...], options: LoadOptions) -> tuple[DeviceMemory, ...]:
    """Return the devices to offload to. Raises EngineError for one that is not there."""
    known = {device.name: device for device in devices}
    for name in options.devices:
        if name not in known:
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"There is no device {name}.",
                hint=f"There are: {', '.join(known)}. playground doctor lists them.",
            )
    names = options.devices or tuple(d.name for d in devices if d.kind in ("gpu", "integrated"))
    return tuple(DeviceMemory(name, known[name].free_bytes) for name in names)


def endpoints(options: LoadOptions) -> tuple[str, ...]:
    """Return the addresses of the RPC servers among a lane's devices."""
    remote = (name.removeprefix("rpc://").partition("#")[0] for name in options.devices if "://" in name)
    return tuple(dict.fromkeys(remote))


def wanted(lane: Lane) -> Wanted:
    """Return what a lane asks of the placement."""
    options = lane.load
    words: dict[str, int | None] = {"auto": None, "none": 0, "all": 1 << 20}
    layers, experts = options.gpu_layers, options.cpu_experts
    return Wanted(
        n_ctx=context_tokens(lane),
        kv_type="f16" if options.kv_type == "auto" else options.kv_type,
        sequences=options.sequences,
        layers=layers if isinstance(layers, int) else words[layers],
        cpu_experts=experts if isinstance(experts, int) else words[experts],
        split=options.tensor_split,
        kv_offload=options.kv_offload,
    )


@contextlib.asynccontextmanager
async def _placing(
    pool: EnginePool, engine: EngineProcess, lane: Lane
) -> AsyncIterator[tuple[DeviceMemory, ...]]:
    """Give the devices and what they have left; nobody else loads onto them meanwhile."""
    if lane.load.gpu_layers in ("none", 0):
        yield ()
        return
    async with pool.placing:
        described = await engine.describe(endpoints(lane.load))
        pool.devices = described.devices
        devices = chosen(described.devices, lane.load)
        if devices:
            yield devices
            return
    yield ()


def _first(header: GgufHeader, lane: Lane, devices: tuple[DeviceMemory, ...]) -> _Try:
    asked = wanted(lane)
    return _Try(place(header, devices, asked), asked.n_ctx, asked.kv_type)


async def _load(
    engine: EngineProcess,
    lane: Lane,
    header: GgufHeader,
    attempt: _Try,
    threads: int,
    on_progress: OnProgress,
) -> None:
    while True:
        placement = _placement(attempt)
        try:
            loaded = await engine.load(Path(lane.model.path), lane.load, threads, on_progress, placement)
        except EngineError as error:
            lesser = _lesser(header, lane, attempt) if error.kind is ErrorKind.OUT_OF_MEMORY else None
            if lesser is None:
                raise
            if not engine.is_alive:  # llama.cpp aborts where small allocations fail
                await engine.restart()
            attempt = lesser
            continue
        engine.loaded = msgspec.structs.replace(loaded, warnings=(*loaded.warnings, *attempt.notes))
        return


def _placement(attempt: _Try) -> Placement:
    placed = attempt.placed
    return Placement(
        n_ctx=attempt.n_ctx,
        kv_type=attempt.kv_type,
        gpu_layers=placed.layers,
        devices=placed.devices,
        tensor_split=tuple(float(count) for count in placed.counts),
        cpu_expert_layers=placed.cpu_expert_layers,
    )


def _lesser(header: GgufHeader, lane: Lane, attempt: _Try) -> _Try | None:
    """Return the next attempt after one that found no memory: fewer layers, then less context, then a smaller cache.

    Only what was left to the app is given up.
    """
    options, notes = lane.load, attempt.notes
    step = fewer(attempt.placed, header.number("block_count")) if options.gpu_layers == "auto" else None
    if step is not None:
        placed = _with(header, lane, attempt, *step)
        return replace(attempt, placed=placed, notes=(_layers_note(placed, header),))
    if options.n_ctx is None and attempt.n_ctx > _SMALLEST_CONTEXT:
        n_ctx = max(_SMALLEST_CONTEXT, attempt.n_ctx // 2)
        note = f"The context was made smaller, {n_ctx:,} tokens: a larger one did not fit in memory."
        kept = tuple(text for text in notes if not text.startswith("The context"))
        return replace(attempt, n_ctx=n_ctx, notes=(*kept, note))
    if options.kv_type == "auto" and attempt.kv_type in _SMALLER_TYPES:
        kv_type = _SMALLER_TYPES[attempt.kv_type]
        note = f"The cache is kept as {kv_type}: a larger type did not fit in memory."
        kept = tuple(text for text in notes if not text.startswith("The cache"))
        return replace(attempt, kv_type=kv_type, notes=(*kept, note))
    return None


def _with(header: GgufHeader, lane: Lane, attempt: _Try, layers: int, experts: int) -> Placed:
    """Return the placement with this many layers on the same devices."""
    shares = [DeviceMemory(name, 1) for name in attempt.placed.devices]
    asked = replace(
        wanted(lane),
        n_ctx=attempt.n_ctx,
        kv_type=attempt.kv_type,
        layers=layers,
        cpu_experts=experts,
        split=tuple(float(count) for count in attempt.placed.counts),
    )
    return place(header, shares, asked)


def _layers_note(placed: Placed, header: GgufHeader) -> str:
    total = header.number("block_count") + 1
    if not placed.layers:
        return "The model runs on the CPU: no layer fitted onto the devices."
    experts = f", experts of {placed.cpu_expert_layers} on the CPU" if placed.cpu_expert_layers else ""
    return f"{placed.layers} of {total} layers are on the devices{experts}: more did not fit in their memory."
