"""From a conversation to the tokens of a prompt: the model's chat template, or plain text for a base model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.chat.messages import Message
from playground.chat.options import AnswerOptions
from playground.engines.llama.model import Model
from playground.engines.llama.tokens import Tokenizer
from playground.engines.plain import plain_prompt
from playground.engines.reasoning import HARMONY_MARKS, TAG_MARKS, PlainSplitter, Splitter, splitter_for
from playground.engines.template import ChatTemplate
from playground.engines.template_check import complaint
from playground.errors import EngineError, ErrorKind

_HARMONY_SIGN = "<|channel|>"


@dataclass(frozen=True, slots=True)
class Prompt:
    """``tokens`` to evaluate, ``marks``: lengths at which a later prompt is likely to part from this one.

    ``splitter`` makes what tells reasoning from answer, anew for each answer.
    """

    tokens: list[int]
    marks: tuple[int, ...]
    splitter: Callable[[], Splitter]
    prefix: str = ""
    stop: tuple[str, ...] = ()


class PromptMaker:
    """Makes prompts for one model. ``warnings`` say what is wrong with its template.

    ``template`` replaces the file's own; an empty one makes the plain prompt of a base model.
    """

    def __init__(self, model: Model, n_ctx: int, template: str | None = None) -> None:
        source = model.chat_template() if template is None else template
        self.is_base = not (source or "").strip()
        self.is_harmony = _HARMONY_SIGN in (source or "")
        shown = HARMONY_MARKS if self.is_harmony else TAG_MARKS
        self.tokenizer = Tokenizer(model, shown)
        self.warnings: tuple[str, ...] = ()
        self._template: ChatTemplate | None = None
        self._template_error: EngineError | None = None
        self._n_ctx = n_ctx
        if source and not self.is_base:
            self._compile(source)

    @property
    def thinks(self) -> bool:
        """Return whether the model's reasoning can be told apart or switched."""
        return self.is_harmony or bool(self._template and self._template.knows_thinking)

    def make(self, messages: Sequence[Message], options: AnswerOptions) -> Prompt:
        """Return the prompt. Raises EngineError: empty, longer than the context, or a template that fails."""
        if not messages or not (messages[-1].text.strip() or (messages[-1].completion or "").strip()):
            raise EngineError(
                ErrorKind.PROMPT, "The prompt is empty.", hint="Write what the model should do."
            )
        prompt = self._plain(messages) if self.is_base else self._chat(messages, options)
        if not prompt.tokens:
            raise EngineError(ErrorKind.PROMPT, "The prompt has no tokens.", hint="Write more.")
        if len(prompt.tokens) >= self._n_ctx:
            raise EngineError(
                ErrorKind.PROMPT,
                f"The prompt has {len(prompt.tokens):,} tokens, but the context holds {self._n_ctx:,}.",
                hint=f"Shorten it, or choose a context above {len(prompt.tokens):,} tokens.",
                needed_tokens=len(prompt.tokens),
                fitting_tokens=self._n_ctx,
            )
        return prompt

    def count(self, messages: Sequence[Message], options: AnswerOptions) -> int:
        """Return how many tokens the prompt of a conversation has. Raises EngineError for a failing template."""
        if self.is_base:
            return len(self._plain(messages).tokens)
        return len(self.tokenizer.encode_prompt(self._rendered(messages, options), special=True))

    def _plain(self, messages: Sequence[Message]) -> Prompt:
        plain = plain_prompt(messages)
        tokens = self.tokenizer.encode_prompt(plain.text, special=False)
        return Prompt(tokens, (len(tokens) - 1,), PlainSplitter, plain.prefix, plain.stop)

    def _chat(self, messages: Sequence[Message], options: AnswerOptions) -> Prompt:
        text = self._rendered(messages, options)
        tokens = self.tokenizer.encode_prompt(text, special=True)
        fits = len(tokens) < self._n_ctx  # else it is refused, and a second cut would be for nothing
        marks = (self._shared_with_next(messages, options, tokens), len(tokens) - 1) if fits else ()
        return Prompt(tokens, marks, lambda: splitter_for(text, harmony=self.is_harmony))

    def _rendered(
        self, messages: Sequence[Message], options: AnswerOptions, *, open_answer: bool = True
    ) -> str:
        if self._template is None:
            assert self._template_error is not None
            raise self._template_error
        return self._template.render(messages, _arguments(options), open_answer=open_answer)

    def _shared_with_next(
        self, messages: Sequence[Message], options: AnswerOptions, tokens: list[int]
    ) -> int:
        """Return the length up to the end of the last user turn: the next turn's prompt repeats at least that."""
        try:
            closed = self._rendered(messages, options, open_answer=False)
        except EngineError:
            return 0
        shared = 0
        for left, right in zip(self.tokenizer.encode_prompt(closed, special=True), tokens, strict=False):
            if left != right:
                break
            shared += 1
        return shared

    def _compile(self, source: str) -> None:
        tokenizer = self.tokenizer
        special = {
            "bos_token": tokenizer.text_of(tokenizer.bos),
            "eos_token": tokenizer.text_of(tokenizer.eos),
        }
        try:
            self._template = ChatTemplate(source, special)
        except EngineError as error:
            self._template_error = error
            self.warnings = (error.message,)
            return
        if found := complaint(self._template):
            self.warnings = (found,)


def _arguments(options: AnswerOptions) -> dict[str, object]:
    """Return the template's keyword arguments; what was not chosen stays undefined in the template."""
    named = {
        "enable_thinking": options.thinking,
        "preserve_thinking": options.preserve_thinking,
        "reasoning_effort": options.reasoning_effort,
    }
    return {name: value for name, value in named.items() if value is not None}
