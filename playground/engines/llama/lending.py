"""Serves this machine's devices to one client over llama.cpp's RPC, in a process of its own.

Started by ``engines.lender`` as ``python -m playground device-worker``; listens on loopback for that one connection,
ends when stdin closes. A client can make this process abort, no other.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path
from typing import Any

from playground.engines.llama import library
from playground.engines.llama.devices import handles
from playground.engines.llama.library import symbol

_GET_MEMORY = 2  # the place of get_memory in ggml_backend_device_i (ggml-backend-impl.h)
_ALLOCATE = 1  # the place of alloc_buffer in ggml_backend_buffer_type_i
_CPU, _GPU, _INTEGRATED = 0, 1, 2
_size_p = ctypes.POINTER(ctypes.c_size_t)
_void = ctypes.c_void_p
_get_memory_type = ctypes.CFUNCTYPE(None, _void, _size_p, _size_p)
_allocate_type = ctypes.CFUNCTYPE(_void, _void, ctypes.c_size_t)


def main(arguments: list[str]) -> int:
    """Serve at ``arguments``: port, threads, bytes that may be lent (0: no limit). Does not return while all is well."""
    port, threads, limit_bytes = (int(text) for text in arguments[:3])
    os.dup2(2, 1)  # llama.cpp prints what it does to stdout
    library.start()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    lent = devices_to_lend()
    reports = [_limited(device, limit_bytes) for device in lent] if limit_bytes else []
    array = (ctypes.c_void_p * len(lent))(*lent)
    serve = symbol(
        "ggml_backend_rpc_start_server",
        None,
        [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p],
    )
    serve(f"127.0.0.1:{port}".encode(), None, threads, len(lent), array)
    del reports  # kept until here, since llama.cpp calls them
    return 1


def devices_to_lend() -> list[Any]:
    """Return the GPUs of this machine, or its CPU when there is none."""
    kind = symbol("ggml_backend_dev_type", ctypes.c_int, [ctypes.c_void_p])
    found = handles()
    return [d for d in found if kind(d) in (_GPU, _INTEGRATED)] or [d for d in found if kind(d) == _CPU]


def _limited(device: Any, limit_bytes: int) -> tuple[Any, Any]:  # noqa: ANN401 -- opaque pointers
    """Let a device report at most so much memory, less what is lent already, and refuse buffers beyond it.

    llama.cpp has no such limit, so two functions of its tables are replaced, in this process alone. Returns them: they
    must be kept as long as llama.cpp may call them.
    """
    own = _data_bytes(os.getpid())
    buffer_type = symbol("ggml_backend_dev_buffer_type", _void, [_void])(device)
    table = ctypes.cast(buffer_type, ctypes.POINTER(_void))
    original = _allocate_type(table[_ALLOCATE])

    def report(_device: object, free: Any, total: Any) -> None:  # noqa: ANN401 -- ctypes pointers
        free[0], total[0] = max(0, limit_bytes - _lent_bytes(own)), limit_bytes

    def allocate(kind: int, size: int) -> int | None:
        if _lent_bytes(own) + size > limit_bytes:
            return None
        found: int | None = original(kind, size)
        return found

    callbacks = _get_memory_type(report), _allocate_type(allocate)
    ctypes.cast(device, ctypes.POINTER(_void))[_GET_MEMORY] = ctypes.cast(callbacks[0], _void)
    table[_ALLOCATE] = ctypes.cast(callbacks[1], _void)
    return callbacks


def _lent_bytes(own_bytes: int) -> int:
    """Return what the clients of the same lender hold; each of its processes began with about ``own_bytes``."""
    import psutil

    lender = psutil.Process().parent()
    workers = [child.pid for child in lender.children()] if lender else [os.getpid()]
    return sum(max(0, _data_bytes(pid) - own_bytes) for pid in workers)


def _data_bytes(pid: int) -> int:
    if not sys.platform.startswith("linux"):
        import psutil

        return int(psutil.Process(pid).memory_info().rss)
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)


def _end_with_parent() -> None:
    while os.read(0, 1 << 10):
        pass
    os._exit(0)
