"""A client of llama.cpp's RPC that asks what it is told to, sensible or not."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Self

ALLOC_BUFFER, FREE_BUFFER, SET_TENSOR, GET_TENSOR = 0, 4, 6, 8
GRAPH_COMPUTE, GET_DEVICE_MEMORY, HELLO = 10, 11, 14  # rpc_cmd in ggml-rpc.cpp


class RpcClient:
    """One connection. Raises ConnectionError when the server hangs up."""

    def __init__(self, port: int, *, greet: bool = True) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        if greet:
            self.version = tuple(self.ask(HELLO, bytes(24))[:3])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def end(self) -> None:
        """Send no more."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def request(self, command: int, data: bytes, size: int | None = None) -> None:
        """Send a request, whose size may be a lie."""
        self.send(struct.pack("<BQ", command, len(data) if size is None else size) + data)

    def ask(self, command: int, data: bytes) -> bytes:
        """Return the answer to a request."""
        self.request(command, data)
        (size,) = struct.unpack("<Q", self.read(8))
        return self.read(size)

    def memory(self) -> tuple[int, int]:
        """Return the free and total bytes of the first device."""
        free, total = struct.unpack("<QQ", self.ask(GET_DEVICE_MEMORY, struct.pack("<I", 0)))
        return free, total

    def allocate(self, size_bytes: int) -> int:
        """Return the number of a new buffer, 0 when it was refused."""
        buffer, _size = struct.unpack("<QQ", self.ask(ALLOC_BUFFER, struct.pack("<IQ", 0, size_bytes)))
        return int(buffer)

    def free(self, buffer: int) -> None:
        """Give a buffer back."""
        self.request(FREE_BUFFER, struct.pack("<Q", buffer))

    def wait_closed(self) -> None:
        """Return when the server has hung up."""
        try:
            while self._socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass

    def read(self, size: int) -> bytes:
        """Return so many bytes of what the server says."""
        found = b""
        while len(found) < size:
            data = self._socket.recv(size - len(found))
            if not data:
                raise ConnectionError("the server hung up")
            found += data
        return found
