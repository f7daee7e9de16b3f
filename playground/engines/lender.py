"""Lends this machine's devices to other machines: ``playground serve-device``.

Every client gets a process of its own (``engines.lent``), since llama.cpp serves one at a time and a hostile one can
make it abort. Bytes are passed between the client's socket and that process. The protocol has no authentication and
no encryption.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

from playground import logs
from playground.engines.builds import install_line
from playground.engines.lent import Book, LentProcess
from playground.errors import SetupError, UsageError

DEFAULT_PORT = 50052
_CHUNK_BYTES = 1 << 20
_FIRST_BYTE_S = 10.0
_MOST_CLIENTS = 32
_TRIES = 2  # the process in waiting may have died; its successor is new
_NO_RPC = 3  # see engines.llama.lending
_log = logs.get("engines")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST`` or ``HOST:PORT``. Raises UsageError."""
    host, colon, digits = text.strip().partition(":")
    if ":" in digits:
        raise UsageError(
            f"{text!r} is no address that devices can be lent at: llama.cpp speaks IPv4 only.",
            hint="Write HOST or HOST:PORT, such as 127.0.0.1:50052.",
        )
    port = int(digits) if digits.isascii() and digits.isdigit() else -1 if colon else DEFAULT_PORT
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
        self._threads, self._book = threads, Book(memory_bytes)
        self._lock = threading.Lock()
        self._processes: set[LentProcess] = set()
        self._places = threading.BoundedSemaphore(_MOST_CLIENTS)
        self._closed = False
        try:
            self._listener = socket.create_server((host, port))
        except OSError as error:
            why = str(error.strerror or error).partition(" (while")[0]
            raise SetupError(
                f"Devices cannot be lent at {host}:{port}: {why}.",
                hint="Choose another address with --bind.",
            ) from error
        self.port = int(self._listener.getsockname()[1])
        self._spare = self._start()
        status = self._spare.wait_ready()
        if status is not None:
            self.close()
            raise _cannot_lend(status)

    def serve(self) -> None:
        """Take clients until ``stop`` is called from another thread or a signal handler."""
        while not self._closed:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(
                socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
            )  # a machine that vanished frees its memory
            _log.info("a client came from %s", address[0])
            if self._places.acquire(blocking=False):
                threading.Thread(target=self._attend, args=(client,), name="client", daemon=True).start()
            else:
                client.close()

    def stop(self) -> None:
        """Take no more clients. Takes no lock, so a signal handler may call it."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        """Send all clients away and end all processes."""
        self.stop()
        with self._lock:
            processes, self._processes = list(self._processes), set()
        for process in processes:
            process.end()

    def _attend(self, client: socket.socket) -> None:
        try:
            with client:
                if _says_something(client):
                    self._serve_client(client)
        finally:
            self._places.release()

    def _serve_client(self, client: socket.socket) -> None:
        for _ in range(_TRIES):
            process = self._take()
            if process is None:
                return
            try:
                server = process.connect()
            except OSError as error:
                _log.info("a client's process could not be reached: %s", error)
                self._end(process)
                continue
            try:
                with server:
                    _pass_on(client, server)
                return
            finally:
                self._end(process)

    def _take(self) -> LentProcess | None:
        """Return a process for a new client, None when all is over."""
        with self._lock:
            if self._closed:
                return None
            found, self._spare = self._spare, self._start()
            return found

    def _end(self, process: LentProcess) -> None:
        with self._lock:
            is_ours = process in self._processes
            self._processes.discard(process)
        if is_ours:
            process.end()

    def _start(self) -> LentProcess:
        process = LentProcess(self._threads, self._book)
        self._processes.add(process)
        return process


def _cannot_lend(status: int) -> SetupError:
    if status == _NO_RPC:
        return SetupError(
            "This build of llama.cpp cannot lend devices.", hint=f"Build it with: {install_line('GGML_RPC')}"
        )
    return SetupError(
        f"The process that lends the devices does not start (exit status {status}).",
        hint="playground doctor says whether the engine works; PLAYGROUND_VERBOSE=1 shows what it says.",
    )


def _says_something(client: socket.socket) -> bool:
    """Return whether a client sends anything; one that only tried the address has gone again."""
    try:
        client.settimeout(_FIRST_BYTE_S)
        found = bool(client.recv(1, socket.MSG_PEEK))
        client.settimeout(None)
    except OSError:
        return False
    return found


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
