"""One answer: read the prompt, draw tokens until something ends the answer, time each part."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.chat.options import AnswerOptions
from playground.engines.llama.cache import AbortFlag, Cache, CancelledError
from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.engines.llama.prompt import Prompt
from playground.engines.llama.sampler import Sampler
from playground.engines.llama.tokens import Tokenizer
from playground.engines.protocol import StopReason, Timings, Usage
from playground.engines.stops import StopStrings

OnText = Callable[[str, str, int, float], None]  # answer, reasoning, tokens so far, seconds since the first
OnRead = Callable[[int, int], None]  # prompt tokens in memory, of all


@dataclass(slots=True)
class _Clock:
    """Moments of one answer, seconds of ``time.perf_counter``."""

    asked: float
    reading: float = 0.0
    first: float | None = None
    last: float = 0.0


@dataclass(slots=True)
class Answer:
    """How an answer ended, with its figures."""

    stop: StopReason = "end"
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)


class Writer:
    """Writes one answer after another with one model. ``before_token`` runs between tokens and batches."""

    def __init__(
        self, model: Model, tokenizer: Tokenizer, abort: AbortFlag, before_token: Callable[[], None]
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._before_token = before_token
        self.cache = Cache(model, abort)

    def write(
        self, prompt: Prompt, options: AnswerOptions, asked: float, on_read: OnRead, on_text: OnText
    ) -> Answer:
        """Answer a prompt; ``asked`` is when the request came in, in ``time.perf_counter`` seconds."""
        clock = _Clock(asked)
        answer = Answer()
        stream = _Stream(prompt, options, on_text)
        sampler = Sampler(self._model, options.sampling)
        try:
            clock.reading = time.perf_counter()
            cached = self._read(prompt, on_read)
            answer.usage = Usage(len(prompt.tokens), cached)
            answer.stop = self._draw(sampler, options.max_tokens, stream, clock)
        except CancelledError:
            answer.stop = "cancelled"
        finally:
            sampler.close()
        stream.finish(clock)
        answer.usage = Usage(len(prompt.tokens), answer.usage.cached_tokens, stream.tokens)
        answer.timings = self._timings(clock, answer.usage)
        return answer

    def _read(self, prompt: Prompt, on_read: OnRead) -> int:
        tokens, total = prompt.tokens, len(prompt.tokens)
        cached = self.cache.reuse(tokens)
        on_read(cached, total)

        def progress(done: int) -> None:
            self._before_token()
            on_read(done, total)

        for mark in sorted(mark for mark in set(prompt.marks) if cached < mark < total):
            self.cache.evaluate(tokens[len(self.cache.tokens) : mark], progress)
            self.cache.checkpoint()
        self.cache.evaluate(tokens[len(self.cache.tokens) :], progress)
        L.llama_synchronize(self._model.native)
        return cached

    def _draw(self, sampler: Sampler, max_tokens: int, stream: _Stream, clock: _Clock) -> StopReason:
        while True:
            token = sampler.draw()
            clock.last = time.perf_counter()
            if clock.first is None:
                clock.first = clock.last
            if self._tokenizer.is_end(token):
                return "end"
            stream.take(self._tokenizer.piece(token), clock.last - clock.first)
            if stream.is_stopped:
                return "stop"
            if stream.tokens >= max_tokens:
                return "length"
            if self.cache.is_full:
                return "context"
            self._before_token()
            self.cache.append(token)

    @staticmethod
    def _timings(clock: _Clock, usage: Usage) -> Timings:
        read_until = clock.first if clock.first is not None else time.perf_counter()
        prompt_s = read_until - clock.reading
        decode_s = clock.last - clock.first if clock.first is not None else 0.0
        evaluated = usage.prompt_tokens - usage.cached_tokens
        steps = usage.completion_tokens - 1
        return Timings(
            prompt_s=prompt_s,
            first_token_s=clock.first - clock.asked if clock.first is not None else None,
            decode_s=decode_s,
            prompt_tokens_per_s=evaluated / prompt_s if clock.first is not None and prompt_s > 0 else None,
            decode_tokens_per_s=steps / decode_s if steps > 0 and decode_s > 0 else None,
        )


class _Stream:
    """Bytes of tokens in, decided answer and reasoning out, whole characters only."""

    def __init__(self, prompt: Prompt, options: AnswerOptions, on_text: OnText) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._splitter = prompt.splitter
        self._stops = StopStrings((*options.stop, *prompt.stop))
        self._on_text = on_text
        self.tokens = 0

    @property
    def is_stopped(self) -> bool:
        """Return whether a stop string ended the answer."""
        return self._stops.hit

    def take(self, piece: bytes, decode_s: float) -> None:
        """Take the bytes of one token."""
        self.tokens += 1
        answer, reasoning = self._splitter.feed(self._decoder.decode(piece))
        self._on_text(self._stops.feed(answer), reasoning, self.tokens, decode_s)

    def finish(self, clock: _Clock) -> None:
        """Let go what was held back."""
        fed, thought = self._splitter.feed(self._decoder.decode(b"", True))
        rest, more_thought = self._splitter.finish()
        answer = self._stops.feed(fed + rest) + self._stops.finish()
        decode_s = clock.last - clock.first if clock.first is not None else 0.0
        self._on_text(answer, thought + more_thought, self.tokens, decode_s)
