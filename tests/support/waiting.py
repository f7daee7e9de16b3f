"""Waits for a view-model to come to a state, or for anything else to come true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playground.ui.compare_state import CompareState
from playground.ui.compare_vm import CompareVm


async def until(vm: CompareVm, condition: Callable[[CompareState], bool]) -> None:
    """Return when a state of the view-model fulfils a condition. No time limit of its own."""
    reached = asyncio.Event()

    def look() -> None:
        if condition(vm.state):
            reached.set()

    connection = vm.changed.connect(look)
    try:
        look()
        await reached.wait()
    finally:
        vm.changed.disconnect(connection)


async def come_true(condition: Callable[[], bool], most_s: float | None = None) -> None:
    """Return when a condition holds. Raises TimeoutError after ``most_s``; None: the test's runner has a limit."""
    async with asyncio.timeout(most_s):
        while not condition():  # noqa: ASYNC110 -- a window, or several view-models, have no one event to wait on
            await asyncio.sleep(0.01)
