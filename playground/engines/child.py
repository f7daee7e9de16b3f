"""The operating system's side of a worker: start it, read its lines, keep the end of its stderr, end it.

Owns the process and its pipes. Must not know what the lines mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from playground import logs
from playground.errors import EngineError, ErrorKind

GRACE_S = 2.0  # between two steps of ending a process
_STDERR_TAIL_BYTES = 8 << 10
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
ENDS = (signal.SIGTERM, _KILL)  # in the order in which they are tried

_log = logs.get("engines")
_native_log = logs.get("native")


def worker_command() -> list[str]:
    """Return the command line of a worker."""
    return [sys.executable, "-P", "-m", "playground", "engine-worker"]


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: this package importable, OpenMP threads that do not spin for long.

    llama.cpp prints a stack trace by a debugger before it aborts; that takes seconds and hides the cause.
    """
    package_folder = str(Path(__file__).resolve().parents[2])
    known = [package_folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "GOMP_SPINCOUNT": "1000",
        "GGML_NO_BACKTRACE": "1",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(known),
    }


class Child:
    """One process with three pipes. ``limit_bytes`` is the longest line that it may send."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], limit_bytes: int) -> None:
        self._command, self._environment, self._limit_bytes = list(command), dict(environment), limit_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._stderr = bytearray()
        self._stderr_task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Return whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Return the process id, None before the start."""
        return self._process.pid if self._process else None

    @property
    def stderr_tail(self) -> str:
        """Return the last 8 KiB that the process wrote to stderr."""
        return bytes(self._stderr).decode("utf-8", "replace")

    def successor(self) -> Child:
        """Return a process of the same kind that is not started yet."""
        return Child(self._command, self._environment, self._limit_bytes)

    async def start(self) -> None:
        """Start the process. A caller that is cancelled meanwhile still has it, to be ended. Raises EngineError."""
        creating = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                limit=self._limit_bytes,
                start_new_session=True,
            )
        )
        try:
            self._process = await asyncio.shield(creating)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                self._process = await creating
            raise
        except OSError as error:
            raise EngineError(
                ErrorKind.CRASHED, f"The engine process cannot be started: {error.strerror}."
            ) from error
        self._stderr_task = asyncio.create_task(self._collect_stderr())

    async def read_line(self) -> bytes:
        """Return the next line of stdout, empty at its end. Raises ValueError for one that is too long."""
        assert self._process is not None
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    def write(self, data: bytes) -> None:
        """Queue bytes for stdin; nothing when it is closed."""
        stdin = self._process.stdin if self._process else None
        if stdin is not None and not stdin.is_closing():
            stdin.write(data)

    async def drain(self) -> None:
        """Wait until stdin has room again."""
        stdin = self._process.stdin if self._process else None
        if stdin is not None:
            with contextlib.suppress(ConnectionError):
                await stdin.drain()

    async def exit_status(self) -> tuple[int, bool]:
        """Return the exit status of a process whose stdout has ended; True: it lived on and was killed."""
        assert self._process is not None
        is_killed = False
        try:
            async with asyncio.timeout(GRACE_S):
                status = await self._process.wait()
        except TimeoutError:
            is_killed = True
            self.kill()
            status = await self._process.wait()
        if self._stderr_task is not None:
            await asyncio.wait({self._stderr_task}, timeout=GRACE_S)
        _log.info("engine process %s ended with status %s", self.pid, status)
        return status, is_killed

    def signal(self, number: int) -> None:
        """Send a signal to the process, unless it has ended.

        Not through asyncio, which looks first whether the process has ended: when it has just done so, that takes the
        exit status away from asyncio's own watcher, which then reports 255.
        """
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End the process at once, without waiting for it."""
        self.signal(_KILL)

    async def end(self, *, at_once: bool) -> None:
        """End the process and wait: at once, or in order (close its stdin, wait, terminate, kill)."""
        process = self._process
        if process is not None and process.returncode is None:
            if at_once:
                self.kill()
            else:
                await self._end_in_order(process)
            await process.wait()
        if self._stderr_task is not None:
            self._stderr_task.cancel()
            await asyncio.gather(self._stderr_task, return_exceptions=True)

    async def _end_in_order(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        for number in ENDS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
                return
            self.signal(number)

    async def _collect_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(1 << 16):
            self._stderr += data
            del self._stderr[:-_STDERR_TAIL_BYTES]
            _native_log.info("%s", data[:_STDERR_TAIL_BYTES].decode("utf-8", "replace").rstrip())
