"""A worker that greets, loads and then misbehaves in the way its first argument names. Run as a script."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

_HELLO = '{"type":"hello","protocol":%d,"pid":1}'
_LOADED = (
    '{"type":"loaded","load_s":0.1,"memory":{},"model":{"n_ctx":8,"n_ctx_train":8,"n_layers":1,"gpu_layers":0,'
    '"is_base":false,"thinks":false,"description":"faulty"}}'
)
_CHUNK = '{"type":"chunk","id":%d,"text":"%s","reasoning":"","tokens":1,"decode_s":0.1}'
_FINISHED = '{"type":"finished","id":%d,"stop":"end","usage":{},"timings":{},"memory":{}}'
_BEAT = '{"type":"heartbeat"}'


def _say(line: str, end: str = "\n") -> None:
    sys.stdout.write(f"{line}{end}")
    sys.stdout.flush()


def _hear() -> str:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return line


def _answer(request: int) -> None:
    _say(_CHUNK % (request, f"answer {request}"))
    _say(_FINISHED % request)


def _end_with(number: int) -> None:
    os.kill(os.getpid(), number)


def _abort() -> None:
    sys.stderr.write("ggml.c:7: GGML_ASSERT(n > 0) failed\n")
    sys.stderr.flush()
    _end_with(signal.SIGABRT)


def _flood() -> None:
    while True:
        _say(_CHUNK % (1, "x" * 60_000))


def _noise() -> None:
    while True:
        sys.stderr.write("noise " * 10_000)


def _noisy_answer() -> None:
    for _ in range(200):
        sys.stderr.write("noise " * 10_000)
    _say(_FINISHED % 1)


def _beat() -> None:
    while True:
        _say(_BEAT)
        time.sleep(0.05)


def _half_a_line() -> None:
    _say((_CHUNK % (1, "half"))[:40], end="")
    _end_with(signal.SIGKILL)


def _close_output() -> None:
    sys.stdout.flush()
    os.close(1)


def _finish_twice() -> None:
    for _ in range(2):
        _say(_FINISHED % 1)
    _say(_CHUNK % (1, "late"))
    _answer_the_next(2)


def _answer_the_next(request: int) -> None:
    _hear()
    _answer(request)


def _unasked_progress() -> None:
    _say(_FINISHED % 1)
    for _ in range(2000):
        _say('{"type":"progress","fraction":0.5}')
    _answer_the_next(2)


def _die_under_two() -> None:
    _hear()
    _say(_CHUNK % (2, "begun"))
    _end_with(signal.SIGKILL)


FAULTS: dict[str, Callable[[], None]] = {
    "garbage": lambda: _say("this is not the protocol"),
    "no text": lambda: _say("\udcff\udcfe"),
    "nested": lambda: _say(
        '{"type":"failed","kind":"x","message":"m","more":' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
    "other type": lambda: _say('{"type":"loaded"}'),
    "too long": lambda: _say("x" * (65 << 20)),
    "half a line": _half_a_line,
    "unknown request": lambda: _say(_CHUNK % (99, "who asked?")),
    "negative request": lambda: _say(_CHUNK % (-1, "who asked?")),
    "killed": lambda: _end_with(signal.SIGKILL),
    "terminated": lambda: _end_with(signal.SIGTERM),
    "aborted": _abort,
    "frozen": lambda: _end_with(signal.SIGSTOP),
    "exit": lambda: sys.exit(7),
    "closed output": _close_output,
    "flood": _flood,
    "noise": _noise,
    "noisy answer": _noisy_answer,
    "beats": _beat,
    "ignores": lambda: None,
    "finish twice": _finish_twice,
    "unasked progress": _unasked_progress,
    "two requests": _die_under_two,
}


def main(fault: str, *details: str) -> None:
    if fault == "silent":
        time.sleep(60)
    _say(_HELLO % (3 if fault == "other version" else 2))
    _hear()
    if fault == "dies once" and not Path(details[0]).exists():
        Path(details[0]).touch()
        sys.stderr.write("failed to allocate buffer\n")
        sys.stderr.flush()
        _end_with(signal.SIGABRT)
    _say(_LOADED)
    _hear()
    if fault == "dies once":
        _answer(1)
    _say(_CHUNK % (1, "begun"))
    FAULTS.get(fault, lambda: None)()
    while True:
        _hear()


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    main(*sys.argv[1:])
