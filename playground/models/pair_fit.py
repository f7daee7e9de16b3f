"""Whether a model fits a machine, and whether two do: together, in turn, one of them, neither. Pure functions.

What is needed is reckoned in ``fit`` (llama.cpp's own buffers, formulas there), what goes on a GPU in ``placement``.
The rest has to be free in the machine's own memory: mapped weights, too, because a model that is read from its file
again for each token is of no use. ``MARGIN_BYTES`` of the machine's memory, and a twentieth of each GPU's, stay free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from playground.models.fit import ContextNeeds, MemoryEstimate, estimate
from playground.models.fitness import Fit, How, Machine, PairFit, Verdict
from playground.models.gguf import GgufHeader
from playground.models.placement import DeviceMemory, Placed, Wanted, place
from playground.models.shape import shape_of
from playground.models.weights import weighed

MARGIN_BYTES = 512 << 20  # for the window, and for what the estimate misses
_CELL_STEP = 256
_MOST_CONTEXT = 1 << 24  # tokens; more is only claimed
_TIGHT = 10  # less than one part in ten is left
_NOWHERE = Placed(0, (), (), 0, (), 0, 0)  # no layer on a device


class Sized(Protocol):
    """Anything that has a size: a quantization of a repository, or of the catalog."""

    @property
    def size_bytes(self) -> int:
        """Return the size of all its files."""


_Quant = TypeVar("_Quant", bound=Sized)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One side of a pair: its name in sentences, its header and the size of its files."""

    name: str
    header: GgufHeader
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Way:
    """How a model would lie. ``is_whole``: where it is quick; ``host_bytes``: of the machine's own memory."""

    placed: Placed
    memory: MemoryEstimate
    free_bytes: int
    host_bytes: int
    is_whole: bool
    fits: bool


def fit(header: GgufHeader, size_bytes: int, n_ctx: int, machine: Machine, kv_type: str = "f16") -> Fit:
    """Return how a model fits. A header without tensors (remote, catalog) takes its weights from ``size_bytes``.

    More memory never makes the verdict worse, and a larger context never makes the need smaller.
    """
    table = weighed(header, size_bytes)
    needs = _needs(n_ctx, kv_type)
    way = _way(table, needs, machine)
    shape = shape_of(table)
    return Fit(
        verdict=_verdict(way),
        memory=way.memory,
        free_bytes=way.free_bytes,
        gpu_layers=max(1, way.placed.layers - shape.mtp_layers) if way.placed.layers else 0,
        layers=shape.layers + 1,
        cpu_expert_layers=way.placed.cpu_expert_layers,
        largest_context=_largest_context(table, needs, machine, is_whole=way.fits and way.is_whole),
    )


def fit_pair(
    compact: Candidate,
    larger: Candidate,
    n_ctx: int,
    machine: Machine,
    kv_type: str = "f16",
    *,
    alone: tuple[Fit, Fit] | None = None,
) -> PairFit:
    """Return how two models fit, each for itself and both. ``alone``: the former, where it is known already.

    They fit together only when none lies worse for it: a model that a GPU could hold alone does not share it at the
    price of layers on the CPU.
    """
    one, other = alone or tuple(
        fit(model.header, model.size_bytes, n_ctx, machine, kv_type) for model in (compact, larger)
    )
    runs = (one.verdict != "too_big", other.verdict != "too_big")
    if all(runs):
        fits = _fits_beside(compact, larger, other, n_ctx, machine, kv_type)
        how: How = "together" if fits else "in_turn"
    else:
        how = "only_compact" if runs[0] else "only_larger" if runs[1] else "neither"
    return PairFit(how, one, other, _reason(how, (compact.name, one), (larger.name, other)))


def best_quant(
    header: GgufHeader, quants: Iterable[_Quant], n_ctx: int, machine: Machine, kv_type: str = "f16"
) -> tuple[_Quant, Fit] | None:
    """Return the largest quantization of a model that fits, None when none does.

    One that lies on the GPU altogether goes before a larger one that does not.
    """
    bare = replace(header, tensors=())
    fitting = [(quant, fit(bare, quant.size_bytes, n_ctx, machine, kv_type)) for quant in quants]
    running = [item for item in fitting if item[1].verdict != "too_big"]
    quick = [item for item in running if item[1].verdict != "partly"]
    return max(quick or running, key=lambda item: item[0].size_bytes, default=None)


def _needs(n_ctx: int, kv_type: str) -> ContextNeeds:
    return ContextNeeds(n_ctx, "f16" if kv_type == "auto" else kv_type)


def _way(header: GgufHeader, needs: ContextNeeds, machine: Machine) -> _Way:
    whole = estimate(header, needs)
    if not machine.devices:
        total = whole.total_bytes
        return _Way(_NOWHERE, whole, machine.free_bytes, total, True, _has_room(total, machine))
    placed = place(header, machine.devices, Wanted(needs))
    shape = shape_of(header)
    is_whole = placed.layers == shape.all_layers + 1 and not placed.cpu_expert_layers
    host = max(0, whole.weights_bytes - placed.weights_bytes) + placed.host_bytes
    own = whole.total_bytes if machine.is_unified else host
    fits = _has_room(own, machine)
    on_devices = sum(device.free_bytes for device in machine.devices)
    if is_whole and fits:
        free = min(on_devices, machine.free_bytes) if machine.is_unified else on_devices
        return _Way(placed, _on_devices(whole, placed), free, own, True, True)
    free = machine.free_bytes + (0 if machine.is_unified else on_devices)
    return _Way(placed, whole, free, own, False, fits)


def _has_room(need_bytes: int, machine: Machine) -> bool:
    return need_bytes + MARGIN_BYTES <= machine.free_bytes


def _on_devices(whole: MemoryEstimate, placed: Placed) -> MemoryEstimate:
    """Return what lies on the devices: each has buffers of its own, and the embedding stays in the machine's memory."""
    buffers = sum(placed.needs_bytes) - placed.weights_bytes - whole.kv_bytes - whole.recurrent_bytes
    return replace(whole, weights_bytes=placed.weights_bytes, compute_bytes=buffers)


def _verdict(way: _Way) -> Verdict:
    if not way.fits:
        return "too_big"
    if not way.is_whole:
        return "partly"
    spare = way.free_bytes - way.memory.total_bytes
    return "tight" if spare * _TIGHT < way.free_bytes else "well"


def _largest_context(header: GgufHeader, needs: ContextNeeds, machine: Machine, *, is_whole: bool) -> int:
    """Return the largest context that fits as well as this, tokens in steps of 256; 0 when none does."""
    trained = min(header.number("context_length", 8192), _MOST_CONTEXT)
    low, high = 0, max(_CELL_STEP, trained) // _CELL_STEP
    while low < high:
        middle = (low + high + 1) // 2
        way = _way(header, replace(needs, n_ctx=middle * _CELL_STEP), machine)
        fits = way.fits and (way.is_whole or not is_whole)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * _CELL_STEP


def _fits_beside(
    loaded: Candidate, model: Candidate, alone: Fit, n_ctx: int, machine: Machine, kv_type: str
) -> bool:
    """Return whether a model lies as well beside another as alone. They are loaded in this order by the app, too."""
    needs = _needs(n_ctx, kv_type)
    left = _without(machine, _way(weighed(loaded.header, loaded.size_bytes), needs, machine))
    way = _way(weighed(model.header, model.size_bytes), needs, left)
    return way.fits and (way.is_whole or alone.verdict == "partly")


def _without(machine: Machine, way: _Way) -> Machine:
    """Return what is left of a machine when a model is loaded."""
    taken = dict(zip(way.placed.devices, way.placed.needs_bytes, strict=True))
    devices = tuple(
        DeviceMemory(d.name, max(0, d.free_bytes - taken.get(d.name, 0))) for d in machine.devices
    )
    return replace(machine, free_bytes=max(0, machine.free_bytes - way.host_bytes), devices=devices)


def _reason(how: How, compact: tuple[str, Fit], larger: tuple[str, Fit]) -> str:
    sentence = _how_sentence(how, compact, larger)
    slow = [name for name, found in (compact, larger) if found.verdict == "partly"]
    if not slow:
        return sentence
    return f"{sentence} {' and '.join(slow)} would lie partly on the CPU, several times slower."


def _how_sentence(how: How, compact: tuple[str, Fit], larger: tuple[str, Fit]) -> str:
    needs = [found.memory.total_bytes for _, found in (compact, larger)]
    free = max(found.free_bytes for _, found in (compact, larger))
    if how == "together":
        return f"Together: both need {_gb(sum(needs))}, and {_gb(free)} is free."
    if how == "in_turn":
        if sum(needs) <= free:
            return (
                f"One after the other: side by side, {_gb(sum(needs))} of {_gb(free)} leaves too little room."
            )
        return f"One after the other: together they need {_gb(sum(needs))}, and {_gb(free)} is free."
    if how == "only_compact":
        return f"Only the compact one: {_too_big(*larger)}"
    if how == "only_larger":
        return f"Only the larger one: {_too_big(*compact)}"
    return f"Neither: {_too_big(*compact)} {_too_big(*larger)}"


def _too_big(name: str, found: Fit) -> str:
    smaller = (
        f", with at most {found.largest_context:,} tokens of context it would fit"
        if found.largest_context
        else ""
    )
    return f"{name} needs {_gb(found.memory.total_bytes)}, and {_gb(found.free_bytes)} is free{smaller}."


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
