"""Brings a lane's model into memory: where its layers go, and what is given up when an allocation fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from playground.chat.options import MTP, LoadOptions
from playground.compare.events import Lane
from playground.compare.memory import context_needs, shortage
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.engines.protocol import Device, Loaded, Placement, rpc_endpoints
from playground.errors import EngineError, ErrorKind
from playground.models import hardware, measured
from playground.models.fit import estimate
from playground.models.gguf import GgufHeader, read_whole_header
from playground.models.placement import DeviceMemory, Placed, Wanted, fewer, place

_SMALLEST_CONTEXT = 1024
_SMALLER_TYPES = {"f16": "q8_0", "q8_0": "q4_0"}
_AT_MOST = 1 << 20  # layers: "all"
OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt. ``devices`` is the memory that is counted on, ``notes`` say what was given up so far."""

    wanted: Wanted
    devices: tuple[DeviceMemory, ...]
    placed: Placed
    notes: tuple[str, ...] = ()


async def load(pool: EnginePool, lane: Lane, threads: int, on_progress: OnProgress) -> EngineProcess:
    """Load a lane's model into its slot. Raises ModelError for a bad file, EngineError for all else."""
    header = await asyncio.to_thread(read_whole_header, Path(lane.model.path))

    async def work(engine: EngineProcess) -> None:
        async with _placing(pool, engine, lane) as devices:
            attempt = await asyncio.to_thread(_first, header, lane, devices)
            await _load(engine, lane, header, attempt, threads, on_progress)

    engine = await pool.load(lane.slot, lane.model.path, lane.load, work)
    is_alone = lane.load.draft in ("", MTP)  # another model's memory cannot be told apart
    if engine.loaded is not None and is_alone:
        engine.estimated_bytes = await asyncio.to_thread(_keep_figures, lane, header, engine.loaded)
    return engine


def _keep_figures(lane: Lane, header: GgufHeader, loaded: Loaded) -> int:
    """Keep what a model took beside the estimate, and return that, bytes."""
    placement = loaded.model.placement or Placement(loaded.model.n_ctx)
    context = context_needs(lane, loaded.model.n_ctx, placement.kv_type)
    memory = loaded.memory
    estimated_bytes = estimate(header, context).total_bytes
    measured.record(
        measured.Measured(
            model=measured.identity(lane.model),
            name=lane.model.name,
            setup=measured.Setup(
                n_ctx=loaded.model.n_ctx,
                kv_type=context.kv_type,
                sequences=context.sequences,
                gpu_layers=placement.gpu_layers,
                cpu_expert_layers=placement.cpu_expert_layers,
                devices=placement.devices,
            ),
            estimated_bytes=estimated_bytes,
            weights_bytes=memory.weights_bytes,
            kv_bytes=memory.kv_bytes,
            compute_bytes=memory.compute_bytes,
            resident_bytes=memory.resident_bytes,
        )
    )
    return estimated_bytes


def chosen(devices: tuple[Device, ...], options: LoadOptions) -> tuple[DeviceMemory, ...]:
    """Return the devices to offload to: those asked for, else the GPUs, else what is built into the processor.

    Raises EngineError for one that is not there, and for a split that does not match them.
    """
    known = {device.name: device for device in devices}
    for name in options.devices:
        if name not in known:
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"There is no device {name}.",
                hint=f"There are: {', '.join(known)}. playground doctor lists them.",
            )
    kinds = {kind: [d.name for d in devices if d.kind == kind] for kind in ("gpu", "integrated")}
    names = list(dict.fromkeys(options.devices)) or kinds["gpu"] or kinds["integrated"]
    found = [known[name] for name in names if known[name].kind != "cpu"]
    if options.split_mode == "none" and found:
        found = [_main(found, options.main_gpu)]
    elif found and options.tensor_split and (shares := len(options.tensor_split)) != len(found):
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"The tensor split has {shares} share{'s' * (shares > 1)} for the devices "
            f"{', '.join(device.name for device in found)}.",
            hint="Give one share for each device, in their order.",
        )
    return tuple(DeviceMemory(device.name, _free_bytes(device)) for device in found)


def _main(devices: list[Device], index: int) -> Device:
    if index >= len(devices):
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"There is no main device {index}.",
            hint=f"There are {len(devices)}, counted from 0: {', '.join(d.name for d in devices)}.",
        )
    return devices[index]


def _free_bytes(device: Device) -> int:
    """Return what a device has left; one that reports no memory at all shares the machine's."""
    return device.free_bytes if device.total_bytes else hardware.available_memory_bytes()


def wanted(lane: Lane) -> Wanted:
    """Return what a lane asks of the placement."""
    options = lane.load
    words: dict[str, int | None] = {"auto": None, "none": 0, "all": _AT_MOST}
    layers, experts = options.gpu_layers, options.cpu_experts
    return Wanted(
        context=context_needs(lane),
        layers=layers if isinstance(layers, int) else words[layers],
        cpu_experts=experts if isinstance(experts, int) else words[experts],
        split=options.tensor_split if options.split_mode != "none" else (),
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
        described = await engine.describe(rpc_endpoints(lane.load.devices))
        pool.devices = described.devices
        devices = chosen(described.devices, lane.load)
        if devices:
            yield devices
            return
    yield ()


def _first(header: GgufHeader, lane: Lane, devices: tuple[DeviceMemory, ...]) -> _Try:
    """Return the first attempt. Raises EngineError for one that would end in the machine's memory running out."""
    asked, kept_bytes = wanted(lane), _draft_bytes(lane)
    devices = tuple(DeviceMemory(d.name, max(0, d.free_bytes - kept_bytes)) for d in devices)
    notes: tuple[str, ...] = ()
    if asked.layers and not devices:
        notes = ("The model runs on the CPU: there is no device for its layers.",)
    attempt = _Try(asked, devices, place(header, devices, asked), notes)
    while (error := shortage(lane, header, attempt.wanted.context, attempt.placed)) is not None:
        lesser = _smaller_cache(header, lane, attempt)
        if lesser is None:
            raise error
        attempt = lesser
    return attempt


def _draft_bytes(lane: Lane) -> int:
    """Return what the model that drafts needs. It is placed as the other one is, so it may lie on any device."""
    if lane.load.draft in ("", MTP):
        return 0
    header = read_whole_header(Path(lane.load.draft))
    return estimate(header, replace(context_needs(lane), draft_tokens=0)).total_bytes


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
    placed, context = attempt.placed, attempt.wanted.context
    return Placement(
        n_ctx=context.n_ctx,
        kv_type=context.kv_type,
        gpu_layers=placed.layers,
        devices=placed.devices,
        tensor_split=tuple(float(count) for count in placed.counts),
        cpu_expert_layers=placed.cpu_expert_layers,
    )


def _lesser(header: GgufHeader, lane: Lane, attempt: _Try) -> _Try | None:
    """Return the next attempt after one that found no memory: fewer layers, then less context, then a smaller cache.

    Only what was left to the app is given up.
    """
    step = fewer(header, attempt.devices, attempt.wanted, attempt.placed)
    if step is None:
        return _smaller_cache(header, lane, attempt)
    devices, placed = step
    return replace(attempt, devices=devices, placed=placed, notes=(_layers_note(placed, header),))


def _smaller_cache(header: GgufHeader, lane: Lane, attempt: _Try) -> _Try | None:
    options, context = lane.load, attempt.wanted.context
    if options.n_ctx is None and context.n_ctx > _SMALLEST_CONTEXT:
        n_ctx = max(_SMALLEST_CONTEXT, context.n_ctx // 2)
        note = f"The context was made smaller, {n_ctx:,} tokens: a larger one did not fit in memory."
        context = replace(context, n_ctx=n_ctx)
    elif options.kv_type == "auto" and options.flash_attention != "off" and context.kv_type in _SMALLER_TYPES:
        kv_type = _SMALLER_TYPES[context.kv_type]
        note = f"The cache is kept as {kv_type}: a larger type did not fit in memory."
        context = replace(context, kv_type=kv_type)
    else:
        return None
    asked = replace(attempt.wanted, context=context)
    kept = tuple(text for text in attempt.notes if text.split()[:2] != note.split()[:2])
    return _Try(asked, attempt.devices, place(header, attempt.devices, asked), (*kept, note))


def _layers_note(placed: Placed, header: GgufHeader) -> str:
    mtp_layers = header.number("nextn_predict_layers")
    total = header.number("block_count") - mtp_layers + 1
    if not placed.layers:
        return "The model runs on the CPU: no layer fitted onto the devices."
    experts = f", experts of {placed.cpu_expert_layers} on the CPU" if placed.cpu_expert_layers else ""
    layers = max(1, placed.layers - mtp_layers)  # those that predict further tokens are not counted
    return f"{layers} of {total} layers are on the devices{experts}: more did not fit in their memory."
