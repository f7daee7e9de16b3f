"""The two streams: data on stdout, words on stderr. The one place that writes to them."""

from __future__ import annotations

import json
import sys


def data(text: str) -> None:
    """Write text to stdout. Characters that the terminal's encoding lacks are replaced, never an error."""
    _write(sys.stdout.buffer, text, sys.stdout.encoding)


def json_data(value: object) -> None:
    """Write one JSON value to stdout, always as UTF-8."""
    _write(sys.stdout.buffer, json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")


def say(text: str) -> None:
    """Write a line for a person to stderr."""
    sys.stderr.flush()
    _write(sys.stderr.buffer, f"{text}\n", sys.stderr.encoding)


def status(text: str) -> None:
    """Show a passing state on a terminal's last line; nothing where stderr is no terminal."""
    if sys.stderr.isatty():
        _write(sys.stderr.buffer, f"\r\x1b[K{text}", sys.stderr.encoding)


def _write(stream: object, text: str, encoding: str | None) -> None:
    stream.write(text.encode(encoding or "utf-8", "replace"))  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]
