"""How the fake Hub sends a file: ranges, and the faults that strike in the middle of a body."""

from __future__ import annotations

import email.utils
import gzip
import os
import re
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.fake_hub_faults import Fault, Request
from tests.support.fake_hub_files import HubContent

if TYPE_CHECKING:
    from tests.support.fake_hub import FakeHub

_STEP_BYTES = 256 << 10
_LIE_BYTES = 1000
_STRIKES_MIDWAY = ("truncate", "reset", "stall", "restart")


class Body(BaseHTTPRequestHandler):
    """The part of a request handler that sends files. The routes are in ``fake_hub_routes``."""

    hub: FakeHub
    fault: Fault | None = None
    request_log: Request

    @property
    def kind(self) -> str:
        return self.fault.kind if self.fault else ""

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.request_log.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def reset(self) -> None:
        """Reset the connection: the peer gets no orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.wfile = Path(os.devnull).open("wb")  # noqa: SIM115 -- the base class closes it
        self.request_log.error = "reset"

    def send_file(self, file: HubContent, headers: dict[str, str]) -> None:
        """Answer a HEAD or GET for a file, whole or the range that is asked for."""
        span = self._span(file)
        if span is None:
            headers = {"Content-Range": f"bytes */{file.size}", "Content-Length": "0"}
            return self.answer(416, headers)
        start, length, status = span
        if status == 206:
            headers |= self._content_range(file, start, length)
        headers |= {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
            "Last-Modified": email.utils.formatdate(0, usegmt=True),
        }
        if self.kind == "gzip":
            return self._send_gzip(file.read(start, length), headers)
        self._length_headers(length, headers)
        self.answer(status, headers)
        if self.command == "GET":
            self._send_body(file, start + (10 if self.kind == "wrong_range" else 0), length)
        return None

    def _span(self, file: HubContent) -> tuple[int, int, int] | None:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.request_log.range)
        if asked is None or self.kind in ("ignore_range", "restart"):
            return 0, file.size, 200
        if not asked[1]:
            start = max(0, file.size - int(asked[2]))
            return start, file.size - start, 206
        start, last = int(asked[1]), int(asked[2] or file.size - 1)
        if start >= file.size:
            return None
        return start, min(last, file.size - 1) - start + 1, 206

    def _content_range(self, file: HubContent, start: int, length: int) -> dict[str, str]:
        if self.kind == "no_range":
            return {}
        total = file.size + (_LIE_BYTES if self.kind == "wrong_total" else 0)
        begin = start + (10 if self.kind == "wrong_range" else 0)
        return {"Content-Range": f"bytes {begin}-{start + length - 1}/{total}"}

    def _length_headers(self, length: int, headers: dict[str, str]) -> None:
        lie = {"short_length": -_LIE_BYTES, "long_length": _LIE_BYTES, "more": _LIE_BYTES}.get(self.kind, 0)
        headers["Content-Length"] = str(max(0, length + lie))
        if self.kind in ("no_length", "long_length"):
            headers["Connection"] = "close"
            self.close_connection = True
        if self.kind == "no_length":
            del headers["Content-Length"]

    def _send_gzip(self, data: bytes, headers: dict[str, str]) -> None:
        packed = gzip.compress(data, 1)
        self.answer(200, {**headers, "Content-Encoding": "gzip", "Content-Length": str(len(packed))})
        if self.command == "GET":
            self.wfile.write(packed)

    def _send_body(self, file: HubContent, start: int, length: int) -> None:
        self.wfile.flush()
        rate = self.fault.rate if self.fault and self.kind == "slow" else self.hub.rate
        if file.path is not None and not rate and not self.kind:
            with file.path.open("rb") as source:
                self.request_log.sent = self.connection.sendfile(source, start, length)
            return None
        length = max(0, length - _LIE_BYTES) if self.kind == "short_length" else length
        began = time.monotonic()
        sent = 0
        while sent < length:
            step = self._step(sent, min(_STEP_BYTES, length - sent, rate // 20 + 1 if rate else _STEP_BYTES))
            if step == 0:
                return self._strike()
            self.wfile.write(self._flipped(file.read(start + sent, step), sent))
            sent += step
            self.request_log.sent = sent
            if rate:
                self.hub.sleep(sent / rate - (time.monotonic() - began))
        if self.kind == "more":
            self.wfile.write(b"x" * _LIE_BYTES)
        return None

    def _step(self, sent: int, wanted: int) -> int:
        if self.fault is None or self.kind not in _STRIKES_MIDWAY:
            return wanted
        return min(wanted, max(0, self.fault.after - sent))

    def _flipped(self, data: bytes, sent: int) -> bytes:
        if self.fault is None or self.kind != "flip" or not sent <= self.fault.after < sent + len(data):
            return data
        at = self.fault.after - sent
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    def _strike(self) -> None:
        if self.kind == "reset":
            return self.reset()
        if self.kind == "stall" and self.fault:
            self.hub.sleep(self.fault.seconds)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return None
