"""Evaluates the tokens of all answers under way, one batch after another (continuous batching).

Every answer has a sequence of the context; the others wait. A step takes the next token of each answer that is being
written, with a draft behind it where one is made, and fills the batch with what is left of prompts. An answer whose
cache was lost, or given up for another's, goes on: its tokens are evaluated again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from playground.engines.llama.abort import AbortFlag
from playground.engines.llama.context import AbortedError, Batch, Context, NoRoomError
from playground.engines.llama.drafting import Drafter
from playground.engines.llama.job import Job
from playground.engines.llama.sequence import Sequence
from playground.errors import EngineError

OnRead = Callable[[Job, int], None]  # tokens of the prompt that are in memory
OnDone = Callable[[Job], None]
OnFailed = Callable[[int, EngineError], None]


@dataclass(slots=True)
class _Part:
    """What one job has in a batch. ``outputs``: where logits were asked for, one more than there are drafts."""

    job: Job
    tokens: list[int]
    drafts: list[int]
    outputs: list[int]


class Scheduler:
    """Jobs in, finished jobs out, through the callbacks. ``totals``: tokens written for all jobs so far."""

    def __init__(
        self,
        context: Context,
        abort: AbortFlag,
        drafter: Drafter | None,
        *,
        keep: int,
        on_read: OnRead,
        on_done: OnDone,
        on_failed: OnFailed,
    ) -> None:
        self._context = context
        self._drafter = drafter
        self._keep = keep  # tokens at the beginning that a context shift never forgets
        self._on_read, self._on_done, self._on_failed = on_read, on_done, on_failed
        self._batch = Batch(512)
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self._idle = [Sequence(context, number) for number in range(context.sequences)]
        self._uses = 0
        self.totals = 0
        abort.attach(context.native)

    @property
    def is_busy(self) -> bool:
        """Return whether any answer is under way or waiting."""
        return bool(self._active or self._waiting)

    def add(self, jobs: list[Job]) -> None:
        """Take the jobs of one request: answers of the same prompt."""
        self._waiting.extend(jobs)

    def cancel(self, request: int) -> None:
        """End the jobs of a request, or with 0 of all."""
        for job in [*self._active, *self._waiting]:
            if request in (0, job.request):
                self._end(job, "cancelled")

    def fail(self, error: EngineError) -> None:
        """End all requests with an error."""
        for request in {job.request for job in (*self._active, *self._waiting)}:
            self._fail(request, error)
        for sequence in self._idle:  # nobody knows what they hold now
            sequence.clear()

    def step(self) -> None:
        """Evaluate one batch and draw from it. Never raises an EngineError: its jobs fail instead."""
        try:
            self._admit()
            parts = self._fill()
            if parts and self._evaluate(parts):
                for part in parts:
                    self._take_or_fail(part)
        except EngineError as error:
            self.fail(error)

    # ---- who takes part

    def _admit(self) -> None:
        held_back: list[Job] = []
        while self._waiting and self._idle:
            job = self._waiting.popleft()
            if self._lacks_room(job):
                held_back.append(job)
                break  # whoever comes later waits, too, or this one might wait for ever
            if self._leader_reads(job):
                held_back.append(job)
                continue
            self._seat(job, max(self._idle, key=lambda s, j=job: (s.usable(j.tokens), -s.used)))  # type: ignore[misc]
        self._waiting.extendleft(reversed(held_back))

    def _leader_reads(self, job: Job) -> bool:
        """Return whether another answer of the same prompt is still reading it: then this one joins it later."""
        return any(other.request == job.request and not other.written for other in self._active)

    def _lacks_room(self, job: Job) -> bool:
        """Return whether a job that was sent away for lack of room would soon have to leave again."""
        if job.cached is None or not self._active:
            return False
        taken = sum(len(other.tokens) for other in self._active)
        return taken + len(job.tokens) + self._context.n_ctx // 8 > self._context.n_ctx

    def _seat(self, job: Job, sequence: Sequence) -> None:
        self._take_seat(job, sequence)
        reused = sequence.reuse(job.tokens)
        if job.cached is None:
            job.cached = reused
            job.clock.reading = time.perf_counter()
            self._on_read(job, reused)

    def _take_seat(self, job: Job, sequence: Sequence) -> None:
        self._idle.remove(sequence)
        self._uses += 1
        sequence.used = self._uses
        job.sequence = sequence
        self._active.append(job)

    def _leave_seat(self, job: Job) -> None:
        if job.sequence is not None:
            self._idle.append(job.sequence)
            job.sequence = None
        if job in self._active:
            self._active.remove(job)
        if job in self._waiting:
            self._waiting.remove(job)

    # ---- one batch

    def _fill(self) -> list[_Part]:
        self._batch.clear()
        parts = []
        for job in self._writers_first():
            room = self._batch.capacity - len(self._batch)
            if room:
                parts.append(self._add(job, room))
        return parts

    def _writers_first(self) -> list[Job]:
        if len(self._active) < 2:
            return self._active
        return sorted(self._active, key=lambda job: len(job.pending) > 1)

    def _add(self, job: Job, room: int) -> _Part:
        sequence, batch = job.sequence, self._batch
        assert sequence is not None
        start = len(sequence.tokens)
        end = min(job.next_mark(), start + room)
        tokens = job.tokens[start:end]
        is_last = end == len(job.tokens)
        # No draft behind a prompt: other answers of it begin from its state.
        may_draft = is_last and len(tokens) == 1 and job.written > 0
        drafts = self._drafts(job, room - len(tokens)) if may_draft else []
        outputs = []
        for offset, token in enumerate([*tokens, *drafts]):
            wants = is_last and offset >= len(tokens) - 1
            index = batch.add(token, start + offset, sequence.number, wants_logits=wants)
            if wants:
                outputs.append(index)
        return _Part(job, tokens, drafts, outputs)

    def _drafts(self, job: Job, room: int) -> list[int]:
        if self._drafter is None or job.sequence is None:
            return []
        left = job.options.max_tokens - job.written - 1
        most = min(room, left, self._context.n_ctx - len(job.tokens) - 1)
        return self._drafter.propose(job.tokens, job.sequence.number, most) if most > 0 else []

    def _evaluate(self, parts: list[_Part]) -> bool:
        try:
            self._context.evaluate(self._batch)
        except AbortedError:
            for part in parts:
                assert part.job.sequence is not None
                part.job.sequence.settle()
            return False
        except NoRoomError:
            self._make_room()
            return False
        if self._drafter is not None:
            self._drafter.follow(self._context, self._batch)
        return True

    def _make_room(self) -> None:
        """Forget what nobody uses; else the youngest of several answers waits; a single one is at its end."""
        if any(sequence.tokens for sequence in self._idle):
            for sequence in self._idle:
                sequence.clear()
            return
        youngest = self._active[-1]
        if len(self._active) == 1:
            self._end(youngest, "context")
            return
        assert youngest.sequence is not None
        youngest.sequence.clear()
        self._leave_seat(youngest)
        self._waiting.appendleft(youngest)

    # ---- what comes of it

    def _take_or_fail(self, part: _Part) -> None:
        sequence = part.job.sequence
        assert sequence is not None
        try:
            self._take(part)
        except EngineError as error:  # its grammar's fault: the others go on
            self._fail(part.job.request, error)
            sequence.clear()

    def _take(self, part: _Part) -> None:
        job, sequence = part.job, part.job.sequence
        assert sequence is not None
        sequence.took(part.tokens, len(part.drafts))
        if len(sequence.tokens) in job.marks:
            sequence.checkpoint()
        if not job.written:
            self._on_read(job, len(sequence.tokens))
        if not part.outputs:
            return
        if not job.written:
            self._join(job, part.outputs[0])
        self._draw(part)

    def _draw(self, part: _Part) -> None:
        job, sequence = part.job, part.job.sequence
        assert sequence is not None
        accepted = 0
        for index, draft in zip(part.outputs, [*part.drafts, None], strict=True):
            size = len(job.tokens)
            token = self._draw_one(job, index)
            accepted += token == draft and job.stop is None
            if (
                token != draft or len(job.tokens) != size + 1
            ):  # another token, the end, or a closing put behind it
                break
        if part.drafts:
            sequence.tokens.extend(part.drafts)
            sequence.cut(len(sequence.tokens) - len(part.drafts) + accepted)
            use = job.draft
            job.draft = msgspec.structs.replace(
                use, drafted=use.drafted + len(part.drafts), accepted=use.accepted + accepted
            )
            assert self._drafter is not None
            self._drafter.accepted(sequence.number, accepted)
        if job.stop is not None:
            self._end(job, job.stop)
        elif len(job.tokens) > self._context.n_ctx and not self._shift(job):
            self._end(job, "context")

    def _draw_one(self, job: Job, index: int) -> int:
        before = job.written
        token = job.draw(self._context.native, index)
        self.totals += job.written - before
        if not before:
            job.totals_at_first = self.totals
        return token

    def _join(self, leader: Job, index: int) -> None:
        """Let the waiting answers of the same prompt begin from the logits that are there."""
        assert leader.sequence is not None
        for job in [job for job in self._waiting if job.request == leader.request]:
            if not self._idle or job.written:
                return
            self._waiting.remove(job)
            self._take_seat(job, min(self._idle, key=lambda sequence: sequence.used))
            assert job.sequence is not None
            job.sequence.copy_from(leader.sequence)
            job.cached = len(job.tokens)
            job.clock.reading = leader.clock.reading
            if self._drafter is not None:
                self._drafter.copied(leader.sequence.number, job.sequence.number)
            self._draw(_Part(job, [], [], [index]))

    def _shift(self, job: Job) -> bool:
        """Forget the older half of the conversation, when that was chosen and can be done."""
        if not job.options.context_shift or job.sequence is None:
            return False
        discard = (len(job.tokens) - self._keep) // 2
        if discard < 1 or not job.sequence.shift(self._keep, discard):
            job.warnings.append("The context was full, and this model cannot forget its oldest part.")
            return False
        job.forget(self._keep, discard)
        return True

    def _end(self, job: Job, stop: str) -> None:
        self._leave_seat(job)
        job.finish(stop)  # type: ignore[arg-type]
        self._on_done(job)

    def _fail(self, request: int, error: EngineError) -> None:
        for job in [*self._active, *self._waiting]:
            if job.request == request:
                self._leave_seat(job)
                job.finish("error")
        self._on_failed(request, error)
