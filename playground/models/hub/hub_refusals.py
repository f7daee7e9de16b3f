"""What a refusal of the Hub, or of the network, means for a person. Knows status codes and headers, sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.errors import HubError, HubErrorKind, one_line
from playground.models.hub.hub import TOKEN_PAGE

_RATE_LIMIT = re.compile(r";\s*t\s*=\s*(\d{1,6})")  # ratelimit: "api";r=0;t=55
_BAD_TOKEN = "Invalid credentials"  # noqa: S105 -- the Hub's words


def refusal(status: int, headers: Mapping[str, str], subject: str, page: str, sent_token: bool) -> HubError:
    """Return the error for an HTTP status of 400 or more. ``page``: where a person can look at the subject."""
    code = headers.get("x-error-code", "")
    words = one_line(headers.get("x-error-message", ""), 200)
    if status == 429:
        return _rate_limited(headers, sent_token)
    if code == "GatedRepo":
        return _gated(subject, page, sent_token)
    if status in (401, 403) and (words.startswith(_BAD_TOKEN) or (sent_token and code != "RepoNotFound")):
        return _token_refused(status, subject)
    if status in (401, 404) or code in ("RepoNotFound", "RevisionNotFound", "EntryNotFound", "DisabledRepo"):
        return _not_found(code, subject, words, page)
    if status >= 500:
        return HubError(
            HubErrorKind.SERVER,
            f"The Hub has trouble of its own (HTTP {status}).",
            hint="Try again in a minute.",
            detail=words,
        )
    said = f": {words}" if words else ""
    return HubError(HubErrorKind.SERVER, f"The Hub refuses {subject} (HTTP {status}){said}.", detail=words)


def timed_out(host: str) -> HubError:
    """Return the error for a server that says nothing."""
    return HubError(
        HubErrorKind.TIMEOUT, f"{host} does not answer.", hint="Try again, or check the connection."
    )


def unreachable(host: str, reason: str) -> HubError:
    """Return the error for a server that no connection leads to: no network, no name, a bad certificate."""
    why = " because its certificate is not trusted" if "CERTIFICATE" in reason.upper() else ""
    return HubError(
        HubErrorKind.OFFLINE,
        f"{host} cannot be reached{why}.",
        hint="Check the connection; models on this disk can be used without it.",
        detail=reason,
    )


def broken_off(host: str, reason: str) -> HubError:
    """Return the error for a connection that ended in the middle of an answer."""
    return HubError(
        HubErrorKind.SERVER, f"{host} broke the connection off.", hint="Try again.", detail=reason
    )


def bad_answer(subject: str, why: str) -> HubError:
    """Return the error for an answer that contradicts itself or what was asked."""
    return HubError(
        HubErrorKind.BAD_ANSWER, f"The answer about {subject} is wrong: {why}.", hint="Try again later."
    )


def _rate_limited(headers: Mapping[str, str], sent_token: bool) -> HubError:
    said = headers.get("retry-after", "").strip()
    window = _RATE_LIMIT.search(headers.get("ratelimit", ""))
    seconds = int(said) if said.isdecimal() and len(said) < 7 else int(window[1]) if window else None
    wait = f"in {seconds} seconds" if seconds is not None else "in a few minutes"
    more = "" if sent_token else " Logged in, more of them are allowed."
    return HubError(
        HubErrorKind.RATE_LIMITED,
        "The Hub was asked too often from here.",
        hint=f"Try again {wait}.{more}",
        retry_after_s=seconds,
    )


def _gated(subject: str, page: str, sent_token: bool) -> HubError:
    login = "" if sent_token else " Then set a token in the Library, or log in with: hf auth login"
    return HubError(
        HubErrorKind.GATED,
        f"{subject} is open only to those who accepted its terms.",
        hint=f"Open {page}, log in and accept them.{login}",
        url=page,
    )


def _token_refused(status: int, subject: str) -> HubError:
    if status == 403:
        return HubError(
            HubErrorKind.TOKEN,
            f"The Hub's token does not allow to read {subject}.",
            hint="Allow it in the token's settings, or use another one.",
            url=TOKEN_PAGE,
        )
    return HubError(
        HubErrorKind.TOKEN,
        "The Hub does not accept the token: it is wrong, or has run out.",
        hint="Make a new one in the Hub's settings, or forget it; most models need none.",
        url=TOKEN_PAGE,
    )


def _not_found(code: str, subject: str, words: str, page: str) -> HubError:
    if code == "DisabledRepo":
        return HubError(HubErrorKind.NOT_FOUND, f"The Hub has closed {subject}.", detail=words, url=page)
    hint = "Check its name; a private one needs a token."
    if code == "EntryNotFound":
        hint = "Its files may have changed: open the model again."
    if code == "RevisionNotFound":
        return HubError(
            HubErrorKind.NOT_FOUND, f"{subject} has no such revision.", hint="Use main.", detail=words
        )
    return HubError(HubErrorKind.NOT_FOUND, f"The Hub does not know {subject}.", hint=hint, detail=words)
