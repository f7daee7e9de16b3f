"""Runs comparisons as the front ends do and returns what became of each lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane, LaneDone, LaneResult, RunEvent, WantedPlan
from playground.compare.run import Comparison
from playground.engines.pool import EnginePool
from playground.engines.protocol import DeviceUse
from playground.models.library import describe

SHORT = AnswerOptions(Sampling(temperature=0.0), max_tokens=8)


def lane(
    path: Path, load: LoadOptions, slot: str = "A", answer: AnswerOptions = SHORT, text: str = "Hello there"
) -> Lane:
    """Return a lane that asks one question of a model."""
    return Lane(slot, describe(path), Conversation().with_user(text), load, answer)


async def results(
    lanes: Sequence[Lane],
    plan: WantedPlan = "auto",
    on_event: Callable[[RunEvent], None] = lambda _event: None,
) -> dict[str, LaneResult]:
    """Return the results of a run by slot; ``on_event`` hears what happens meanwhile."""
    pool = EnginePool(len(lanes))
    found = {}
    try:
        async for event in Comparison(lanes, plan, pool).events():
            on_event(event)
            if isinstance(event, LaneDone):
                found[event.slot] = event.result
    finally:
        await pool.close()
    return found


def uses(result: LaneResult) -> dict[str, DeviceUse]:
    """Return what a lane's model holds, by device."""
    return {use.device: use for use in result.memory.devices}
