"""Why a program ended by itself: read from its exit status and from the end of what it printed."""

from __future__ import annotations

import signal

from playground.bench.sandbox.values import Stop
from playground.bench.task import Limits

_V8_IS_FULL = ("heap out of memory", "Zone Allocation failed", "Fatal process out of memory")
_WALLS_FAILED = 97
_SIGNALS = 128  # a shell's, and bubblewrap's, way to say by which signal a program died


def why_it_ended(status: int, log: str, limits: Limits) -> tuple[Stop, str]:
    """Return the kind and a sentence."""
    number = -status if status < 0 else status - _SIGNALS
    memory = f"{limits.memory_bytes >> 20} MiB"
    if any(words in log for words in _V8_IS_FULL):
        return Stop.MEMORY, f"It needed more than {memory} of memory."
    if status == _WALLS_FAILED:
        return Stop.PROTOCOL, "The sandbox could not put up its walls."
    try:
        name = signal.Signals(number).name
    except ValueError:
        return Stop.ENDED, f"It ended by itself, with exit status {status}, before it gave its results."
    if name == "SIGXCPU":
        return Stop.CPU, f"It used more than {limits.cpu_s} s of processor time."
    if name == "SIGXFSZ":
        return Stop.DISK, f"It wrote a file of more than {limits.file_bytes >> 20} MiB."
    if name == "SIGKILL":
        return (
            Stop.CPU,
            f"It was killed: after {limits.cpu_s} s of processor time, for want of memory, or by itself.",
        )
    return Stop.ENDED, f"It crashed ({name})."
