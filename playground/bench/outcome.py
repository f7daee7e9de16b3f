"""What became of one answer: the code that was taken from it, and what the tests said. Frozen values."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How one answer ended. Only ``PASS`` counts as solved."""

    PASS = "pass"  # noqa: S105
    WRONG = "wrong"  # a test got another value
    ERROR = "error"  # it raised, or does not compile
    TIMEOUT = "timeout"
    LIMIT = "limit"  # memory, processes, output
    FORBIDDEN = "forbidden"  # it uses what the task forbids
    NO_CODE = "no_code"
    CUT_OFF = "cut_off"  # the answer reached its token limit before the code ended
    THINKING = "thinking"  # the reasoning used the whole budget
    REFUSED = "refused"
    NOT_RUN = "not_run"  # there is no sandbox, and nobody allowed to run it
    NO_ANSWER = "no_answer"  # the model died or was stopped


class Extracted(msgspec.Struct, frozen=True):
    """The code of an answer. ``how``: a sentence about what was taken and why. ``outcome``: set when there is none."""

    code: str
    how: str
    outcome: Outcome | None = None


class CaseResult(msgspec.Struct, frozen=True):
    """One test in plain text that is safe to show: what went in, what was expected, what came."""

    name: str
    passed: bool
    input: str = ""
    expected: str = ""
    got: str = ""


class Judged(msgspec.Struct, frozen=True):
    """The judge's word on one program. ``log``: what it printed, plain text, bounded. ``sandbox``: the backend's name."""

    outcome: Outcome
    cases: tuple[CaseResult, ...] = ()
    passed: int = 0
    total: int = 0
    message: str = ""
    log: str = ""
    duration_s: float = 0.0
    peak_bytes: int = 0
    sandbox: str = ""
