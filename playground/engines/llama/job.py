"""One answer under way: the tokens it consists of, the text they make, when it ends, how long each part took."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.chat.options import AnswerOptions
from playground.engines.llama.prompt import Prompt
from playground.engines.llama.sampler import Sampler
from playground.engines.llama.sequence import Sequence
from playground.engines.llama.tokens import Tokenizer
from playground.engines.protocol import DraftUse, StopReason, Timings, Usage
from playground.engines.reasoning import TAGS
from playground.engines.stops import StopStrings

OnText = Callable[[str, str, int, float], None]  # answer, reasoning, tokens so far, seconds since the first
_NO_TOKEN = -1


@dataclass(slots=True)
class Clock:
    """Moments of one answer, seconds of ``time.perf_counter``."""

    asked: float
    reading: float | None = None
    first: float | None = None
    last: float = 0.0

    @property
    def decode_s(self) -> float:
        """Return the time from the first token to the last."""
        return self.last - self.first if self.first is not None else 0.0


class Job:
    """Tokens in, text out. ``tokens``: the prompt and all that was written; ``stop`` is set when it is over."""

    def __init__(
        self,
        request: int,
        sample: int,
        prompt: Prompt,
        options: AnswerOptions,
        sampler: Sampler,
        tokenizer: Tokenizer,
        clock: Clock,
        on_text: OnText,
    ) -> None:
        self.request, self.sample = request, sample
        self.prompt, self.options = prompt, options
        self.tokens = list(prompt.tokens)
        self.marks = frozenset(mark for mark in prompt.marks if 0 < mark < len(prompt.tokens))
        self.sequence: Sequence | None = None
        self.stop: StopReason | None = None
        self.cached: int | None = None
        self.draft = DraftUse()
        self.warnings: list[str] = []
        self.clock = clock
        self.totals_at_first = 0
        self.sampling_order = sampler.order()
        self._sampler = sampler
        self._tokenizer = tokenizer
        self._openings = tokenizer.single_tokens(tag for tag, _ in TAGS)
        self._stream = _Stream(prompt, options, on_text)
        self._reasoning_left = options.reasoning_budget
        self._forgotten = 0

    @property
    def written(self) -> int:
        """Return how many tokens the answer has, its reasoning included."""
        return self._stream.tokens

    @property
    def pending(self) -> list[int]:
        """Return the tokens that are still to be evaluated."""
        return self.tokens[len(self.sequence.tokens) :] if self.sequence is not None else []

    def next_mark(self) -> int:
        """Return the length up to which tokens may be evaluated before a checkpoint is worth it, if any is needed."""
        if self.sequence is None or not self.sequence.needs_checkpoints:
            return len(self.tokens)
        done = len(self.sequence.tokens)
        return min((mark for mark in self.marks if mark > done), default=len(self.tokens))

    def draw(self, context: Any, index: int) -> int:  # noqa: ANN401 -- an opaque pointer
        """Draw a token from the logits at ``index`` of the last batch, take it and return it.

        Where the reasoning is at its limit, what closes it is taken instead, and -1 returned.
        """
        if self._is_budget_used():
            self._close_reasoning()
            return _NO_TOKEN
        exempt = self._openings if self._stream.may_open else ()
        token = self._sampler.draw(context, index, constrained=self._stream.in_answer, exempt=exempt)
        self._take(token)
        return token

    def forget(self, keep: int, discard: int) -> None:
        """Forget tokens behind the first ``keep``, as the context did."""
        del self.tokens[keep : keep + discard]
        self.marks = frozenset()
        self._forgotten += discard

    def finish(self, stop: StopReason) -> None:
        """Let go what was held back, and free the sampler."""
        self.stop = self.stop or stop
        if self._forgotten:
            self.warnings.append(
                f"The context was full: the oldest {self._forgotten:,} tokens were forgotten."
            )
        self._stream.finish(self.clock)
        self._sampler.close()

    def usage(self) -> Usage:
        """Return the tokens."""
        return Usage(len(self.prompt.tokens), self.cached or 0, self.written)

    def timings(self, totals: int) -> Timings:
        """Return where the time went. ``totals``: the tokens of all answers so far."""
        clock, usage = self.clock, self.usage()
        reading = clock.reading if clock.reading is not None else time.perf_counter()
        read_until = clock.first if clock.first is not None else time.perf_counter()
        prompt_s, decode_s = max(read_until - reading, 0.0), clock.decode_s
        evaluated, steps = usage.prompt_tokens - usage.cached_tokens, usage.completion_tokens - 1
        others = totals - self.totals_at_first
        has_speed = steps > 0 and decode_s > 0
        return Timings(
            prompt_s=prompt_s,
            first_token_s=clock.first - clock.asked if clock.first is not None else None,
            decode_s=decode_s,
            prompt_tokens_per_s=evaluated / prompt_s if clock.first and evaluated and prompt_s > 0 else None,
            decode_tokens_per_s=steps / decode_s if has_speed else None,
            total_tokens_per_s=others / decode_s if has_speed else None,
        )

    def _take(self, token: int) -> None:
        clock = self.clock
        clock.last = time.perf_counter()
        if clock.first is None:
            clock.first = clock.last
        if self._tokenizer.is_end(token):
            self.stop = "end"
            return
        self.tokens.append(token)
        was_reasoning = self._stream.in_reasoning
        self._stream.take(self._tokenizer.piece(token), clock.decode_s)
        if was_reasoning and self._reasoning_left is not None:
            self._reasoning_left -= 1
        if self._stream.is_stopped:
            self.stop = "stop"
        elif self.written >= self.options.max_tokens:
            self.stop = "length"

    def _is_budget_used(self) -> bool:
        left = self._reasoning_left
        is_used = left is not None and left <= 0 and self._stream.in_reasoning
        return is_used and not self._stream.is_in_character

    def _close_reasoning(self) -> None:
        self._reasoning_left = None  # closed once; a model that begins to think again may
        self.warnings.append("The reasoning was closed at its limit, so that the model could answer.")
        for token in self._tokenizer.encode(self._stream.closing, special=True):
            self._sampler.accept(token)
            self._take(token)
            if self.stop is not None:
                break


class _Stream:
    """Bytes of tokens in, decided answer and reasoning out, whole characters only."""

    def __init__(self, prompt: Prompt, options: AnswerOptions, on_text: OnText) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._splitter = prompt.splitter()
        self._stops = StopStrings((*options.stop, *prompt.stop))
        self._on_text = on_text
        self.tokens = 0

    @property
    def is_stopped(self) -> bool:
        """Return whether a stop string ended the answer."""
        return self._stops.hit

    @property
    def in_answer(self) -> bool:
        """Return whether what comes next is the answer."""
        return self._splitter.in_answer

    @property
    def in_reasoning(self) -> bool:
        """Return whether what comes next is reasoning."""
        return self._splitter.in_reasoning

    @property
    def may_open(self) -> bool:
        """Return whether reasoning may still begin with its tag."""
        return self._splitter.may_open

    @property
    def is_in_character(self) -> bool:
        """Return whether the bytes so far end inside a character."""
        return bool(self._decoder.getstate()[0])

    @property
    def closing(self) -> str:
        """Return what ends the reasoning."""
        return self._splitter.closing

    def take(self, piece: bytes, decode_s: float) -> None:
        """Take the bytes of one token."""
        self.tokens += 1
        answer, reasoning = self._splitter.feed(self._decoder.decode(piece))
        self._on_text(self._stops.feed(answer), reasoning, self.tokens, decode_s)

    def finish(self, clock: Clock) -> None:
        """Let go what was held back."""
        fed, thought = self._splitter.feed(self._decoder.decode(b"", True))
        rest, more_thought = self._splitter.finish()
        answer = self._stops.feed(fed + rest) + self._stops.finish()
        self._on_text(answer, thought + more_thought, self.tokens, clock.decode_s)
