"""What a server's answer is worth: whether it is about the file that was asked for, and what a refusal means.

Pure: it looks at statuses and headers, and sends nothing.
"""

from __future__ import annotations

import re

from playground.errors import HubError, HubErrorKind
from playground.models.downloads.fetch_messages import Job
from playground.models.downloads.fetch_patience import Setback, asked_pause_s, lie
from playground.models.downloads.hub_web import Answer, FileFacts

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_EXPIRED = (401, 403, 404, 410)  # of a signed address


def check_facts(facts: FileFacts, job: Job) -> None:
    """Raise the Setback of a Hub that no longer says what it said when the job was made."""
    if facts.commit != job.commit:
        raise lie(f"it answers with another commit of {job.repo}")
    if job.sha256 and facts.etag != job.sha256:
        raise lie(f"{job.path} has another sha256 than it said before")
    if facts.size_bytes not in (None, job.size_bytes):
        raise lie(f"{job.path} has {facts.size_bytes} bytes, but it said {job.size_bytes} before")


def check_answer(answer: Answer, job: Job, start: int) -> None:
    """Raise the Setback of an answer that is not the file from byte ``start`` on, nor the whole file."""
    if answer.status not in (200, 206):
        raise _refused(answer, job)
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise lie("it packs what was asked for unpacked")
    length_bytes = job.size_bytes
    if answer.status == 206:
        length_bytes = _range_bytes(answer.headers.get("content-range", ""), job, start)
    if answer.length_bytes not in (None, length_bytes):
        raise lie(f"it announces {answer.length_bytes} bytes where there should be {length_bytes}")


def _range_bytes(text: str, job: Job, start: int) -> int:
    match = _RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) != start or not start <= int(match[2]) < job.size_bytes:
        raise lie(f"it sends another range than the one from byte {start} on", is_range=True)
    if match[3] not in ("*", str(job.size_bytes)):
        what = f"{job.path} has {match[3]} bytes in one answer and {job.size_bytes} in another"
        raise lie(what, is_range=True)
    return int(match[2]) - int(match[1]) + 1


def _refused(answer: Answer, job: Job) -> Setback:
    if answer.status == 416:
        return lie("it has no such range of the file", is_range=True)
    error = HubError(
        HubErrorKind.RATE_LIMITED if answer.status == 429 else HubErrorKind.SERVER,
        f"The server does not give {job.path} (HTTP {answer.status}).",
        hint="Try again in a few minutes; what is here is kept.",
    )
    keeps_address = answer.status not in _EXPIRED
    return Setback(error, pause_s=asked_pause_s(answer.headers), keeps_address=keeps_address)
