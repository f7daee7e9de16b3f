"""Lends this machine's devices to other machines: ``playground serve-device``.

Every client gets a process of its own (``engines.llama.lending``), since llama.cpp serves one at a time and a hostile
one can make it abort. Bytes are passed between the client's socket and that process. The protocol has no
authentication and no encryption.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from playground import logs
from playground.engines.process import worker_environment
from playground.errors import SetupError, UsageError

DEFAULT_PORT = 50052
_CHUNK_BYTES = 1 << 20
_READY_S = 30.0
_log = logs.get("engines")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST``, ``HOST:PORT`` or ``[V6]:PORT``. Raises UsageError."""
    host, port = text.strip(), DEFAULT_PORT
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        digits = rest.removeprefix(":")
    elif host.count(":") == 1:
        host, _, digits = host.partition(":")
    else:
        digits = ""
    if digits:
        port = int(digits) if digits.isdigit() else -1
    if not host or not 0 <= port < 65536:
        raise UsageError(
            f"{text!r} is not an address.", hint="Write HOST or HOST:PORT, such as 127.0.0.1:50052."
        )
    return host, port


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Lender:
    """Listens at an address until ``close``. ``memory_bytes`` 0 lends all. Raises SetupError.

    A process is kept ready for the next client, so that a connection does not wait for its start.
    """

    def __init__(self, host: str, port: int, *, threads: int, memory_bytes: int = 0) -> None:
        self._threads, self._memory_bytes = threads, memory_bytes
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._closed = False
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family)
        except OSError as error:
            raise SetupError(
                f"Devices cannot be lent at {host}:{port}: {error.strerror or error}.",
                hint="Choose another address with --bind.",
            ) from error
        self.port = int(self._listener.getsockname()[1])
        self._spare = self._start_worker()

    def serve(self) -> None:
        """Take clients until ``close`` is called from another thread or a signal handler."""
        while not self._closed:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _log.info("a client came from %s", address[0])
            threading.Thread(target=self._attend, args=(client,), name="client", daemon=True).start()

    def close(self) -> None:
        """Send all clients away and end all processes."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            workers, self._workers = list(self._workers), set()
        for worker in workers:
            worker.end()

    def _attend(self, client: socket.socket) -> None:
        with client:
            if not _says_something(client):
                return
            worker = self._take_worker()
            try:
                with worker.connect() as server:
                    _pass_on(client, server)
            except OSError as error:
                _log.info("a client's process could not be reached: %s", error)
            finally:
                self._end(worker)

    def _take_worker(self) -> _Worker:
        with self._lock:
            worker = self._spare
        self._spare = self._start_worker()
        return worker

    def _start_worker(self) -> _Worker:
        worker = _Worker(self._threads, self._memory_bytes)
        with self._lock:
            self._workers.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.end()


class _Worker:
    """One process that serves the devices on a port of loopback."""

    def __init__(self, threads: int, memory_bytes: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = int(probe.getsockname()[1])
        command = [sys.executable, "-P", "-m", "playground", "device-worker"]
        numbers = [str(self._port), str(threads), str(memory_bytes)]
        self._process = subprocess.Popen(
            [*command, *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("PLAYGROUND_VERBOSE") else subprocess.DEVNULL,
            env=worker_environment(),
        )

    def connect(self) -> socket.socket:
        """Return a connection, as soon as the process listens. Raises OSError when it does not."""
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                found = socket.create_connection(("127.0.0.1", self._port), timeout=_READY_S)
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                found.settimeout(None)
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return found

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _says_something(client: socket.socket) -> bool:
    """Return whether a client sends anything; one that only tried the address has gone again."""
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Pass bytes both ways until one side ends; then end the other."""
    ends: Callable[[], None] = lambda: _shut(client, server)  # noqa: E731 -- both threads end the same pair
    back = threading.Thread(target=_pump, args=(server, client, ends), name="back", daemon=True)
    back.start()
    _pump(client, server, ends)
    back.join()


def _pump(source: socket.socket, target: socket.socket, end: Callable[[], None]) -> None:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with contextlib.suppress(OSError):
        while size := source.recv_into(buffer):
            target.sendall(buffer[:size])
    end()


def _shut(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
