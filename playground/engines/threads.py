"""Hands out the physical cores to the engines that answer at the same time.

More threads than cores cost three to five times the speed, so the sum over all answering engines never exceeds
the cores: an engine joins only after the others have given theirs up, and waits when every core is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class ThreadUser(Protocol):
    """What a budget needs of an engine."""

    async def set_threads(self, threads: int) -> None:
        """Use this many threads; return once that is in force."""


@dataclass(eq=False, slots=True)
class Lease:
    """The threads of one answering engine. ``shared``: at some time another engine answered, too."""

    engine: ThreadUser
    limit: int | None
    threads: int = 0
    shared: bool = False
    ended: bool = field(default=False)


def shares(cores: int, limits: Sequence[int | None]) -> list[int]:
    """Return the threads for each user: equal parts, none above its limit, the sum at most ``cores``.

    Raises ValueError when there are more users than cores.
    """
    if len(limits) > cores:
        raise ValueError(f"{len(limits)} users for {cores} cores")
    result = [1] * len(limits)
    left = cores - len(limits)
    while left:
        open_users = [i for i, limit in enumerate(limits) if limit is None or result[i] < limit]
        if not open_users:
            break
        poorest = min(open_users, key=lambda i: result[i])
        result[poorest] += 1
        left -= 1
    return result


class ThreadBudget:
    """The cores of this machine and who uses them."""

    def __init__(self, cores: int) -> None:
        self.cores = max(1, cores)
        self._leases: list[Lease] = []
        self._changed = asyncio.Condition()

    @property
    def threads_in_use(self) -> int:
        """Return the sum of all leases."""
        return sum(lease.threads for lease in self._leases)

    async def join(self, users: Sequence[tuple[ThreadUser, int | None]]) -> list[Lease]:
        """Take threads for engines that start to answer together; waits while there are too few cores.

        Raises ValueError when they could never fit.
        """
        if len(users) > self.cores:
            raise ValueError(f"{len(users)} engines cannot share {self.cores} cores")
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._leases) + len(users) <= self.cores)
            new = [Lease(engine, limit) for engine, limit in users]
            before = list(self._leases)
            self._leases.extend(new)
            try:
                await self._divide(before)
            except BaseException:
                self._leases = [lease for lease in self._leases if lease not in new]
                raise
            return new

    async def leave(self, lease: Lease) -> None:
        """Give threads back; the others get them from their next token on."""
        if lease.ended:
            return
        lease.ended = True
        async with self._changed:
            self._leases.remove(lease)
            await self._divide(self._leases)
            self._changed.notify_all()

    async def _divide(self, running: Sequence[Lease]) -> None:
        parts = shares(self.cores, [lease.limit for lease in self._leases])
        changes = []
        for lease, threads in zip(self._leases, parts, strict=True):
            lease.shared = lease.shared or len(self._leases) > 1
            if lease in running and lease.threads != threads:
                changes.append(lease.engine.set_threads(threads))
            lease.threads = threads
        if changes:
            await asyncio.gather(*changes)
