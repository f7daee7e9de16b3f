"""How values and messages cross the sandbox's wall: lines of JSON, with marks for what JSON lacks.

A mark is an object of one key: ``f`` float, ``i`` large integer, ``t`` tuple, ``s`` set, ``d`` dict, ``b`` bytes;
``o`` is anything else, by the name of its type.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Value = Any  # whatever JSON or the program has
    Other = Callable[[Value], Value]
    Take = Callable[[str, Value], Value]

_DEEPEST = 60
_LARGEST = 1 << 128  # longer integers travel as hex: decimal takes quadratic time to read


def opaque(value: Value) -> Value:
    """Return the mark of a value that is not data."""
    return {"o": type(value).__name__[:80]}


def encode(value: Value, other: Other = opaque, depth: int = 0) -> Value:  # noqa: C901 -- one line a type
    """Return a value as JSON. A subclass counts as the data that it holds, whatever methods it overrides."""
    if depth > _DEEPEST:
        raise ValueError("the value is nested too deeply")
    deeper = depth + 1
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if issubclass(kind, str):
        return str.__getitem__(value, slice(None))
    if issubclass(kind, int):
        number = int.__add__(value, 0)
        return number if -_LARGEST < number < _LARGEST else {"i": hex(number)}
    if issubclass(kind, float):
        return {"f": float.__repr__(value)}
    if issubclass(kind, list):
        return [encode(item, other, deeper) for item in list.__iter__(value)]
    if issubclass(kind, tuple):
        return {"t": [encode(item, other, deeper) for item in tuple.__iter__(value)]}
    if issubclass(kind, (set, frozenset)):
        members = set.__iter__(value) if issubclass(kind, set) else frozenset.__iter__(value)
        return {"s": [encode(item, other, deeper) for item in members]}
    if issubclass(kind, dict):
        pairs = dict.items(value)
        return {"d": [[encode(key, other, deeper), encode(item, other, deeper)] for key, item in pairs]}
    if issubclass(kind, bytes):
        return {"b": bytes.hex(value)}
    return other(value)


def refuse(mark: str, _content: Value) -> Value:
    """Know no mark that is not data."""
    raise ValueError(mark)


def decode(value: Value, other: Take = refuse) -> Value:
    """Return what ``encode`` was given. ``other``: what to do with the marks that are not data."""
    if isinstance(value, list):
        return [decode(item, other) for item in value]
    if not isinstance(value, dict):
        return value
    ((mark, content),) = value.items()
    if mark == "f":
        return float(content)
    if mark == "i":
        return int(content, 16)
    if mark == "b":
        return bytes.fromhex(content)
    if mark == "d":
        return {decode(key, other): decode(item, other) for key, item in content}
    if mark == "t":
        return tuple(decode(item, other) for item in content)
    if mark == "s":
        return {decode(item, other) for item in content}
    return other(mark, content)


class Channel:
    """The private way to the judge. What the program prints goes to stderr instead, and it reads nothing."""

    def __init__(self) -> None:
        self._in, self._out, self._rest = os.dup(0), os.dup(1), b""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)

    def fds(self) -> tuple[int, int]:
        """Return the descriptors for reading and for writing."""
        return self._in, self._out

    def send(self, message: Value, dumps: Value = json.dumps, write: Value = os.write) -> None:
        """Send one message."""
        data = memoryview(dumps(message).encode() + b"\n")
        while data:
            data = data[write(self._out, data) :]

    def receive(self, loads: Value = json.loads, read: Value = os.read) -> Value:
        """Return the next message; the process ends when there is none."""
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            part = read(self._in, 1 << 16)
            if not part:
                os._exit(0)
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return loads(line)


def failure(error: BaseException) -> dict[str, Value]:
    """Return what an exception says as a message: its type with the bases, and its text."""
    try:
        text = str(error)[:500]
    except BaseException:  # noqa: BLE001 -- the program's own exception may be hostile
        text = ""
    names = [kind.__name__[:80] for kind in type(error).__mro__ if kind not in (object, BaseException)]
    return {"exc": names[:20], "msg": text}
