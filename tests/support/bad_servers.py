"""Servers that are no RPC server, each at a free port of loopback."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

_HELLO_REQUEST_BYTES = 33


def silent(_client: socket.socket, over: threading.Event) -> None:
    """Take the connection and say nothing."""
    over.wait()


def echo(client: socket.socket, _over: threading.Event) -> None:
    """Say what was said."""
    while data := client.recv(1 << 16):
        client.sendall(data)


def http(client: socket.socket, _over: threading.Event) -> None:
    """Answer as a web server does."""
    client.recv(1 << 16)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def rude(client: socket.socket, _over: threading.Event) -> None:
    """Hang up with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dripping(client: socket.socket, over: threading.Event) -> None:
    """Begin well and send a byte now and then."""
    client.sendall(struct.pack("<Q", 28))
    while not over.wait(0.3):
        client.sendall(b"\x07")


def older(client: socket.socket, over: threading.Event) -> None:
    """Greet as a server of another version of the protocol."""
    client.recv(_HELLO_REQUEST_BYTES)
    client.sendall(struct.pack("<Q4B", 28, 3, 1, 0, 0) + bytes(24))
    over.wait()


def vanishing(client: socket.socket, _over: threading.Event) -> None:
    """Greet well and hang up on the first question."""
    client.recv(_HELLO_REQUEST_BYTES)
    client.sendall(struct.pack("<Q4B", 28, 7, 0, 0, 0) + bytes(24))
    time.sleep(0.05)


@contextlib.contextmanager
def bad_server(behaviour: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Give the name of a device at a server that behaves so."""
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()
    threads: list[threading.Thread] = []

    def attend(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            behaviour(client, over)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=attend, args=(client,)))
                threads[-1].start()

    threads.append(threading.Thread(target=serve))
    threads[0].start()
    try:
        yield f"rpc://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join()
