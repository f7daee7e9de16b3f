"""The one error tree: only these reach a person, everything else is a bug.

    PlaygroundError
    ├── UsageError        the command line or a form was filled in wrongly
    ├── ModelError        a model file is missing, unreadable, not a GGUF, or does not fit
    │   └── NotFoundError   there is no such file, or it is not in the cache
    ├── EngineError       an engine process could not load or answer (``kind`` says how)
    ├── HubError          the Hub cannot be reached, refuses, or answers wrongly (``kind`` says how)
    ├── DownloadError     a file could not be fetched whole (``kind`` says how); what is here is kept
    ├── SuiteError        a suite or a run file is damaged (file and key are named)
    ├── ResourceError     a file that ships with the app is missing or damaged
    └── SetupError        the machine lacks something the app needs (compiler, library, display, starter)

Third-party exceptions are translated in the one file that talks to the library, with ``raise … from``.
"""

from __future__ import annotations

from enum import StrEnum

_LONGEST_CHARS = 1000


def one_line(text: str, longest: int = _LONGEST_CHARS) -> str:
    """Return a text as one line that any terminal can show, at most ``longest`` characters.

    Reasons quote files and native code, and those may hold line ends, terminal commands or megabytes.
    """
    head = text[: 2 * longest]
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in head)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest and len(head) == len(text) else f"{shown[: longest - 2].rstrip()} …"


class PlaygroundError(Exception):
    """What failed and why (``message``), what to do next (``hint``), evidence for the curious (``detail``).

    Message and hint are one printable line each, whatever they quote.
    """

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        self.message = one_line(message)
        self.hint = one_line(hint)
        self.detail = detail
        super().__init__(self.message)

    def sentence(self) -> str:
        """Return message and hint as text for one line."""
        return f"{self.message} {self.hint}".strip()


class UsageError(PlaygroundError):
    """The command line or a form was filled in wrongly."""


class ModelError(PlaygroundError):
    """A model file is missing, unreadable, not a GGUF, or does not fit this machine."""


class NotFoundError(ModelError):
    """There is no such model file on this disk."""


class ErrorKind(StrEnum):
    """How an engine failed. The values are part of the schema ``playground.compare/1``."""

    NOT_FOUND = "not_found"
    LOAD_FAILED = "load_failed"
    OUT_OF_MEMORY = "out_of_memory"
    PROMPT = "prompt"  # empty, or longer than the context
    TEMPLATE = "template"  # the model's chat template cannot render this conversation
    CRASHED = "crashed"  # the process died: signal or exit status in the message
    PROTOCOL = "protocol"  # the process said something that is not the protocol
    STOPPED = "stopped"  # the process no longer answers
    DEVICE_LOST = "device_lost"  # an RPC server cannot be reached, or went away while it was in use
    INTERNAL = "internal"


class EngineError(PlaygroundError):
    """An engine process could not load a model or answer a prompt.

    ``needed_tokens``: the context that was asked for or that the prompt takes; ``fitting_tokens``: the largest that
    there is room for. None where that is not known.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        needed_tokens: int | None = None,
        fitting_tokens: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.kind = kind
        self.needed_tokens = needed_tokens
        self.fitting_tokens = fitting_tokens


class HubErrorKind(StrEnum):
    """How a question to the Hub failed."""

    OFFLINE = "offline"  # no connection, no name, or the user switched it off
    TIMEOUT = "timeout"
    NOT_FOUND = "not_found"
    GATED = "gated"  # the terms are not accepted, or nobody is logged in
    TOKEN = "token"  # noqa: S105 -- the token is refused
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    BAD_ANSWER = "bad_answer"


class HubError(PlaygroundError):
    """The Hub cannot be reached, refuses, or answers wrongly. ``url``: the page where a person can do something.

    ``retry_after_s``: how long the Hub wants to be left alone, None where it does not say.
    """

    def __init__(
        self,
        kind: HubErrorKind,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        url: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.kind = kind
        self.url = url
        self.retry_after_s = retry_after_s


class DownloadErrorKind(StrEnum):
    """How a download failed."""

    HUB = "hub"  # what a HubError says
    DISK_FULL = "disk_full"
    PERMISSION = "permission"
    CORRUPT = "corrupt"  # twice not what the Hub's sha256 says
    LYING = "lying"  # sizes or ranges that contradict each other
    BUSY = "busy"  # another process is fetching the same file
    NETWORK = "network"  # no progress after all tries


class DownloadError(PlaygroundError):
    """A file could not be fetched whole. What is here is kept, unless it is known to be wrong."""

    def __init__(self, kind: DownloadErrorKind, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.kind = kind


class SuiteError(PlaygroundError):
    """A suite, a task or a run file is damaged or of a version that is not known."""


class ResourceError(PlaygroundError):
    """A file that ships with the app is missing or damaged."""


class SetupError(PlaygroundError):
    """The machine lacks something the app needs."""
