"""What can go wrong at the fake Hub: one fault strikes the requests that it is meant for, some times or always."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal[
    "status",  # answers ``status`` with ``headers``, nothing else
    "html",  # answers 200 with a page that is not JSON
    "hang",  # says nothing for ``seconds``
    "truncate",  # closes in order after ``after`` bytes
    "reset",  # resets the connection after ``after`` bytes; 0: before any answer
    "stall",  # sends nothing more after ``after`` bytes for ``seconds``
    "slow",  # sends ``rate`` bytes a second
    "flip",  # flips one bit of the byte at ``after`` of the body
    "short_length",  # Content-Length is 1,000 too small, and that is all that is sent
    "long_length",  # Content-Length is 1,000 too large; then the connection is closed
    "no_length",  # no Content-Length: the end of the connection is the end of the body
    "more",  # sends 1,000 bytes more than the file has, and says so
    "ignore_range",  # answers 200 with the whole file
    "restart",  # the same, and closes after ``after`` bytes
    "wrong_range",  # Content-Range and bytes begin 10 later than was asked for
    "wrong_total",  # Content-Range tells another size of the file
    "no_range",  # 206 without Content-Range
    "wrong_size",  # X-Linked-Size is 1,000 too large
    "wrong_hash",  # X-Linked-ETag is of another file
    "no_commit",  # no X-Repo-Commit
    "no_etag",  # neither ETag nor X-Linked-ETag
    "loop",  # redirects to itself
    "gzip",  # compresses although nobody asked for it
]


@dataclass
class Fault:
    """One fault. ``path`` is searched (regular expression) in the request's path; CDN paths end with the file's name.

    ``times``: how many requests it strikes, -1 for all. ``skip``: how many of them it lets pass first.
    ``on_range``: only requests with (True) or without (False) a Range header.
    """

    kind: FaultKind
    path: str = ""
    method: str = "GET"  # "*": any
    times: int = 1
    skip: int = 0
    after: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    rate: int = 0
    seconds: float = 3600.0
    on_range: bool | None = None

    def strikes(self, method: str, path: str, *, has_range: bool) -> bool:
        """Return whether it strikes this request, and count it."""
        is_meant = (
            self.method in ("*", method)
            and re.search(self.path, path) is not None
            and self.on_range in (None, has_range)
        )
        if not is_meant or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        return True


@dataclass
class Request:
    """One request as the log keeps it. ``sent``: bytes of a file's body; ``status`` 0: it was not answered."""

    origin: Literal["api", "cdn"]
    method: str
    path: str  # decoded, without the query
    query: str
    headers: dict[str, str]  # names in lower case
    at_s: float
    status: int = 0
    sent: int = 0
    error: str = ""

    @property
    def range(self) -> str:
        """Return the Range header, empty without one."""
        return self.headers.get("range", "")
