"""Requests to the Hub: one GET at a time, bounded in time and size, every failure a HubError.

Knows addresses, redirects and headers, not what the Hub's answers mean. The token goes to the Hub's own origin only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from playground.models.hub import hub
from playground.models.hub.hub_refusals import bad_answer, broken_off, refusal, timed_out, unreachable

if TYPE_CHECKING:
    import httpx2

_MOST_REDIRECTS = 5
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_FORBIDDEN = re.compile(r"[^\x21-\x7e]")
Params = list[tuple[str, str | int | float | bool | None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the Hub may take: to be connected, to say anything, for all of a question; and how much it may say."""

    connect_s: float = 10.0
    silence_s: float = 10.0
    total_s: float = 60.0
    body_bytes: int = 16 << 20


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a remote file of ``file_bytes``, and the address that gives more of it."""

    data: bytes
    file_bytes: int
    url: str = field(repr=False)  # it may be signed


@asynccontextmanager
async def connected(subject: str, page: str = "", limits: Limits = LIMITS) -> AsyncIterator[Session]:
    """Lend a session for one question. ``subject`` and ``page``: what it is about, in words and as an address.

    Raises HubError for whatever goes wrong in it. Cancelling closes its connections at once.
    """
    await asyncio.to_thread(hub.prepare)
    import httpx2

    endpoint = hub.endpoint()
    host = urlsplit(endpoint).hostname or endpoint

    timeout = httpx2.Timeout(limits.silence_s, connect=limits.connect_s)
    try:
        async with asyncio.timeout(limits.total_s), hub.client(timeout) as (client, headers):
            yield Session(client, headers, endpoint, subject, page or endpoint, limits)
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise timed_out(host) from error
    except (httpx2.ConnectError, httpx2.ProxyError) as error:
        raise unreachable(host, str(error)) from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.DecodingError) as error:
        raise bad_answer(subject, "it cannot be read") from error
    except httpx2.HTTPError as error:
        raise broken_off(host, str(error) or type(error).__name__) from error


class Session:
    """Some requests about one subject, over one client."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        headers: httpx2.Headers,
        endpoint: str,
        subject: str,
        page: str,
        limits: Limits,
    ) -> None:
        self._client, self._headers, self._endpoint = client, headers, endpoint
        self._subject, self._page, self._limits = subject, page, limits

    async def json(self, path: str, params: Params | None = None) -> tuple[object, str]:
        """Return the decoded answer and the cursor of the next page, empty for the last. Raises HubError."""
        async with self._get(self._endpoint + path, params, {}) as response:
            body = await self._body(response)
            link = response.links.get("next", {}).get("url", "")
        try:
            return msgspec.json.decode(body), _cursor(link)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise bad_answer(self._subject, "it is not what the Hub says otherwise") from error

    async def beginning(self, path: str, length: int) -> bytes:
        """Return a file's first bytes, fewer where it is shorter; the rest is not fetched. Raises HubError."""
        found = b""
        async with self._get(self._endpoint + path, None, {}) as response:
            async for chunk in response.aiter_bytes():
                found += chunk
                if len(found) >= length:
                    break
        return found[:length]

    async def piece(self, url: str, start: int, length: int) -> Piece:
        """Return ``length`` bytes of a file from ``start``, fewer at its end. Raises HubError.

        ``url`` is a path at the Hub or a Piece's own address. A server that sends everything is not listened to.
        """
        asked = {"Range": f"bytes={start}-{start + length - 1}", "Accept-Encoding": "identity"}
        async with self._get(self._endpoint + url if url.startswith("/") else url, None, asked) as response:
            if response.status_code != 206:
                raise bad_answer(self._subject, "the server sends the whole file instead of its beginning")
            match = _RANGE.fullmatch(response.headers.get("content-range", ""))
            first, last, total = (int(number) for number in match.groups()) if match else (-1, -1, -1)
            if first != start or not first <= last < min(start + length, total):
                raise bad_answer(
                    self._subject, "the server sends another part of the file than it was asked for"
                )
            data = await self._body(response, most=length)
        if len(data) != last - first + 1:
            raise bad_answer(self._subject, "the server sends another number of bytes than it says")
        return Piece(data, total, str(response.url))

    @asynccontextmanager
    async def _get(
        self, url: str, params: Params | None, extra: Mapping[str, str]
    ) -> AsyncIterator[httpx2.Response]:
        """Send a GET, follow redirects, and lend an answer whose status is a good one."""
        for _ in range(_MOST_REDIRECTS):
            headers = self._for(url, extra)
            async with self._client.stream("GET", url, params=params, headers=headers) as response:
                target = response.headers.get("location", "")
                if not (300 <= response.status_code < 400 and target):
                    self._check(response, sent_token="authorization" in headers)
                    yield response
                    return
                url, params = self._redirected(response, target), None
        raise bad_answer(self._subject, "the server sends from one address to the next without an end")

    def _for(self, url: str, extra: Mapping[str, str]) -> httpx2.Headers:
        headers = self._headers.copy()
        headers.update(extra)
        if _origin(url) != _origin(self._endpoint):
            headers.pop("authorization", None)
        return headers

    def _redirected(self, response: httpx2.Response, target: str) -> str:
        new = response.url.join(target)
        is_downgrade = response.url.scheme == "https" and new.scheme != "https"
        if new.scheme not in ("http", "https") or not new.host or is_downgrade:
            raise bad_answer(self._subject, "the server sends to an address that is not safe")
        return str(new)

    def _check(self, response: httpx2.Response, *, sent_token: bool) -> None:
        if response.status_code == 416:
            raise bad_answer(self._subject, "the file is shorter than the Hub says")
        if response.status_code >= 400:
            raise refusal(response.status_code, response.headers, self._subject, self._page, sent_token)
        if not 200 <= response.status_code < 300:
            raise bad_answer(self._subject, f"the server answers with HTTP {response.status_code}")

    async def _body(self, response: httpx2.Response, most: int = 0) -> bytes:
        most = most or self._limits.body_bytes
        found = bytearray()
        async for chunk in response.aiter_bytes():
            found += chunk
            if len(found) > most:
                raise bad_answer(self._subject, "it is larger than any answer should be")
        return bytes(found)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _cursor(link: str) -> str:
    """Return the cursor in the address of a next page: the address itself may be another server's."""
    try:
        found = parse_qs(urlsplit(link).query).get("cursor", [""])[0]
    except ValueError:
        return ""
    return "" if len(found) > 2000 or _FORBIDDEN.search(found) else found
