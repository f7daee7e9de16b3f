"""Collects what the tests of one program said, and sums it up as the judge's word. Runs nothing."""

from __future__ import annotations

from time import perf_counter

from playground.bench.judge_text import log_text, visible
from playground.bench.outcome import CaseResult, Judged, Outcome
from playground.bench.sandbox.values import Sandbox, Stop, StoppedError

NOT_REACHED = "not reached"
_OUTCOMES = {
    Stop.TIME: Outcome.TIMEOUT,
    Stop.CPU: Outcome.TIMEOUT,
    Stop.ENDED: Outcome.ERROR,
    Stop.PROTOCOL: Outcome.ERROR,
}
_MESSAGE_CHARS = 400


class Tally:
    """The cases so far. The first that failed gives the outcome and the message."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._started = sandbox, perf_counter()
        self._cases: list[CaseResult] = []
        self._outcome, self._message = Outcome.PASS, ""
        self._log, self._peak_bytes = "", 0

    @property
    def count(self) -> int:
        """Return how many cases have been judged."""
        return len(self._cases)

    def passed(self, name: str, given: str = "", expected: str = "", got: str = "") -> None:
        """Note a case that passed."""
        self._cases.append(CaseResult(name, True, given, expected, got))

    def failed(self, outcome: Outcome, message: str, case: CaseResult) -> None:
        """Note a case that failed."""
        self._cases.append(case)
        self.problem(outcome, message)

    def problem(self, outcome: Outcome, message: str) -> None:
        """Note why the program is not right, unless something said so before."""
        if self._outcome is Outcome.PASS:
            self._outcome, self._message = outcome, visible(" ".join(message.split()), _MESSAGE_CHARS)

    def stopped(self, why: StoppedError, name: str = "", given: str = "", expected: str = "") -> None:
        """Note that there will be no more answers; the case that was under way failed by it."""
        if name:
            self._cases.append(CaseResult(name, False, given, expected, why.text))
        self.problem(_OUTCOMES.get(why.kind, Outcome.LIMIT), why.text)

    def not_reached(self, name: str, given: str = "", expected: str = "") -> None:
        """Note a case that could not be run any more."""
        self._cases.append(CaseResult(name, False, given, expected, NOT_REACHED))

    def seen(self, log: str, peak_bytes: int) -> None:
        """Note what a process printed and the most memory that it used."""
        self._log += log
        self._peak_bytes = max(self._peak_bytes, peak_bytes)

    def judged(self, total: int = 0) -> Judged:
        """Return the judge's word. ``total``: the number of cases where that is more than were noted."""
        passed = sum(case.passed for case in self._cases)
        return Judged(
            self._outcome,
            tuple(self._cases),
            passed,
            max(total, len(self._cases)),
            self._message,
            log_text(self._log),
            perf_counter() - self._started,
            self._peak_bytes,
            self._sandbox.name,
        )
