"""Chat templates: a GGUF's own Jinja, rendered as Hugging Face's tokenizers render it, behind limits.

A template comes with a downloaded file, so it is hostile until shown otherwise: the environment is sandboxed,
a render ends after ``TIME_LIMIT_S``, its output at ``OUTPUT_LIMIT_CHARS``, its memory at ``MEMORY_LIMIT_BYTES``
above what the process had (Linux). Runs in the worker process, on any thread. Knows no llama.cpp.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

from playground.chat.messages import Message, Role
from playground.errors import EngineError, ErrorKind

TIME_LIMIT_S = 2.0
OUTPUT_LIMIT_CHARS = 16 << 20
MEMORY_LIMIT_BYTES = 512 << 20
_SOURCE_LIMIT_CHARS = 1 << 20
_NUMBER_LIMIT_BITS = 4096
_REPEAT_LIMIT = 1 << 20


class _TimeUpError(Exception):
    """Thrown into the rendering thread when its time is over."""


class _Generation(jinja2.ext.Extension):
    """``{% generation %}`` marks the model's own words for training; for a prompt it is transparent."""

    tags = {"generation"}  # noqa: RUF012 -- Jinja's own form

    def parse(self, parser: Any) -> Any:  # noqa: ANN401 -- Jinja's parser is untyped here
        """Return the block's body unchanged."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """The sandbox, with numbers and repetitions kept small."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Refuse products that grow without bound; they cannot be interrupted."""
        if operator == "**" or not (_is_small(left, right) and _is_small(right, left)):
            raise jinja2.exceptions.SecurityError("a number or a repetition grows too large")
        return super().call_binop(context, operator, left, right)


def _is_small(value: object, other: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() < _NUMBER_LIMIT_BITS
    if isinstance(value, (str, list, tuple)) and isinstance(other, int):
        return len(value) * other <= _REPEAT_LIMIT
    return True


def _raise_exception(message: object) -> NoReturn:
    raise jinja2.exceptions.TemplateError(str(message))


def _tojson(value: object, indent: int | None = None, **_options: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _strftime_now(pattern: str) -> str:
    return dt.datetime.now().astimezone().strftime(pattern)


def _environment() -> _Environment:
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
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
            with _limited():
                self._template = _environment().from_string(source)
        except jinja2.exceptions.TemplateSyntaxError as error:
            raise _failure(f"line {error.lineno}: {error.message}") from error
        except (_TimeUpError, MemoryError, RecursionError) as error:
            raise _failure("it is too large or too deeply nested") from error

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
        parts: list[str] = []
        size = 0
        try:
            with _limited():
                for part in self._template.generate(values):
                    size += len(part)
                    if size > OUTPUT_LIMIT_CHARS:
                        raise _failure(f"it writes more than {OUTPUT_LIMIT_CHARS:,} characters")
                    parts.append(part)
        except _TimeUpError as error:
            raise _failure(f"it did not end within {TIME_LIMIT_S:g} s") from error
        except MemoryError as error:
            raise _failure("it needs too much memory") from error
        except jinja2.exceptions.TemplateError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise _failure(f"{type(error).__name__}: {error}") from error
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
    return (error.message or type(error).__name__).strip().rstrip(".")[:300]


def _failure(reason: str) -> EngineError:
    return EngineError(
        ErrorKind.TEMPLATE,
        f"The model's chat template cannot be used: {reason}.",
        hint="Download the model again from another publisher, or choose another model.",
    )


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Run a block under the time and memory limits. Raises _TimeUpError or MemoryError inside the block."""
    target = threading.get_ident()
    state = {"over": False}
    lock = threading.Lock()

    def interrupt() -> None:
        with lock:
            if not state["over"]:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(target), ctypes.py_object(_TimeUpError)
                )

    timer = threading.Timer(TIME_LIMIT_S, interrupt)
    timer.daemon = True
    restore = _limit_memory()
    timer.start()
    try:
        yield
    finally:
        with lock:
            state["over"] = True
        timer.cancel()
        restore()


def _limit_memory() -> Any:  # noqa: ANN401 -- a callable that undoes it
    """Bound the process's private memory while a template runs; only Linux counts it in a useful way."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + MEMORY_LIMIT_BYTES
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 -- procfs
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0
