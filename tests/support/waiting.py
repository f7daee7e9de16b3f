"""Waits for a view-model to come to a state."""

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
