"""How the lanes of a run share the machine: one after the other, unless a person wants otherwise. Reads headers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from playground.bench.record import LaneInfo
from playground.chat.messages import Conversation
from playground.compare.events import Lane, Plan
from playground.compare.needs import held_on_devices, lane_needs
from playground.compare.plan import make_plan
from playground.engines.pool import EnginePool
from playground.models import hardware

_FAIR = "One after the other: each model has the whole machine, so times and speeds are its own."


def make_run_plan(lanes: Sequence[LaneInfo], wanted: str, pool: EnginePool, slots: Sequence[str]) -> Plan:
    """Return the plan for the lanes ``slots``, which still have something to answer. Blocking."""
    asked = [
        Lane(lane.slot, lane.model, Conversation(), lane.load, lane.answer)
        for lane in lanes
        if lane.slot in slots
    ]
    if not asked:
        return Plan("single", (), "Everything is answered: only tests are run.")
    held = held_on_devices(
        known.memory for known in pool.loaded().values()
    )  # those are loaded anew, or counted
    free = {device.name: device.free_bytes + held.get(device.name, 0) for device in pool.devices}
    devices = [msgspec.structs.replace(device, free_bytes=free[device.name]) for device in pool.devices]
    needs = lane_needs(asked, devices)
    plan = make_plan(
        [lane.slot for lane in asked],
        "together" if wanted == "together" else "sequential",
        needs_bytes=needs.host_bytes,
        loaded=(),
        available_bytes=hardware.available_memory_bytes(),
        cores=pool.budget.cores,
        crowded=needs.crowded,
    )
    if wanted == "auto" and plan.mode == "sequential":
        return msgspec.structs.replace(plan, reason=_FAIR, forced=False)
    return plan
