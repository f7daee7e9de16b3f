"""How many tokens a lane's prompt would have, asked of its loaded engine before anything is sent."""

from __future__ import annotations

from playground.compare.events import Lane
from playground.compare.run import cleaned
from playground.engines.pool import EnginePool
from playground.engines.protocol import Counted
from playground.errors import EngineError


async def count(pool: EnginePool, lane: Lane) -> Counted | None:
    """Return the tokens and the context; None where no engine is loaded for this lane, or it cannot tell."""
    engine = pool.ready(lane.slot, lane.model.path, lane.load)
    if engine is None:
        return None
    try:
        return await engine.count_tokens(cleaned(lane).conversation.messages(), lane.answer)
    except EngineError:
        return None  # the run says why
