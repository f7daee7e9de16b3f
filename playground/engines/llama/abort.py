"""How an evaluation is aborted at once, from another thread."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from playground.engines.llama.library import L


class AbortFlag:
    """A flag that llama.cpp reads several hundred times per token without taking the interpreter lock.

    The native callback is the C library's ``strlen`` over a two-byte buffer: 0 while the buffer is empty. It
    works on the CPU only; on other devices a cancel takes effect between batches.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        self._callback = ctypes.cast(libc.strlen, L.ggml_abort_callback)

    def attach(self, native: Any) -> None:  # noqa: ANN401 -- an opaque pointer
        """Make a context read this flag."""
        L.llama_set_abort_callback(native, self._callback, ctypes.addressof(self._buffer))

    def set(self) -> None:
        """Abort what is under way."""
        self._buffer[0] = b"\x01"

    def clear(self) -> None:
        """Let the next evaluation run."""
        self._buffer[0] = b"\x00"

    def is_set(self) -> bool:
        """Return whether an abort was asked for."""
        return self._buffer[0] != b"\x00"
