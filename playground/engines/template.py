"""Chat templates: a GGUF's own Jinja, rendered as Hugging Face's tokenizers render it, behind limits.

A template comes with a downloaded file, so it is hostile until shown otherwise: the environment is sandboxed,
a render ends after ``TIME_LIMIT_S``, its output at ``OUTPUT_LIMIT_CHARS``, its memory as in ``limits``. Single steps
that could take longer than that (huge numbers, some filters) are refused. Runs in the worker process, on any thread.
Knows no llama.cpp.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.filters
import jinja2.nodes
import jinja2.sandbox

from playground.chat.messages import Message, Role
from playground.engines.limits import TimeUpError, limited
from playground.errors import EngineError, ErrorKind, one_line

TIME_LIMIT_S = 2.0
OUTPUT_LIMIT_CHARS = 16 << 20
_SOURCE_LIMIT_CHARS = 1 << 20
_NUMBER_LIMIT_BITS = 4096
_REPEAT_LIMIT = 1 << 20
_LONGEST_ROUNDING = 100


class _Generation(jinja2.ext.Extension):
    """``{% generation %}`` marks the model's own words for training; for a prompt it is transparent."""

    tags = {"generation"}  # noqa: RUF012 -- Jinja's own form

    def parse(self, parser: Any) -> Any:  # noqa: ANN401 -- Jinja's parser is untyped here
        """Return the block's body unchanged."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """The sandbox, with numbers and repetitions kept small."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Refuse what grows without bound; it cannot be interrupted."""
        is_small = _is_small(left) and _is_small(right)
        if operator == "*":
            is_small = is_small and _repeats(left, right) <= _REPEAT_LIMIT >= _repeats(right, left)
        if operator == "**" or not is_small:
            raise jinja2.exceptions.SecurityError("a number or a repetition grows too large")
        return super().call_binop(context, operator, left, right)


def _is_small(value: object) -> bool:
    return not isinstance(value, int) or value.bit_length() < _NUMBER_LIMIT_BITS


def _repeats(value: object, other: object) -> int:
    return len(value) * other if isinstance(value, (str, list, tuple)) and isinstance(other, int) else 0


def _raise_exception(message: object) -> NoReturn:
    raise jinja2.exceptions.TemplateError(str(message))


def _tojson(value: object, indent: int | None = None, **_options: object) -> str:
    # Piece by piece, by the encoder that is written in Python: the other one cannot be interrupted.
    return "".join(json.JSONEncoder(ensure_ascii=False, indent=indent).iterencode(value))


def _round(value: Any, precision: int = 0, method: Any = "common") -> float:  # noqa: ANN401
    if abs(precision) > _LONGEST_ROUNDING:
        raise jinja2.exceptions.SecurityError("a number grows too large")
    return jinja2.filters.do_round(value, precision, method)


def _strftime_now(pattern: str) -> str:
    return dt.datetime.now().astimezone().strftime(pattern)


def _environment() -> _Environment:
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.filters["round"] = _round
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


class ChatTemplate:
    """One compiled template. ``special`` holds the texts ``bos_token`` and ``eos_token``.

    Raises EngineError (kind ``template``) when the source cannot be compiled.
    """

    def __init__(self, source: str, special: Mapping[str, str]) -> None:
        self.source = source
        self._special = dict(special)
        if len(source) > _SOURCE_LIMIT_CHARS:
            raise _failure(f"it is {len(source):,} characters long")
        try:
            with limited(TIME_LIMIT_S):
                self._template = _environment().from_string(source)
        except jinja2.exceptions.TemplateSyntaxError as error:
            raise _failure(f"line {error.lineno}: {error.message}") from error
        except (TimeUpError, MemoryError, RecursionError, SyntaxError, ValueError) as error:
            raise _failure("it is too large, too deeply nested, or not a template") from error

    @property
    def knows_thinking(self) -> bool:
        """Return whether the template takes ``enable_thinking``."""
        return "enable_thinking" in self.source

    def render(
        self, messages: Sequence[Message], arguments: Mapping[str, object], *, open_answer: bool = True
    ) -> str:
        """Return the prompt for a conversation.

        ``arguments`` are the template's keyword arguments; what is not given stays undefined. A template that
        refuses a system message gets it in front of the first user turn instead. Raises EngineError.
        """
        turns = [_as_dict(message) for message in messages]
        try:
            return self._render(turns, arguments, open_answer)
        except jinja2.exceptions.TemplateError as error:
            if "system" not in str(error).lower() or not turns or turns[0]["role"] != Role.SYSTEM:
                raise _failure(_reason(error)) from error
        try:
            return self._render(_folded(turns), arguments, open_answer)
        except jinja2.exceptions.TemplateError as error:
            raise _failure(_reason(error)) from error

    def _render(self, turns: list[dict[str, Any]], arguments: Mapping[str, object], open_answer: bool) -> str:
        values = {**self._special, **arguments, "messages": turns, "add_generation_prompt": open_answer}
        try:
            with limited(TIME_LIMIT_S):
                return _joined(self._template.generate(values))
        except TimeUpError as error:
            raise _failure(f"it did not end within {TIME_LIMIT_S:g} s") from error
        except MemoryError as error:
            raise _failure("it needs too much memory") from error
        except (jinja2.exceptions.TemplateError, EngineError):
            raise
        except Exception as error:  # a template can raise whatever Python can
            raise _failure(f"{type(error).__name__}: {error}") from error


def _joined(pieces: Iterable[str]) -> str:
    parts: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > OUTPUT_LIMIT_CHARS:
            raise _failure(f"it writes more than {OUTPUT_LIMIT_CHARS:,} characters")
        parts.append(piece)
    return "".join(parts)


def _as_dict(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": str(message.role), "content": message.text}
    if message.reasoning:
        turn["reasoning_content"] = message.reasoning
    return turn


def _folded(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the system message in front of the first user turn."""
    system, *rest = turns
    if rest and rest[0]["role"] == Role.USER:
        first = {**rest[0], "content": f"{system['content']}\n\n{rest[0]['content']}"}
        return [first, *rest[1:]]
    return [{"role": str(Role.USER), "content": system["content"]}, *rest]


def _reason(error: jinja2.exceptions.TemplateError) -> str:
    return error.message or type(error).__name__


def _failure(reason: str) -> EngineError:
    return EngineError(
        ErrorKind.TEMPLATE,
        f"The model's chat template cannot be used: {one_line(reason, 300).rstrip('.')}.",
        hint="Download the model again from another publisher, or choose another model.",
    )
