"""How the lanes of a run share the machine: together, or one after the other, and why. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.compare.events import Plan, WantedPlan
from playground.models.pair_fit import MARGIN_BYTES


def make_plan(
    slots: Sequence[str],
    wanted: WantedPlan,
    *,
    needs_bytes: Mapping[str, int],
    loaded: Sequence[str],
    available_bytes: int,
    cores: int,
    crowded: Sequence[str] = (),
) -> Plan:
    """Return the plan for lanes in the order given.

    ``needs_bytes``: the memory of each lane that is not loaded yet; ``available_bytes``: what is free now. ``crowded``:
    lanes that a device would hold altogether, but not beside the others: side by side they would be several times
    slower. In turn, the loaded lanes go first, so that nothing is loaded twice.
    """
    in_turn = tuple(sorted(slots, key=lambda slot: slot not in loaded))
    if len(slots) == 1:
        return Plan("single", tuple(slots), "One model answers alone.")
    needed = sum(needs_bytes.get(slot, 0) for slot in slots)
    fits = needed + (MARGIN_BYTES if needed else 0) <= available_bytes
    keeps = fits and not crowded
    slow = f"{' and '.join(crowded)} would lie partly on the CPU, several times slower."
    if len(slots) > cores:
        reason = (
            f"One after the other: {len(slots)} models cannot share {cores} physical core{'s' * (cores > 1)}."
        )
        return Plan("sequential", in_turn, reason, wanted == "sequential", keeps_loaded=keeps)
    if wanted == "sequential":
        reason = "One after the other, as you chose: each model has the whole machine, so speeds are its own."
        return Plan("sequential", in_turn, reason, forced=True, keeps_loaded=keeps)
    if wanted == "together":
        reason = "Together, as you chose: the models share the cores, so speeds are marked shared."
        if not fits:
            reason += f" They need about {_gb(needed)} and {_gb(available_bytes)} is free."
        if crowded:
            reason += f" Alone {' and '.join(crowded)} would lie on the devices altogether, and be faster."
        return Plan("together", tuple(slots), reason, forced=True)
    if fits and crowded:
        return Plan("sequential", in_turn, f"One after the other: side by side, {slow}", keeps_loaded=False)
    if fits:
        return Plan(
            "together", tuple(slots), "Together: all models fit in memory; their speeds are marked shared."
        )
    reason = f"One after the other: together they need about {_gb(needed)} more memory, and {_gb(available_bytes)} is free."
    return Plan("sequential", in_turn, reason, keeps_loaded=False)


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
