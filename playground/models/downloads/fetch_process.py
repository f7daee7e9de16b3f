"""The app's side of one fetcher: starts the process, gives it its job, passes its events on, kills it when cancelled.

Owns the process and its pipes. What is fetched, and in which order, is for others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from playground import logs
from playground.errors import DownloadError, DownloadErrorKind
from playground.models.downloads.fetch_messages import Done, Event, Failed, Job, Limit
from playground.models.hub import hub

_LONGEST_LINE_BYTES = 1 << 20
_STDERR_TAIL_BYTES = 8 << 10
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_log = logs.get("models")


async def token() -> str:
    """Return the Hub's token, empty without one or when the Hub is switched off. Raises HubError."""
    if hub.is_offline():
        return ""
    async with hub.client() as (_, headers):
        return str(headers.get("authorization", "")).removeprefix("Bearer ").strip()


class FetchProcess:
    """One fetcher, for one job."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._is_switched_off = False

    async def run(self, job: Job, token: str, tell: Callable[[Event], None]) -> str:
        """Return the file's path in the cache. Raises DownloadError, HubError.

        The fetcher is killed when this is cancelled, and when the Hub is switched off meanwhile.
        """
        with hub.when_switched_off(self._switch_off):
            try:
                await self._start(token)
                self._send(job)
                return await self._listen(job, tell)
            finally:
                await self._end()

    def limit(self, bytes_per_s: int) -> None:
        """Change the speed, 0 for no limit; nothing before the start or after the end."""
        self._send(Limit(bytes_per_s))

    def _send(self, message: Job | Limit) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin is not None and not stdin.is_closing():
            stdin.write(msgspec.json.encode(message) + b"\n")

    async def _start(self, token: str) -> None:
        creating = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "playground", "fetch-worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(token),
                limit=_LONGEST_LINE_BYTES,
                start_new_session=True,  # an interrupt from the terminal is for the app, which then ends this
            )
        )
        try:
            self._process = await asyncio.shield(creating)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                self._process = await creating
            raise
        except OSError as error:
            raise _lost(f"it cannot be started: {error.strerror}") from error
        if self._is_switched_off:  # while it started: it does not know
            self._kill()

    async def _listen(self, job: Job, tell: Callable[[Event], None]) -> str:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async for line in process.stdout:
                event = msgspec.json.decode(line, type=Event)
                if isinstance(event, Done):
                    return event.path
                if isinstance(event, Failed):
                    raise event.error()
                tell(event)
        except (ValueError, msgspec.DecodeError) as error:
            raise _lost("it said something that is none of its words") from error
        if self._is_switched_off:
            raise hub.offline_error()
        words = (await process.stderr.read())[-_STDERR_TAIL_BYTES:].decode("utf-8", "replace")
        status = await process.wait()
        _log.info("the fetcher of %s ended with status %s: %s", job.path, status, words)
        raise _lost(f"it ended with status {status}", words)

    def _switch_off(self) -> None:
        self._is_switched_off = True
        self._kill()

    def _kill(self) -> None:
        """End the process at once: all that is on disk is good at any moment."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, _KILL)

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        self._kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def _environment(token: str) -> dict[str, str]:
    package_folder = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([package_folder, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "HF_TOKEN": token}
    if hub.is_offline():
        environment["HF_HUB_OFFLINE"] = "1"
    return environment


def _lost(why: str, words: str = "") -> DownloadError:
    return DownloadError(
        DownloadErrorKind.NETWORK,
        f"The process that fetches the file was lost: {why}.",
        hint="Try again; what is here is kept.",
        detail=words,
    )
