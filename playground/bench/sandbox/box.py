"""One process in a sandbox: starts it, passes messages, watches what it uses, ends it with all that it started.

Owns the process, its pipes, its scratch folder. Knows neither tasks nor what the messages mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from time import monotonic
from typing import Any

from playground.bench.sandbox import answers, launch, tree
from playground.bench.sandbox.ending import why_it_ended
from playground.bench.sandbox.values import Backend, Sandbox, Stop, StoppedError
from playground.bench.task import Limits

LARGEST_ANSWER_BYTES = 4 << 20
LOG_BYTES = 8 << 10
_LOOK_S = 0.02
_GRACE_S = 0.5
_DISK_BYTES = 64 << 20
_LOOKS_A_COUNT = 3  # counting files costs more than the rest of a look
_SPARE_BYTES = 64 << 20  # the resident memory of several processes counts shared pages more than once
_SPARE_THREADS = 64
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@contextlib.asynccontextmanager
async def opened(*boxes: Box) -> AsyncIterator[None]:
    """Start boxes, all at the same time; go on once their walls are up; end them and all that they started afterwards.

    Raises StoppedError when one does not come that far.
    """
    starts = [asyncio.ensure_future(box.start()) for box in boxes]
    try:
        await asyncio.gather(*starts)
        yield
    finally:
        await _surely(_ended(boxes, starts))


async def _ended(boxes: Sequence[Box], starts: Sequence[asyncio.Task[None]]) -> None:
    for box in boxes:
        box.kill()  # before anything that can be interrupted
    for start in starts:
        if not start.cancelling():  # a second time would interrupt its own cleaning up
            start.cancel()
    await asyncio.gather(*starts, return_exceptions=True)
    await asyncio.gather(*(box.end() for box in boxes))


async def _surely(work: Coroutine[None, None, None]) -> None:
    """Do some bounded work to its end, however often it is cancelled; only then pass the cancellation on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


class Box:
    """A running job. Every wait raises StoppedError when there will be no answer."""

    def __init__(self, sandbox: Sandbox, job: launch.Job, limits: Limits) -> None:
        self._sandbox, self._job, self._limits = sandbox, job, limits
        self._deadline = monotonic() + limits.time_s
        self._process: asyncio.subprocess.Process | None = None
        self._launch: launch.Launch | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped: StoppedError | None = None
        self._log, self._log_bytes = bytearray(), 0
        self._is_inside = False  # before that its /tmp is still the host's
        self._looks, self.peak_bytes = 0, 0

    @property
    def log(self) -> str:
        """Return the beginning of what the program printed."""
        return bytes(self._log).decode("utf-8", "replace")

    async def start(self) -> None:
        """Start the process, hand it its job, wait for its walls."""
        self._launch = launch.prepare(self._sandbox, self._job)
        process = await self._created(self._launch)
        self._tasks = [asyncio.create_task(self._collect_log(process)), asyncio.create_task(self._watch())]
        self._write(
            process, launch.first_line(self._sandbox, self._job, self._limits, self._launch, process.pid)
        )
        if "ready" not in await self.receive():
            raise self._stop(Stop.PROTOCOL, "The sandbox did not start.")
        self._is_inside = True

    async def _created(self, start: launch.Launch) -> asyncio.subprocess.Process:
        user = self._sandbox.user
        as_user: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        creating = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *start.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=start.environment,
                cwd=start.folder,
                pass_fds=start.fds,
                limit=LARGEST_ANSWER_BYTES,
                start_new_session=True,
                **as_user,
            )
        )
        try:
            self._process = await asyncio.shield(creating)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                self._process = await creating
            raise
        except OSError as error:
            raise self._stop(Stop.ENDED, f"The sandbox cannot be started: {error.strerror}.") from error
        finally:
            for fd in start.fds:
                os.close(fd)
        return self._process

    def send(self, message: Mapping[str, object]) -> None:
        """Queue a message."""
        if self._process is not None:
            self._write(self._process, json.dumps(message).encode() + b"\n")

    async def ask(self, message: Mapping[str, object], *, call_s: float | None = None) -> dict[str, Any]:
        """Send a message under a fresh random id and return the answer that carries it.

        ``call_s``: the time for this one, by default that of one call.
        """
        key = secrets.token_hex(8)
        self.send({**message, "id": key})
        return await self.answer(key, call_s=self._limits.call_s if call_s is None else call_s)

    async def answer(self, key: str, *, call_s: float) -> dict[str, Any]:
        """Return the next message if it carries this id."""
        found = await self.receive(call_s=call_s)
        if found.pop("id", None) != key:
            raise self._stop(Stop.PROTOCOL, "The program wrote into the channel of its own results.")
        return found

    async def receive(self, *, call_s: float = 1e9) -> dict[str, Any]:
        """Return the next message, a JSON object."""
        line = await self._line(min(call_s, self._deadline - monotonic()))
        try:
            return answers.message(line)
        except ValueError:
            text = "The program wrote something else than results into their channel."
            raise self._stop(Stop.PROTOCOL, text) from None

    async def _line(self, patience_s: float) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(max(patience_s, 0)):
                line = await process.stdout.readuntil(b"\n")
        except TimeoutError:
            raise self._stop(Stop.TIME, f"It took longer than {self._allowed(patience_s)}.") from None
        except asyncio.LimitOverrunError:
            size = f"{LARGEST_ANSWER_BYTES >> 20} MiB"
            raise self._stop(Stop.ANSWER, f"Its answer is larger than {size}.") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._ended(process) from None
        if self._stopped is not None:
            raise self._stopped
        return line

    def _allowed(self, patience_s: float) -> str:
        is_call = patience_s >= self._limits.call_s - 1e-3
        return f"{self._limits.call_s:g} s for one call" if is_call else f"{self._limits.time_s:g} s"

    async def _ended(self, process: asyncio.subprocess.Process) -> StoppedError:
        if self._stopped is not None:
            return self._stopped
        try:
            async with asyncio.timeout(_GRACE_S):
                status = await process.wait()
        except TimeoutError:
            return self._stop(Stop.PROTOCOL, "The program closed the channel of its results.")
        await asyncio.wait(self._tasks[:1], timeout=_GRACE_S)
        stopped = self._stop(*why_it_ended(status, self.log, self._limits))
        stopped.detail = self.log
        return stopped

    def _stop(self, kind: Stop, text: str) -> StoppedError:
        """Note why it is over, unless that is known, and kill it."""
        if self._stopped is None:
            self._stopped = StoppedError(kind, text)
        self.kill()
        return self._stopped

    def _write(self, process: asyncio.subprocess.Process, data: bytes) -> None:
        if process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(data)

    async def _collect_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while data := await process.stderr.read(1 << 16):
            self._log += data[: LOG_BYTES - len(self._log)]
            self._log_bytes += len(data)
            if self._log_bytes > self._limits.output_bytes:
                self._stop(Stop.OUTPUT, f"It printed more than {self._limits.output_bytes >> 10} KiB.")

    async def _watch(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(_LOOK_S)

    def _look(self) -> None:
        process = self._process
        if process is None or process.returncode is not None or not tree.IS_KNOWN:
            return
        found = tree.look(process.pid)
        self.peak_bytes = max(self.peak_bytes, found.resident_bytes)
        limits = self._limits
        if found.resident_bytes > limits.memory_bytes + _SPARE_BYTES:
            self._stop(Stop.MEMORY, f"It used more than {limits.memory_bytes >> 20} MiB of memory.")
        elif found.threads > limits.processes + self._job.spare_threads + _SPARE_THREADS:
            self._stop(Stop.PROCESSES, f"It started more than {limits.processes} processes or threads.")
        elif self._holds_too_much(found):
            self._stop(Stop.DISK, f"It wrote more than {_DISK_BYTES >> 20} MiB or {tree.MOST_FILES:,} files.")

    def _holds_too_much(self, found: tree.Tree) -> bool:
        assert self._launch is not None
        self._looks += 1
        if self._looks % _LOOKS_A_COUNT:
            return False
        if self._launch.scratch:
            size_bytes, count = tree.folder(self._launch.scratch)
        elif self._is_inside and len(found.pids) > 1:
            size_bytes, count = tree.mounted(f"/proc/{found.pids[1]}/root/tmp")
        else:
            return False
        return size_bytes > _DISK_BYTES or count >= tree.MOST_FILES

    def kill(self) -> None:
        """End the process and all that it started, at once, without waiting for it."""
        process = self._process
        if process is None:
            return
        if self._sandbox.backend is not Backend.BUBBLEWRAP:
            _signal_group(process.pid)  # it may have ended and left others
        elif process.returncode is None:
            # The first process of the namespace takes all others with it; bubblewrap itself then ends by itself.
            for pid in tree.children(process.pid) or [process.pid]:
                _signal(pid)

    async def end(self) -> None:
        """End whatever still runs, at once, and clean up."""
        self._look()
        process = self._process
        if process is not None:
            self.kill()
            try:
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
            except TimeoutError:
                _signal(process.pid)
                await process.wait()
        if self._tasks:  # not when it was cancelled while it started
            await asyncio.wait(self._tasks[:1], timeout=_GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._launch is not None and self._launch.scratch:
            await asyncio.to_thread(_remove, self._launch.scratch)


def _signal(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, _KILL)


def _signal_group(pid: int) -> None:
    if not hasattr(os, "killpg"):
        _signal(pid)
        return
    with contextlib.suppress(OSError):
        os.killpg(pid, _KILL)


def _remove(folder: str) -> None:
    """Remove a folder that a hostile program filled: nests deeper than Python can follow, folders without rights."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        script = 'chmod -R u+rwx -- "$1" 2>/dev/null; rm -rf -- "$1"'
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["/bin/sh", "-c", script, "sh", folder], timeout=30, check=False, capture_output=True
            )
