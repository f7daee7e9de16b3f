"""Whether a model, or a pair, fits a machine: the values. How they are reckoned is in ``fit`` and ``pair_fit``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.models.fit import MemoryEstimate
from playground.models.placement import DeviceMemory

Verdict = Literal["well", "tight", "partly", "too_big"]
How = Literal["together", "in_turn", "only_compact", "only_larger", "neither"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory that can be counted on, bytes; stands for this machine or, by numbers that were typed in, for another.

    ``free_bytes``: the machine's own memory, without what others hold. ``devices``: GPUs with what they have left.
    ``is_unified``: the devices have no memory of their own, they share the machine's.
    """

    total_bytes: int
    free_bytes: int
    devices: tuple[DeviceMemory, ...] = ()
    device_total_bytes: int = 0
    device_name: str = ""
    is_unified: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model fits. ``memory``: the whole need; ``free_bytes``: what it is held against.

    Without a GPU that is the machine's memory; for a model that lies on GPUs altogether, theirs, and ``memory`` is what
    it needs there; else both.

    ``well``: with room to spare; ``tight``: it fits with less than a tenth left; ``partly``: with a GPU, some layers
    stay on the CPU, several times slower; ``too_big``: it cannot be run. ``layers`` counts the output layer.
    ``largest_context``: tokens that fit in the same way (of one that is too big: that could be run), 0 for none.
    """

    verdict: Verdict
    memory: MemoryEstimate
    free_bytes: int
    gpu_layers: int
    layers: int
    cpu_expert_layers: int
    largest_context: int

    @property
    def spare_bytes(self) -> int:
        """Return what is left, negative when it does not fit."""
        return self.free_bytes - self.memory.total_bytes


@dataclass(frozen=True, slots=True)
class PairFit:
    """How two models fit: each for itself, and both. ``reason`` is a sentence for a person."""

    how: How
    compact: Fit
    larger: Fit
    reason: str
