"""From a saved answer to its result: the code is taken out of it and run, if there is any. Never raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playground import logs
from playground.bench.extract import extract
from playground.bench.judge import judge
from playground.bench.outcome import Extracted, Judged, Outcome
from playground.bench.record import Answer, Result
from playground.bench.sandbox import Sandbox
from playground.bench.task import Task
from playground.errors import PlaygroundError

_log = logs.get("bench")
Extract = Callable[[Answer, Task], Extracted]
Judge = Callable[[Task, str], Awaitable[Judged]]


class Judging:
    """How answers are judged in one run. ``extract`` and ``judge`` replace the app's own."""

    def __init__(
        self, sandbox: Sandbox, *, extract: Extract | None = None, judge: Judge | None = None
    ) -> None:
        self._sandbox = sandbox
        self._extract = extract or extracted
        self._judge = judge or self._judge_in_sandbox

    async def result(self, answer: Answer, task: Task) -> Result:
        """Return what became of an answer. Its program runs in the sandbox; with none it does not run at all."""
        if answer.stop == "error":
            found = Extracted("", answer.error or "The model gave no answer.", Outcome.NO_ANSWER)
        else:
            found = self._extract(answer, task)
        if found.outcome is not None:
            judged = Judged(found.outcome, total=len(task.cases), message=found.how)
        else:
            judged = await self._judged(task, found.code)
        return Result(answer.slot, answer.task, answer.sample, found, judged)

    async def _judged(self, task: Task, code: str) -> Judged:
        try:
            return await self._judge(task, code)
        except PlaygroundError as error:  # the sandbox could not be started
            _log.info("not judged: %s", error.message)
            return Judged(Outcome.NOT_RUN, total=len(task.cases), message=error.sentence())

    async def _judge_in_sandbox(self, task: Task, code: str) -> Judged:
        return await judge(task, code, self._sandbox)


def extracted(answer: Answer, task: Task) -> Extracted:
    """Return the code of an answer."""
    own = answer.text.removeprefix(answer.answer_prefix)
    return extract(own, task, stop=answer.stop, reasoning=answer.reasoning, prefix=answer.answer_prefix)
