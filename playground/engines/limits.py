"""Bounds on time and memory for code that comes with a file or from a person, in the process that runs it.

Python code is interrupted between two of its steps. A single step that takes for ever (a power of huge numbers, the
text of a list that holds itself a million times) cannot be: then the whole process ends, with a line on stderr that
begins with ``HARD_STOP``. Knows neither templates nor grammars.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import faulthandler
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

MEMORY_LIMIT_BYTES = 512 << 20
HARD_STOP = "Timeout ("  # faulthandler's words
_HARD_STOP_FACTOR = 3
_AGAIN_S = 0.2  # the interrupted code may have swallowed the exception


class TimeUpError(Exception):
    """Thrown into the thread whose time is over."""


@contextlib.contextmanager
def limited(time_s: float, memory_bytes: int = MEMORY_LIMIT_BYTES) -> Iterator[None]:
    """Run a block for at most ``time_s``, with ``memory_bytes`` above what the process has (Linux).

    Raises TimeUpError or MemoryError inside the block.
    """
    thread, done, lock = threading.get_ident(), threading.Event(), threading.Lock()
    thrown = threading.Event()

    def interrupt() -> None:
        wait_s = time_s
        while not done.wait(wait_s):
            wait_s = _AGAIN_S
            with lock:
                if not done.is_set():
                    thrown.set()
                    _throw(thread)

    # Not threading.Thread, whose start waits for ever for a thread that found no memory to begin with.
    _thread.start_new_thread(interrupt, ())
    restore = _limit_memory(memory_bytes)
    try:
        with watched(time_s * _HARD_STOP_FACTOR):
            try:
                try:
                    yield
                finally:
                    done.set()
            finally:  # the exception may come as late as above, so once more
                done.set()
                with lock:  # one that is being thrown is on its way then
                    pass
                if thrown.is_set():
                    _catch(thread)
    finally:
        restore()


@contextlib.contextmanager
def watched(time_s: float) -> Iterator[None]:
    """Run a block, native code too; the process ends when it takes longer than ``time_s``. Costs 0.1 ms."""
    faulthandler.dump_traceback_later(time_s, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _throw(thread: int) -> None:
    """Raise the exception in another thread, between two of its steps."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUpError))


def _catch(thread: int) -> None:
    """Have what may still be on its way to this thread arrive here.

    It is not taken back: that would leave the interpreter looking for it ever after, at each call and jump, and Python
    3.11 would never come out of the first function that is traced.
    """
    try:
        _throw(thread)  # in place of one that is on its way
        while True:
            pass
    except TimeUpError:
        return


def _limit_memory(memory_bytes: int) -> Callable[[], None]:
    """Bound the process's private memory and return what undoes it; only Linux counts it in a useful way."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([_data_bytes() + memory_bytes, *known]), hard))
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
