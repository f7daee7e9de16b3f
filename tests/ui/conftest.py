"""One event loop for all window tests.

A loop that has ended is garbage with running Qt timers: a thread that happens to collect it makes Qt complain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from playground.ui import theme

Runner = Callable[[Coroutine[Any, Any, None], float], None]


@pytest.fixture(scope="session")
def _loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    from playground.ui.loop import Loop

    qapp.setQuitOnLastWindowClosed(False)
    theme.load_fonts()
    loop = Loop(qapp)
    yield loop
    loop.close()


@pytest.fixture
def run(_loop: asyncio.AbstractEventLoop) -> Iterator[Runner]:
    """Run a coroutine in the loop of Qt and asyncio, for at most so many seconds."""
    asyncio.set_event_loop(_loop)
    yield lambda work, most_s: _loop.run_until_complete(asyncio.wait_for(work, most_s))
    asyncio.set_event_loop(None)
