"""What the death of a worker is called, from its exit status and its last words."""

from __future__ import annotations

import signal

import pytest

from playground.engines import death
from playground.errors import ErrorKind

_HARD_STOP = """INFO load
Timeout (0:00:06)!
Thread 0x00007f (most recent call first):
  File "/somewhere/playground/engines/{file}", line 9 in render
"""


@pytest.mark.parametrize(
    ("status", "stderr", "kind", "words"),
    [
        (-signal.SIGKILL, "failed to allocate", ErrorKind.CRASHED, "SIGKILL"),
        (-signal.SIGBUS, "", ErrorKind.CRASHED, "SIGBUS"),
        (
            -signal.SIGABRT,
            "/build/x/ggml.c:7: GGML_ASSERT(n > 0) failed",
            ErrorKind.CRASHED,
            ": ggml.c:7: GGML",
        ),
        (-signal.SIGABRT, "what():  std::bad_alloc", ErrorKind.OUT_OF_MEMORY, "no more memory"),
        (1, "libgomp: Thread creation failed: Resource", ErrorKind.OUT_OF_MEMORY, "no more memory"),
        (-signal.SIGSEGV, "failed to allocate\n" + "other\n" * 20, ErrorKind.CRASHED, "SIGSEGV"),
        (1, _HARD_STOP.format(file="template.py"), ErrorKind.TEMPLATE, "did not end"),
        (1, _HARD_STOP.format(file="llama/grammar.py"), ErrorKind.PROMPT, "did not end"),
        (7, "", ErrorKind.CRASHED, "exit status 7"),
        (-99, "", ErrorKind.CRASHED, "signal 99"),
    ],
)
def test_a_death_has_a_kind_and_a_sentence(status: int, stderr: str, kind: ErrorKind, words: str) -> None:
    error = death.died("model.gguf", status, stderr)
    assert error.kind is kind
    assert words in error.message
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
