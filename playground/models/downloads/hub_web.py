"""Files of the Hub by HTTP, for the fetcher's process: what a file is, and its bytes from wherever the Hub sends them.

Standard library only: it is small, starts fast, and reads straight into a buffer. Owns redirects and the rule that the
token goes to the Hub's own origin and nowhere else. Proxies come from the environment. Time-outs hold for each read.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

from playground import __version__
from playground.errors import HubError
from playground.models.hub import hub_refusals

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the Hub says about a file. ``address``: where its bytes are now; it may expire."""

    commit: str
    etag: str
    size_bytes: int | None
    address: str


class Answer:
    """The beginning of an answer. Its body is read by ``read_into``, until 0."""

    def __init__(self, response: http.client.HTTPResponse, address: str) -> None:
        self._response, self.address = response, address
        self.status = response.status
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in response.headers.items()}
        self.length_bytes = response.length if not response.chunked else None
        self._left = self.length_bytes

    def read_into(self, view: memoryview) -> int:
        """Put what has arrived into a buffer, at least one byte; return how many, 0 at the end. Raises OSError."""
        if self._left is None:
            data = self._response.read1(len(view))
            view[: len(data)] = data
            return len(data)
        wanted = view[: self._left]
        length = self._response.fp.readinto1(wanted) if len(wanted) else 0
        self._left -= length
        return length

    @property
    def is_cut_off(self) -> bool:
        """Return whether the body ended before the length that was announced."""
        return bool(self._left)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()


class Web:
    """Connections to one Hub. ``stall_s``: how long a server may say nothing."""

    def __init__(self, endpoint: str, token: str, stall_s: float) -> None:
        self.endpoint, self._token, self._stall_s = endpoint.rstrip("/"), token, stall_s
        self._opener = urllib.request.OpenerDirector()  # the usual one follows redirects with all headers
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
            urllib.request.UnknownHandler(),
        ):
            self._opener.add_handler(handler)

    @property
    def host(self) -> str:
        """Return the Hub's name for people."""
        return urlsplit(self.endpoint).netloc

    def facts(self, repo: str, commit: str, path: str) -> FileFacts:
        """Ask what a file is. Raises HubError, OSError, HTTPException."""
        address = f"{self.endpoint}/{quote(repo)}/resolve/{commit}/{quote(path)}"
        with self._follow("HEAD", address, {}, self._is_own) as answer:
            if answer.status >= 400:
                raise self._refusal(answer, repo, path)
            target = urljoin(answer.address, answer.headers.get("location", answer.address))
            return _facts(answer.headers, target, path)

    def get(self, address: str, start: int) -> Answer:
        """Ask for a file from a byte on. Any status is an answer. Raises HubError, OSError, HTTPException."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self._follow("GET", address, headers, lambda _target: True)

    def _refusal(self, answer: Answer, repo: str, path: str) -> HubError:
        is_file = answer.headers.get("x-error-code") == "EntryNotFound"
        page = f"{self.endpoint}/{repo}"
        return hub_refusals.refusal(
            answer.status, answer.headers, path if is_file else repo, page, sent_token=bool(self._token)
        )

    def _follow(
        self, method: str, address: str, headers: Mapping[str, str], may_follow: Callable[[str], bool]
    ) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._ask(method, address, headers)
            target = urljoin(address, answer.headers.get("location", ""))
            if answer.status not in _REDIRECTS or "location" not in answer.headers or not may_follow(target):
                return answer
            answer.__exit__()
            address = target
        raise hub_refusals.bad_answer(self.host, "it sends from one address to the next")

    def _ask(self, method: str, address: str, headers: Mapping[str, str]) -> Answer:
        if urlsplit(address).scheme not in ("http", "https"):
            raise hub_refusals.bad_answer(self.host, "it names an address that is none of the web")
        known = {
            "User-Agent": f"playground/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
        }
        request = urllib.request.Request(address, headers=known, method=method)  # noqa: S310 -- checked above
        if self._token and self._is_own(address):
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        response = self._opener.open(request, timeout=self._stall_s)
        assert isinstance(response, http.client.HTTPResponse)
        return Answer(response, address)

    def _is_own(self, address: str) -> bool:
        mine, other = urlsplit(self.endpoint), urlsplit(address)
        return (mine.scheme, mine.netloc) == (other.scheme, other.netloc)


def _facts(headers: Mapping[str, str], address: str, path: str) -> FileFacts:
    etag = headers.get("x-linked-etag") or headers.get("etag") or ""
    size = headers.get("x-linked-size") or headers.get("content-length") or ""
    commit = headers.get("x-repo-commit", "")
    if not etag or not commit:
        raise hub_refusals.bad_answer(path, "its commit or its hash is missing")
    etag = etag.removeprefix("W/").strip('"').lower()
    return FileFacts(commit, etag, int(size) if size.isdecimal() and len(size) < 19 else None, address)


def is_certificate_error(error: BaseException) -> bool:
    """Return whether a connection failed because the server could not prove who it is: trying again is no use."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, ssl.SSLCertVerificationError)


def network_error(error: BaseException, host: str) -> HubError:
    """Return what a failed connection means."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return hub_refusals.timed_out(host)
    if isinstance(error, urllib.error.URLError):
        return hub_refusals.unreachable(host, str(reason))
    return hub_refusals.broken_off(host, f"{type(error).__name__}: {error}")
