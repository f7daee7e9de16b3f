"""Serves this machine's devices to one client over llama.cpp's RPC, in a process of its own.

Started by ``engines.lender`` as ``python -m playground device-worker``; listens on loopback for that one connection,
ends when stdin closes. A client can make this process abort, no other. What a client holds is counted by the lender,
which is asked over stdout and answers on stdin.
"""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from typing import Any

import psutil

from playground.engines.llama import library
from playground.engines.llama.devices import handles
from playground.engines.llama.library import L, symbol

NO_RPC = 3  # exit status of a build without RPC
# Places in ggml's tables of functions (ggml-backend-impl.h).
_GET_MEMORY = 2  # ggml_backend_device_i.get_memory
_ALLOCATE = 1  # ggml_backend_buffer_type_i.alloc_buffer
_FREE = 0  # ggml_backend_buffer_i.free_buffer, with which each ggml_backend_buffer begins
_CPU, _GPU, _INTEGRATED = 0, 1, 2
_size_p = ctypes.POINTER(ctypes.c_size_t)
_void = ctypes.c_void_p
_void_p = ctypes.POINTER(_void)
_get_memory_type = ctypes.CFUNCTYPE(None, _void, _size_p, _size_p)
_allocate_type = ctypes.CFUNCTYPE(_void, _void, ctypes.c_size_t)
_free_type = ctypes.CFUNCTYPE(None, _void)


def main(arguments: list[str]) -> int:
    """Serve at ``arguments``: port and threads. Does not return while all is well."""
    port, threads = (int(text) for text in arguments[:2])
    book = Book()
    library.start()
    if not L.llama_supports_rpc():
        return NO_RPC
    lent = devices_to_lend()
    counted = [CountedDevice(device, number, book) for number, device in enumerate(lent)]
    array = (ctypes.c_void_p * len(lent))(*lent)
    serve = symbol(
        "ggml_backend_rpc_start_server",
        None,
        [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p],
    )
    book.tell("ready")
    serve(f"127.0.0.1:{port}".encode(), None, threads, len(lent), array)
    del counted  # kept until here, since llama.cpp calls them
    return 1


def devices_to_lend() -> list[Any]:
    """Return the GPUs of this machine; without one what is built into its processor, else the CPU."""
    kinds = [(_kind(device), device) for device in handles()]
    found = ([device for kind, device in kinds if kind == wanted] for wanted in (_GPU, _INTEGRATED, _CPU))
    return next(filter(None, found), [])


def _kind(device: Any) -> int:  # noqa: ANN401 -- an opaque pointer
    return int(symbol("ggml_backend_dev_type", ctypes.c_int, [_void])(device))


class Book:
    """The way to the lender: a private copy of stdout, while descriptor 1 gets what llama.cpp prints.

    The process ends when the lender's side closes.
    """

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._answers: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="book", daemon=True).start()

    def tell(self, line: str) -> None:
        """Say something that needs no answer."""
        try:
            os.write(self._descriptor, f"{line}\n".encode())
        except OSError:
            os._exit(0)

    def ask(self, line: str) -> int:
        """Return the lender's answer."""
        with self._lock:
            self.tell(line)
            return self._answers.get()

    def _read(self) -> None:
        with os.fdopen(0, "rb") as stdin:
            for line in stdin:
                self._answers.put(int(line))
        os._exit(0)


class CountedDevice:
    """Lets a device report what the lender may still give, and refuse buffers beyond that.

    llama.cpp has no such limit, and takes all of a CPU's memory for free, so functions of its tables are replaced, in
    this process alone. This object must live as long as llama.cpp may call it.
    """

    def __init__(self, device: Any, number: int, book: Book) -> None:  # noqa: ANN401 -- an opaque pointer
        self._number, self._book = number, book
        self._is_cpu = _kind(device) == _CPU
        self._held: dict[int, tuple[int, Any]] = {}  # buffer: its size, its own function to free it
        device_table = ctypes.cast(device, _void_p)
        self._get_memory = _get_memory_type(device_table[_GET_MEMORY])
        buffer_type = ctypes.cast(symbol("ggml_backend_dev_buffer_type", _void, [_void])(device), _void_p)
        self._allocate = _allocate_type(buffer_type[_ALLOCATE])
        self._calls = (
            _get_memory_type(self._report),
            _allocate_type(self._allocate_counted),
            _free_type(self._free_counted),
        )
        device_table[_GET_MEMORY] = ctypes.cast(self._calls[0], _void)
        buffer_type[_ALLOCATE] = ctypes.cast(self._calls[1], _void)

    def _report(self, device: int, free: Any, total: Any) -> None:  # noqa: ANN401 -- ctypes pointers
        self._get_memory(device, free, total)
        left, limit = self._book.ask(f"left {self._number}"), self._book.ask("limit")
        really_free = min(free[0], _available_bytes()) if self._is_cpu else free[0]
        free[0], total[0] = min(really_free, left), min(total[0], limit)

    def _allocate_counted(self, kind: int, size: int) -> int | None:
        if self._is_cpu and size > _available_bytes():
            return None
        if not self._book.ask(f"take {self._number} {size}"):
            return None
        buffer: int | None = self._allocate(kind, size)
        if buffer is None:
            self._book.tell(f"give {self._number} {size}")
            return None
        table = ctypes.cast(buffer, _void_p)
        self._held[buffer] = size, _free_type(table[_FREE])
        table[_FREE] = ctypes.cast(self._calls[2], _void)
        return buffer

    def _free_counted(self, buffer: int) -> None:
        size, free = self._held.pop(buffer)
        free(buffer)
        self._book.tell(f"give {self._number} {size}")


def _available_bytes() -> int:
    return int(psutil.virtual_memory().available)
