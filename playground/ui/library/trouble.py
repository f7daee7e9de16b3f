"""What the Library says when something fails: a title, a sentence, and the next step. Made from errors, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import HubError, HubErrorKind, PlaygroundError

_TITLES: dict[HubErrorKind, tuple[str, str]] = {
    HubErrorKind.OFFLINE: ("No connection to the Hub", "offline"),
    HubErrorKind.TIMEOUT: ("The Hub does not answer", "clock"),
    HubErrorKind.NOT_FOUND: ("There is no such model", "search"),
    HubErrorKind.GATED: ("Its author asks you to accept terms first", "lock"),
    HubErrorKind.TOKEN: ("The Hub refuses the token", "key"),
    HubErrorKind.RATE_LIMITED: ("The Hub asks for a pause", "clock"),
    HubErrorKind.SERVER: ("The Hub has a problem", "alert"),
    HubErrorKind.BAD_ANSWER: ("The Hub's answer makes no sense", "alert"),
}
_HELPED_BY_A_TOKEN = (HubErrorKind.GATED, HubErrorKind.TOKEN, HubErrorKind.RATE_LIMITED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure in words. ``url``: a page of the Hub where something can be done about it."""

    title: str
    text: str
    icon: str = "alert"
    url: str = ""
    wants_token: bool = False
    can_retry: bool = True
    is_offline: bool = False


def trouble_of(error: PlaygroundError) -> Trouble:
    """Return what to say about an error."""
    if not isinstance(error, HubError):
        return Trouble("That did not work", error.sentence())
    title, icon = _TITLES[error.kind]
    return Trouble(
        title,
        error.sentence(),
        icon,
        error.url if error.kind is HubErrorKind.GATED else "",
        wants_token=error.kind in _HELPED_BY_A_TOKEN,
        is_offline=error.kind in (HubErrorKind.OFFLINE, HubErrorKind.TIMEOUT),
    )
