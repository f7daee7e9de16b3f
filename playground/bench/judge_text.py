"""Turns whatever a program made into plain text that is safe to show: bounded, without controls that act on a screen."""

from __future__ import annotations

import re

from playground.bench.sandbox.answers import Members, Opaque, Pairs

VALUE_CHARS = 600
LOG_CHARS = 8000
_MOST_ITEMS = 60
_LONGEST_INTEGER = 1 << 2000
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_BIG = "an integer of {} bits"


def visible(text: str, longest: int = VALUE_CHARS) -> str:
    r"""Return a text with every character that is not printable as an escape (``\x1b``, ``\u202e``); lines stay lines."""
    head = text[:longest]
    shown = "".join(c if c in "\n\t" or c.isprintable() else _escaped(c) for c in head)
    return shown if len(text) <= longest else f"{shown} …"


def log_text(text: str) -> str:
    """Return what a program printed: terminal commands away, the rest made visible."""
    return visible(_ANSI.sub("", text).replace("\r\n", "\n"), LOG_CHARS)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(value: object, longest: int = VALUE_CHARS) -> str:
    """Return a value as Python would write it, cut where it gets long."""
    parts: list[str] = []
    _write(value, parts, [longest], 0)
    return visible("".join(parts), longest)


def _write(value: object, parts: list[str], room: list[int], depth: int) -> None:
    """Append a value's text until there is no more room."""
    if room[0] <= 0 or depth > 20:
        _put(parts, room, "…")
        return
    if isinstance(value, (Pairs, dict)):
        items = value.items if isinstance(value, Pairs) else tuple(value.items())
        _write_pairs(items, parts, room, depth)
    elif isinstance(value, (list, tuple, set, frozenset, Members)):
        _write_items(value, parts, room, depth)
    else:
        _put(parts, room, _single(value))


def _write_pairs(
    items: tuple[tuple[object, object], ...], parts: list[str], room: list[int], depth: int
) -> None:
    _put(parts, room, "{")
    for n, (key, item) in enumerate(items[:_MOST_ITEMS]):
        _put(parts, room, ", " if n else "")
        _write(key, parts, room, depth + 1)
        _put(parts, room, ": ")
        _write(item, parts, room, depth + 1)
    _put(parts, room, ", …}" if len(items) > _MOST_ITEMS else "}")


def _write_items(
    value: list[object] | tuple[object, ...] | set[object] | frozenset[object] | Members,
    parts: list[str],
    room: list[int],
    depth: int,
) -> None:
    start, end = (
        ("[", "]") if isinstance(value, list) else ("(", ")") if isinstance(value, tuple) else ("{", "}")
    )
    items = list(value.items if isinstance(value, Members) else value)
    if not items and start == "{":
        _put(parts, room, "set()")
        return
    _put(parts, room, start)
    for n, item in enumerate(items[:_MOST_ITEMS]):
        _put(parts, room, ", " if n else "")
        _write(item, parts, room, depth + 1)
    tail = ", …" if len(items) > _MOST_ITEMS else "," if start == "(" and len(items) == 1 else ""
    _put(parts, room, tail + end)


def _put(parts: list[str], room: list[int], text: str) -> None:
    parts.append(text)
    room[0] -= len(text)


def _single(value: object) -> str:
    if isinstance(value, Opaque):
        return f"<{value.kind}>"
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and not -_LONGEST_INTEGER < value < _LONGEST_INTEGER
    ):
        return _BIG.format(value.bit_length())
    if isinstance(value, (str, bytes)):
        return repr(value[: VALUE_CHARS * 2]) if len(value) > VALUE_CHARS * 2 else repr(value)
    return repr(value)
