"""A small fake Hugging Face Hub: loopback only, two origins (the Hub and its CDN), faults, and a log of all requests.

    with FakeHub() as hub:
        hub.add("acme/tiny-GGUF", {"tiny-Q4_K_M.gguf": path_or_bytes, "README.md": b"# hi"}, downloads=7)
        hub.faults.append(Fault("stall", path=r"/cdn/.*Q4", after=5_000_000))

Set HF_ENDPOINT to ``hub.url`` (for huggingface_hub: before it is imported). For other processes and for a look by hand:
``python -m tests.support.fake_hub --port 8811 --repo acme/tiny-GGUF --file tiny-Q4_K_M.gguf=PATH``, with POST /_fault
(a Fault as JSON), POST /_reset and GET /_log. ``--models COUNT=PATH`` adds as many models of that one small file.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import threading
from collections.abc import Iterable, Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.fake_hub_faults import Fault, Request
from tests.support.fake_hub_files import HubContent, HubRepo, make_repo
from tests.support.fake_hub_models import many
from tests.support.fake_hub_routes import Handler

__all__ = ["FakeHub", "Fault", "HubContent", "HubRepo", "Request"]


class FakeHub:
    """``rate``: bytes a second of every body, 0 for no limit. ``redirect`` False: the Hub sends files itself.

    ``known_tokens`` None: any token is a good one. ``moved``: old name to new name. ``page_size``: entries per page.
    """

    def __init__(self, *, redirect: bool = True, rate: int = 0, page_size: int = 1000) -> None:
        self.repos: dict[str, HubRepo] = {}
        self.faults: list[Fault] = []
        self.log: list[Request] = []
        self.moved: dict[str, str] = {}
        self.known_tokens: set[str] | None = None
        self.redirect, self.rate, self.page_size = redirect, rate, page_size
        self.signatures: set[str] = set()
        self.connections: set[socket.socket] = set()
        self.url = self.cdn_url = ""
        self._numbers = itertools.count(1)
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._servers: list[ThreadingHTTPServer] = []
        self._threads: list[threading.Thread] = []

    def add(
        self,
        repo_id: str,
        files: Mapping[str, bytes | Path | HubContent],
        *,
        sha: str = "",
        gated: bool | str = False,
        private: bool = False,
        tokens: Iterable[str] = (),
        **meta: Any,  # noqa: ANN401 -- JSON of the API
    ) -> HubRepo:
        """Add a repository. ``meta`` is what the API adds or replaces: downloads, likes, tags, gguf, cardData."""
        repo = make_repo(repo_id, files, sha=sha, gated=gated, private=private, tokens=tokens, **meta)
        self.repos[repo_id] = repo
        return repo

    def start(self, port: int = 0) -> Self:
        """Listen on two free ports of loopback, or the Hub itself on ``port``."""
        self.url = self._listen("api", port)
        self.cdn_url = self._listen("cdn", 0)
        return self

    def stop(self) -> None:
        """Stop, and close all connections: kept-alive ones would be served on."""
        self._stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.connections.discard(connection)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def take_fault(self, method: str, path: str, *, has_range: bool) -> Fault | None:
        """Return the first fault that strikes a request, and count it."""
        with self._lock:
            return next((f for f in self.faults if f.strikes(method, path, has_range=has_range)), None)

    def signed(self, path: str) -> str:
        """Return an address of the CDN that works until ``expire``."""
        signature = f"s{next(self._numbers)}"
        self.signatures.add(signature)
        return f"{self.cdn_url}{path}?Expires=1&Signature={signature}"

    def expire(self) -> None:
        """Let all addresses of the CDN given out so far expire: they answer 403."""
        self.signatures.clear()

    def sleep(self, seconds: float) -> None:
        """Sleep, at most until the Hub is stopped."""
        if seconds > 0:
            self._stopping.wait(seconds)

    def requests(self, method: str, path: str = "") -> list[Request]:
        """Return the logged requests of a method whose path holds a text."""
        return [entry for entry in list(self.log) if entry.method == method and path in entry.path]

    def _listen(self, origin: str, port: int) -> str:
        members = {"hub": self, "origin": origin, "wbufsize": 0, "disable_nagle_algorithm": True}
        handler = type("Handler", (Handler,), members)
        server = _Server(("127.0.0.1", port), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self._servers.append(server)
        self._threads.append(thread)
        return f"http://127.0.0.1:{server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing: what happens to a connection is in the log of requests."""


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8811)
    parser.add_argument("--repo", default="acme/tiny-GGUF")
    parser.add_argument("--file", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--models", default="0=", metavar="COUNT=PATH")
    parser.add_argument("--rate", type=int, default=0, metavar="BYTES/S")
    parser.add_argument("--no-redirect", action="store_true")
    options = parser.parse_args()
    hub = FakeHub(redirect=not options.no_redirect, rate=options.rate)
    pairs = [text.partition("=") for text in options.file]
    hub.add(options.repo, {"README.md": b"# hi\n", **{name: Path(path) for name, _, path in pairs}})
    count, _, path = options.models.partition("=")
    hub.repos |= {repo.id: repo for repo in many(int(count), Path(path))} if path else {}
    hub.start(options.port)
    print(hub.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        hub.stop()


if __name__ == "__main__":
    _main()
