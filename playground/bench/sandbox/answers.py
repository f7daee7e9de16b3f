"""Reads what comes out of a sandbox, as if an enemy had written it: bounded, plain data, nothing executed.

Sets and dicts of an answer stay lists of members here: hashing a stranger's keys can take quadratic time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_MOST_DIGITS = 400
_DEEPEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """A value that is not data. Equal to nothing."""

    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The members of a set."""

    items: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Keys and values of a dict."""

    items: tuple[tuple[object, object], ...]


def message(line: bytes) -> dict[str, Any]:
    """Return a line as a JSON object. Raises ValueError for anything else, however deep or long."""
    try:
        found = json.loads(line, parse_int=_integer, parse_constant=_no_constant)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError("not a message") from error
    if not isinstance(found, dict):
        raise ValueError("not a message")  # noqa: TRY004 -- one kind of error for all that is not a message
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("an integer of absurd length")
    return int(digits)


def _no_constant(name: str) -> float:
    raise ValueError(name)


def value(data: object) -> object:
    """Return an encoded value. Raises ValueError when it is not one."""
    try:
        return _value(data, 0)
    except (TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError("not a value") from error


def _value(data: Any, depth: int) -> object:  # noqa: ANN401
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(data, list):
        return [_value(item, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    ((mark, content),) = data.items()
    if mark in ("t", "s"):
        items = tuple(_value(item, depth + 1) for item in _listed(content))
        return items if mark == "t" else Members(items)
    if mark in ("d", "m"):
        return Pairs(
            tuple((_value(key, depth + 1), _value(item, depth + 1)) for key, item in _listed(content))
        )
    return _plain(mark, content)


def _plain(mark: str, content: object) -> object:
    if not isinstance(content, str):
        raise ValueError("not a value")  # noqa: TRY004
    if mark == "f":
        return float(content)
    if mark in ("i", "n"):
        return int(content, 16)
    if mark == "b":
        return bytes.fromhex(content)
    if mark == "o":
        return Opaque(content[:80])
    raise ValueError("not a value")


def _listed(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise ValueError("not a value")  # noqa: TRY004
    return content
