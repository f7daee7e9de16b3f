"""The cores are shared out, never exceeded."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from playground.engines.threads import ThreadBudget, shares

_LIMITS = st.lists(st.one_of(st.none(), st.integers(1, 8)), min_size=1, max_size=8)


@given(st.integers(1, 32), _LIMITS)
def test_shares_never_exceed_the_cores_or_a_limit(cores: int, limits: list[int | None]) -> None:
    limits = limits[:cores]
    parts = shares(cores, limits)
    assert sum(parts) <= cores
    assert all(part >= 1 for part in parts)
    assert all(limit is None or part <= limit for part, limit in zip(parts, limits, strict=True))
    if all(limit is None for limit in limits):
        assert sum(parts) == cores


class _Engine:
    def __init__(self) -> None:
        self.threads: list[int] = []

    async def set_threads(self, threads: int) -> None:
        await asyncio.sleep(0)
        self.threads.append(threads)


def test_an_engine_that_joins_takes_threads_from_the_others_first() -> None:
    async def scenario() -> None:
        budget, first, second = ThreadBudget(4), _Engine(), _Engine()
        (a,) = await budget.join([(first, None)])
        assert a.threads == 4
        assert not a.shared
        (b,) = await budget.join([(second, None)])
        assert (a.threads, b.threads) == (2, 2)
        assert first.threads == [2]
        assert a.shared
        assert b.shared
        await budget.leave(a)
        assert b.threads == 4
        assert second.threads == [4]
        await budget.leave(b)
        assert budget.threads_in_use == 0

    asyncio.run(scenario())
