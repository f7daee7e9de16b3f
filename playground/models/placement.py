"""Which layers of a model go to which device. Pure functions over the header and the devices' free memory.

A layer goes where its weights and its part of the cache fit, with a compute buffer and a margin kept free on each
device. Layers are taken from the end, as llama.cpp does, so that the output layer goes first.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from playground.models.fit import LayerNeed, estimate, layer_needs
from playground.models.gguf import GgufHeader

_MARGIN = 20  # one part in twenty of what is free stays free


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """A device's name and what it has left, bytes."""

    name: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. ``layers`` and ``cpu_experts`` None: as many, or as few, as the memory allows."""

    n_ctx: int
    kv_type: str = "f16"
    sequences: int = 1
    layers: int | None = None
    cpu_experts: int | None = None
    split: tuple[float, ...] = ()
    kv_offload: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """Layers on devices: how many of the last ones (the output layer included), how many on each device, in order.

    ``cpu_expert_layers``: layers, from the first on, whose experts stay on the CPU. ``needs_bytes``: estimated bytes
    of each device; ``host_bytes``: what stays in the machine's memory and is not mapped from the file.
    """

    layers: int
    devices: tuple[str, ...]
    counts: tuple[int, ...]
    cpu_expert_layers: int
    needs_bytes: tuple[int, ...]
    host_bytes: int


def place(header: GgufHeader, devices: Sequence[DeviceMemory], wanted: Wanted) -> Placed:
    """Return the placement that puts as much on the devices as fits.

    A model that fits one device goes to the one with the most free memory; a larger one is spread, in the order
    given. The experts of a mixture stay on the CPU, of as few layers as need be, before a whole layer does.
    """
    plan = _Plan(header, wanted)
    if wanted.layers == 0 or not devices:
        return plan.placed(0, 0, ())
    if wanted.layers is not None:
        return plan.forced(min(wanted.layers, plan.count), devices)
    roomiest = max(devices, key=lambda device: device.free_bytes)
    for choice in ((roomiest,), tuple(devices)):
        if wanted.split and len(choice) != len(devices):
            continue
        for experts in plan.expert_choices():
            counts = plan.counts(plan.count, experts, choice)
            if counts is not None:
                return plan.placed(plan.count, experts, choice, counts)
    return plan.most_layers(tuple(devices))


class _Plan:
    """The needs of one model, and whether a number of layers fits."""

    def __init__(self, header: GgufHeader, wanted: Wanted) -> None:
        self._wanted = wanted
        sizes = {"n_ctx": wanted.n_ctx, "kv_type": wanted.kv_type, "sequences": wanted.sequences}
        self._layers = layer_needs(header, **sizes)  # type: ignore[arg-type]
        self._whole = estimate(header, **sizes)  # type: ignore[arg-type]
        self.count = len(self._layers)
        self._has_experts = any(layer.experts_bytes for layer in self._layers)

    def expert_choices(self) -> Sequence[int]:
        """Return how many layers' experts could stay on the CPU, fewest first."""
        if self._wanted.cpu_experts is not None:
            return (min(self._wanted.cpu_experts, self.count - 1),)
        return range(self.count) if self._has_experts else (0,)

    def counts(self, layers: int, experts: int, devices: Sequence[DeviceMemory]) -> tuple[int, ...] | None:
        """Return how many of the last ``layers`` go to each device, None when they do not fit."""
        if self._wanted.split:
            shared = _shared(layers, self._wanted.split[: len(devices)])
            needs = self._needs(layers, experts, shared)
            fits = all(
                need <= self._room(device) for need, device in zip(needs, devices, strict=True) if need
            )
            return shared if fits else None
        return self._filled(layers, experts, devices)

    def most_layers(self, devices: tuple[DeviceMemory, ...]) -> Placed:
        """Return the placement with the most layers that fit."""
        experts = self.expert_choices()[-1]
        for layers in range(self.count, 0, -1):
            counts = self.counts(layers, experts, devices)
            if counts is not None:
                return self.placed(layers, experts, devices, counts)
        return self.placed(0, 0, ())

    def forced(self, layers: int, devices: Sequence[DeviceMemory]) -> Placed:
        """Return the placement of a number of layers that was asked for, whether it fits or not."""
        experts = self._wanted.cpu_experts or 0
        free = tuple(float(max(device.free_bytes, 1)) for device in devices)
        counts = self.counts(layers, experts, devices) or _shared(layers, self._wanted.split or free)
        return self.placed(layers, experts, devices, counts)

    def placed(
        self, layers: int, experts: int, devices: Sequence[DeviceMemory], counts: tuple[int, ...] = ()
    ) -> Placed:
        """Return a placement with its needs; devices without a layer are left out."""
        used = [(device.name, count) for device, count in zip(devices, counts, strict=True) if count]
        names, numbers = tuple(name for name, _ in used), tuple(count for _, count in used)
        needs = tuple(need + self._whole.compute_bytes for need in self._needs(layers, experts, numbers))
        on_devices = sum(layer.cache_bytes for layer in self._layers[self.count - layers :])
        kept = 0 if self._wanted.kv_offload else on_devices
        host = self._whole.private_bytes - on_devices + kept
        return Placed(layers if used else 0, names, numbers, experts if used else 0, needs, host)

    def _filled(self, layers: int, experts: int, devices: Sequence[DeviceMemory]) -> tuple[int, ...] | None:
        counts = [0] * len(devices)
        place, left = 0, self._room(devices[0])
        for index in range(self.count - layers, self.count):
            need = self._need(index, experts)
            while need > left:
                place += 1
                if place == len(devices):
                    return None
                left = self._room(devices[place])
            left -= need
            counts[place] += 1
        return tuple(counts)

    def _needs(self, layers: int, experts: int, counts: Sequence[int]) -> tuple[int, ...]:
        index = self.count - layers
        needs = []
        for count in counts:
            needs.append(sum(self._need(layer, experts) for layer in range(index, index + count)))
            index += count
        return tuple(needs)

    def _need(self, index: int, experts: int) -> int:
        layer: LayerNeed = self._layers[index]
        cache = layer.cache_bytes if self._wanted.kv_offload else 0
        return layer.weights_bytes - (layer.experts_bytes if index < experts else 0) + cache

    def _room(self, device: DeviceMemory) -> int:
        return device.free_bytes - device.free_bytes // _MARGIN - self._whole.compute_bytes


def fewer(placed: Placed, header_layers: int) -> tuple[int, int] | None:
    """Return (layers, layers whose experts stay on the CPU) for another try after an allocation failed; None: no more.

    Experts give way first, a quarter of the layers at a time; then whole layers do.
    """
    if not placed.layers:
        return None
    if 0 < placed.cpu_expert_layers < header_layers:
        more = placed.cpu_expert_layers + max(1, header_layers // 4)
        return placed.layers, min(header_layers, more)
    return placed.layers * 3 // 4, placed.cpu_expert_layers


def _shared(layers: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Return the layers of each device in proportion to its share; the sum is exact."""
    total = sum(shares) or 1.0
    edges, upto = [0], 0.0
    for share in shares:
        upto += share
        edges.append(round(layers * upto / total))
    edges[-1] = layers
    return tuple(after - before for before, after in itertools.pairwise(edges))
