"""Which layers of a model go to which device. Pure functions over the header and the devices' free memory.

A layer goes where its weights and its part of the cache fit, with a compute buffer and a margin kept free on each
device. Layers are taken from the end, as llama.cpp does, so that the output layer goes first.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.models.fit import ContextNeeds, LayerNeed, estimate, layer_needs
from playground.models.gguf import GgufHeader

_MARGIN = 20  # one part in twenty of what is free stays free


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """A device's name and what it has left, bytes."""

    name: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. ``layers`` and ``cpu_experts`` None: as many, or as few, as the memory allows.

    ``split``: each device's share of the layers; empty or all nothing: as they fit.
    """

    context: ContextNeeds
    layers: int | None = None
    cpu_experts: int | None = None
    split: tuple[float, ...] = ()
    kv_offload: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """Layers on devices: how many of the last ones (the output layer included), how many on each device, in order.

    ``cpu_expert_layers``: layers, from the first on, whose experts stay on the CPU. ``needs_bytes``: estimated bytes
    of each device, ``weights_bytes`` those of the weights on all of them; ``host_bytes``: what stays in the machine's
    memory and is not mapped from the file.
    """

    layers: int
    devices: tuple[str, ...]
    counts: tuple[int, ...]
    cpu_expert_layers: int
    needs_bytes: tuple[int, ...]
    weights_bytes: int
    host_bytes: int


def place(header: GgufHeader, devices: Sequence[DeviceMemory], wanted: Wanted) -> Placed:
    """Return the placement that puts as much on the devices as fits.

    A model that fits one device goes to the one with the most free memory; a larger one is spread, in the order
    given. The experts of a mixture stay on the CPU, of as few layers as need be, before a whole layer does. A number
    of layers that was asked for is kept, whether it fits or not.
    """
    plan = _Plan(header, wanted)
    if wanted.layers == 0 or not devices:
        return plan.placed(0, 0, ())
    layers = plan.count if wanted.layers is None else min(wanted.layers, plan.count)
    found = plan.whole(layers, devices)
    if found is not None:
        return found
    return plan.most_layers(devices) if wanted.layers is None else plan.forced(layers, devices)


def fewer(
    header: GgufHeader, devices: Sequence[DeviceMemory], wanted: Wanted, placed: Placed
) -> tuple[tuple[DeviceMemory, ...], Placed] | None:
    """Return what to try after an allocation failed: the memory to count on now, and a smaller placement; None: nothing.

    What a device was to hold was too much, so three quarters of that are counted on. Where the number of layers was
    asked for, only the experts of further layers can stay on the CPU.
    """
    left, asked = tuple(devices), (placed.devices, placed.counts, placed.cpu_expert_layers)
    smaller = placed
    while smaller.layers:
        needs = dict(zip(smaller.devices, smaller.needs_bytes, strict=True))
        left = tuple(
            DeviceMemory(d.name, min(d.free_bytes, needs.get(d.name, d.free_bytes) * 3 // 4)) for d in left
        )
        smaller = place(header, left, wanted)
        if wanted.layers is not None:
            return (left, smaller) if smaller.cpu_expert_layers > placed.cpu_expert_layers else None
        if (smaller.devices, smaller.counts, smaller.cpu_expert_layers) != asked:
            return left, smaller
    return None


class _Plan:
    """The needs of one model, and whether a number of layers fits."""

    def __init__(self, header: GgufHeader, wanted: Wanted) -> None:
        self._wanted = wanted if any(wanted.split) else replace(wanted, split=())
        self._layers = layer_needs(header, wanted.context)
        self._whole = estimate(header, wanted.context)
        self.count = len(self._layers)
        self._has_experts = any(layer.experts_bytes for layer in self._layers)

    def whole(self, layers: int, devices: Sequence[DeviceMemory]) -> Placed | None:
        """Return the placement of the last ``layers`` with the fewest experts on the CPU, None when none fits."""
        roomiest = max(devices, key=lambda device: device.free_bytes)
        choices = (tuple(devices),) if self._wanted.split else ((roomiest,), tuple(devices))
        experts = self._expert_choices()
        index = bisect.bisect_left(
            experts[:-1], True, key=lambda number: self._first_fit(layers, number, choices) is not None
        )  # the more experts stay behind, the sooner it fits
        return self._first_fit(layers, experts[index], choices)

    def _first_fit(
        self, layers: int, experts: int, choices: Sequence[Sequence[DeviceMemory]]
    ) -> Placed | None:
        for choice in choices:
            counts = self._counts(layers, experts, choice)
            if counts is not None:
                return self.placed(layers, experts, choice, counts)
        return None

    def most_layers(self, devices: Sequence[DeviceMemory]) -> Placed:
        """Return the placement with the most layers that fit."""
        experts = self._expert_choices()[-1]
        numbers = range(self.count, 0, -1)
        first = 0
        if not self._wanted.split:  # shares are rounded, so fewer layers need not fit where more do
            first = bisect.bisect_left(
                numbers, True, key=lambda number: self._counts(number, experts, devices) is not None
            )
        for layers in numbers[first:]:
            counts = self._counts(layers, experts, devices)
            if counts is not None:
                return self.placed(layers, experts, devices, counts)
        return self.placed(0, 0, ())

    def forced(self, layers: int, devices: Sequence[DeviceMemory]) -> Placed:
        """Return the placement of layers that were asked for and do not fit by the estimate."""
        free = tuple(float(max(device.free_bytes, 1)) for device in devices)
        counts = _shared(layers, self._split(devices) or free)
        return self.placed(layers, self._expert_choices()[-1], devices, counts)

    def placed(
        self, layers: int, experts: int, devices: Sequence[DeviceMemory], counts: tuple[int, ...] = ()
    ) -> Placed:
        """Return a placement with its needs; devices without a layer are left out."""
        used = [(device.name, count) for device, count in zip(devices, counts, strict=True) if count]
        names, numbers = tuple(name for name, _ in used), tuple(count for _, count in used)
        needs = tuple(need + self._whole.compute_bytes for need in self._needs(layers, experts, numbers))
        there = range(self.count - layers, self.count)
        caches = sum(self._layers[index].cache_bytes for index in there) if self._wanted.kv_offload else 0
        weights = sum(self._need(index, experts) for index in there) - caches
        host = self._whole.private_bytes - caches
        return Placed(layers, names, numbers, experts if layers else 0, needs, weights, host)

    def _expert_choices(self) -> Sequence[int]:
        """Return how many layers' experts could stay on the CPU, fewest first."""
        if not self._has_experts:
            return (0,)
        if self._wanted.cpu_experts is not None:
            return (min(self._wanted.cpu_experts, self.count - 1),)
        return range(self.count)

    def _counts(self, layers: int, experts: int, devices: Sequence[DeviceMemory]) -> tuple[int, ...] | None:
        """Return how many of the last ``layers`` go to each device, None when they do not fit."""
        if not self._wanted.split:
            return self._filled(layers, experts, devices)
        shared = _shared(layers, self._split(devices))
        needs = self._needs(layers, experts, shared)
        fits = all(
            need <= self._room(device)
            for need, count, device in zip(needs, shared, devices, strict=True)
            if count
        )
        return shared if fits else None

    def _split(self, devices: Sequence[DeviceMemory]) -> tuple[float, ...]:
        """Return the share of each device, as asked for; a share that is missing is nothing."""
        split = self._wanted.split
        return (split + (0.0,) * len(devices))[: len(devices)] if split else ()

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


def _shared(layers: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Return the layers of each device in proportion to its share; the sum is exact."""
    total = sum(shares) or 1.0
    edges, upto = [0], 0.0
    for share in shares:
        upto += share
        edges.append(round(layers * upto / total))
    edges[-1] = layers
    return tuple(after - before for before, after in itertools.pairwise(edges))
