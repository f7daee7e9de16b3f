"""A Hub on this machine that serves files of datasets by their resolve addresses, and nothing else."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def dataset_server(files: dict[str, bytes], *, status: int = 200, liar: bool = False) -> Iterator[str]:
    """Serve files by ``owner/name/path``; yield the address. ``liar``: the bytes are not those of the hash."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            repo, _, rest = self.path.removeprefix("/datasets/").partition("/resolve/")
            path = rest.partition("/")[2]
            content = files.get(f"{repo}/{path}")
            code = status if status != 200 else 200 if content is not None else 404
            body = (content or b"") if code == 200 else b"{}"
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", _COMMIT)
            if code == 404:
                self.send_header("X-Error-Code", "EntryNotFound")
            if code == 401:
                self.send_header("X-Error-Code", "GatedRepo")
            digest = hashlib.sha256(body + (b"!" if liar else b"")).hexdigest()
            self.send_header("ETag", f'"{digest}"')
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
