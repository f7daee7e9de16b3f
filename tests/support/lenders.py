"""Starts ``playground serve-device`` on loopback, for tests."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from playground.engines.child import worker_environment

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class RunningLender:
    """A process that lends this machine's CPU as a device, at ``port`` of loopback."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def endpoint(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def device(self) -> str:
        """Return the device's name."""
        return f"rpc://{self.endpoint}"

    def children(self) -> list[psutil.Process]:
        """Return the processes that serve clients, and the one that waits for the next."""
        return psutil.Process(self.process.pid).children()


@contextlib.contextmanager
def lender(*arguments: str) -> Iterator[RunningLender]:
    """Lend at a free port while the block runs."""
    command = [sys.executable, "-m", "playground", "serve-device", "--bind", "127.0.0.1:0", "--threads", "1"]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        env=worker_environment(),
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline().decode()
        match = re.search(r"rpc://127\.0\.0\.1:(\d+)", line)
        assert match is not None, line + process.stderr.read().decode()
        yield RunningLender(process, int(match[1]))
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()
