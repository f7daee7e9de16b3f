"""The sandboxes of this machine, by backend: each must work where the tests run."""

from __future__ import annotations

import asyncio
from functools import cache

from playground.bench.sandbox import Backend, Sandbox, interpreter
from playground.bench.sandbox.probe import try_backend

BACKENDS = ("bubblewrap", "landlock")


@cache
def sandbox_of(backend: str) -> Sandbox:
    """Return the sandbox with this backend; its absence is a failure."""
    found = asyncio.run(try_backend(Backend(backend), interpreter.pythons()))
    assert isinstance(found, Sandbox), f"the tests need {backend}: {found}"
    return found
