"""Stands before a lender and claims more free memory than it has. Everything else passes unchanged."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

_GET_DEVICE_MEMORY = 11  # rpc_cmd in ggml-rpc.cpp; a request is: command (1 byte), size (8 bytes), data


@contextlib.contextmanager
def boasting(port: int, claimed_bytes: int) -> Iterator[str]:
    """Give the name of a device that is a lender's at ``port`` of loopback, boasting."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for work in (_requests, _answers):
                    threads.append(threading.Thread(target=work, args=(client, server, claimed_bytes)))
                    threads[-1].start()

    threads.append(threading.Thread(target=serve))
    threads[0].start()
    try:
        yield f"rpc://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join()


def _requests(client: socket.socket, server: socket.socket, claimed_bytes: int) -> None:
    with client, client.makefile("rb") as stream, contextlib.suppress(OSError):
        while len(head := stream.read(9)) == 9:
            command, size = struct.unpack("<BQ", head)
            data = stream.read(size)
            if command == _GET_DEVICE_MEMORY:  # no answer is under way: a client asks one question at a time
                client.sendall(struct.pack("<QQQ", 16, claimed_bytes, claimed_bytes))
            else:
                server.sendall(head + data)
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _answers(client: socket.socket, server: socket.socket, _claimed_bytes: int) -> None:
    with server, contextlib.suppress(OSError):
        while data := server.recv(1 << 16):
            client.sendall(data)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
