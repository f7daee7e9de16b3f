"""The processes in which devices are lent, one for each client, and the book of what all of them hold."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

from playground.engines.child import worker_environment

_READY_S = 30.0
_NO_LIMIT_BYTES = 1 << 62


class Book:
    """Bytes of each device that are lent, by borrower; at most ``limit_bytes`` of a device (0: no limit)."""

    def __init__(self, limit_bytes: int = 0) -> None:
        self.limit_bytes = limit_bytes or _NO_LIMIT_BYTES
        self._lock = threading.Lock()
        self._held: Counter[tuple[object, int]] = Counter()

    def left(self, device: int) -> int:
        """Return what is left of a device."""
        with self._lock:
            return self._left(device)

    def take(self, borrower: object, device: int, size_bytes: int) -> bool:
        """Lend so much of a device; return whether it was left."""
        with self._lock:
            if not 0 <= size_bytes <= self._left(device):
                return False
            self._held[borrower, device] += size_bytes
            return True

    def give(self, borrower: object, device: int, size_bytes: int) -> None:
        """Take back so much of a device."""
        with self._lock:
            held = self._held[borrower, device]
            self._held[borrower, device] = max(0, held - max(0, size_bytes))

    def forget(self, borrower: object) -> None:
        """Take back all that one borrower holds."""
        with self._lock:
            for key in [key for key in self._held if key[0] is borrower]:
                del self._held[key]

    def _left(self, device: int) -> int:
        return self.limit_bytes - sum(size for (_, of), size in self._held.items() if of == device)


class LentProcess:
    """One process that serves the devices on a port of loopback."""

    def __init__(self, threads: int, book: Book) -> None:
        self._book = book
        self._ready = threading.Event()
        self._started = False
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = int(probe.getsockname()[1])
        command = [sys.executable, "-P", "-m", "playground", "device-worker", str(self._port), str(threads)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("PLAYGROUND_VERBOSE") else subprocess.DEVNULL,
            env=worker_environment(),
        )
        self._listener = threading.Thread(target=self._listen, name="book", daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def wait_ready(self) -> int | None:
        """Return None as soon as the process serves, or its exit status when it ends instead."""
        self._ready.wait(_READY_S)
        if self._started:
            return None
        self.end()
        return self._process.returncode

    def connect(self) -> socket.socket:
        """Return a connection, as soon as the process listens. Raises OSError when it does not."""
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                found = socket.create_connection(("127.0.0.1", self._port), timeout=_READY_S)
            except ConnectionRefusedError:
                if not self.is_alive or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                found.settimeout(None)
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return found

    def end(self) -> None:
        """End the process; what its client held is free again."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._book.forget(self)

    def _listen(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout:
                answer = self._answer(line.decode("ascii").split())
                if answer is not None:
                    self._process.stdin.write(b"%d\n" % answer)
                    self._process.stdin.flush()
        self._ready.set()

    def _answer(self, words: list[str]) -> int | None:
        """Carry out one line of the process. Raises ValueError for one that is none."""
        match words:
            case ["ready"]:
                self._started = True
                self._ready.set()
            case ["limit"]:
                return self._book.limit_bytes
            case ["left", device]:
                return self._book.left(int(device))
            case ["take", device, size]:
                return int(self._book.take(self, int(device), int(size)))
            case ["give", device, size]:
                self._book.give(self, int(device), int(size))
            case _:
                raise ValueError(f"no line of the book: {words}")
        return None
