"""The two streams: data on stdout, words on stderr. The one place that writes to them.

Words that nobody can read are dropped; data that cannot be written is an error. Each stream may be closed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from playground.errors import PlaygroundError


def data(text: str) -> None:
    """Write text to stdout. Characters that the terminal's encoding lacks are replaced, never an error.

    Raises PlaygroundError when it cannot be written, BrokenPipeError when nobody reads it.
    """
    _write_data(text, sys.stdout.encoding if sys.stdout is not None else "utf-8")


def json_data(value: object) -> None:
    """Write one JSON value to stdout, always as UTF-8. Raises as ``data`` does."""
    _write_data(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")


def say(text: str) -> None:
    """Write a line for a person to stderr."""
    _write_words(f"{text}\n")


def is_terminal() -> bool:
    """Return whether stderr is a terminal, so that a line can be written over."""
    return sys.stderr is not None and sys.stderr.isatty()


def status(text: str) -> None:
    """Show a passing state on a terminal's last line; nothing where stderr is no terminal."""
    if is_terminal():
        _write_words(f"\r\x1b[K{text}")


def _write_data(text: str, encoding: str) -> None:
    if sys.stdout is None:
        raise _unwritable("it is closed")
    try:
        _write(sys.stdout, text, encoding)
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(1)
        raise _unwritable(error.strerror or str(error)) from error


def _unwritable(why: str) -> PlaygroundError:
    return PlaygroundError(f"Standard output cannot be written: {why}.", hint="Send it somewhere else.")


def _write_words(text: str) -> None:
    try:
        if sys.stderr is not None:
            _write(sys.stderr, text, sys.stderr.encoding)
    except OSError:
        _discard(2)


def _write(stream: TextIO, text: str, encoding: str) -> None:
    stream.flush()
    stream.buffer.write(text.encode(encoding, "replace"))
    stream.buffer.flush()


def _discard(descriptor: int) -> None:
    """Let the interpreter's last flush succeed, so that the exit status stays ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
