"""What a dead or broken worker process means, in words. Pure functions."""

from __future__ import annotations

import re
import signal

from playground.engines.limits import HARD_STOP
from playground.engines.protocol import Failed
from playground.errors import EngineError, ErrorKind

MEMORY_WORDS = (
    *("failed to allocate", "unable to allocate", "out of memory", "cannot allocate", "alloc_tensor"),
    *("failed to fit", "bad_alloc", "memoryerror", "mem_buffer != null"),
    *("thread creation failed", "can't start new thread", "unable to start", "failed to map segment"),
)
_CAUSES = re.compile(
    r"^.*(?:GGML_ASSERT|GGML_ABORT|terminate called|error loading|Error:|failed).*$", re.MULTILINE
)
_BUILD_FOLDER = re.compile(r"\S*/(?=[\w.-]+:\d+:)")  # the compiler's path in front of ``ggml.c:7:``
_LAST_LINES = 12
_LOST = re.compile(
    r"Remote RPC server crashed|Failed to connect to \S+|RPC handshake failed for \S+|RPC transport\b[^\n]*failed"
)
_HINTS = {
    "SIGKILL": "Linux does that when memory runs out: choose a smaller context or model, then run again.",
    "SIGBUS": "The model file was changed or cut while it was in use: download it again.",
    "SIGILL": "llama-cpp-python was built for another processor: install it again on this machine.",
    "SIGTERM": "Run again to load it once more.",
}
_DAMAGED = "The file is damaged or made to harm: download it again, or choose another model."


def died(what: str, status: int, stderr: str) -> EngineError:
    """Return the error of a process that ended by itself with an exit status (negative: a signal)."""
    name = signal_name(status)
    if lost := _LOST.search(stderr):
        return EngineError(
            ErrorKind.DEVICE_LOST,
            f"The engine of {what} lost a device: {lost[0]}.",
            hint="Look whether playground serve-device still runs there, then run again.",
            detail=stderr,
        )
    if stderr.startswith(HARD_STOP) or f"\n{HARD_STOP}" in stderr:
        return EngineError(
            ErrorKind.TEMPLATE if "template.py" in stderr else ErrorKind.PROMPT,
            f"The engine of {what} was ended, because its chat template or a grammar did not end.",
            hint="Use no grammar, or choose another model.",
            detail=stderr,
        )
    last = "\n".join(stderr.splitlines()[-_LAST_LINES:])
    if name != "SIGKILL" and is_memory(last):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"The engine of {what} found no more memory and ended.",
            hint="Choose a smaller context or model, or close other models, then run again.",
            detail=stderr,
        )
    how = f"signal {-status} ({name})" if name else f"exit status {status}"
    causes = [_BUILD_FOLDER.sub("", line).strip() for line in _CAUSES.findall(stderr)]
    hint = _HINTS.get(
        name, _DAMAGED if name in ("SIGABRT", "SIGFPE", "SIGSEGV") else "Run again to start it once more."
    )
    cause = f": {causes[-1][:200]}" if causes and name != "SIGKILL" else ""
    return EngineError(
        ErrorKind.CRASHED, f"The engine of {what} ended with {how}{cause}.", hint=hint, detail=stderr
    )


def is_memory(text: str) -> bool:
    """Return whether a native message speaks of a lack of memory."""
    return any(word in text.lower() for word in MEMORY_WORDS)


def signal_name(status: int) -> str:
    """Return the name of the signal that an exit status stands for, empty when it is none."""
    try:
        return signal.Signals(-status).name if status < 0 else ""
    except ValueError:
        return f"signal {-status}"


def stalled(what: str, stall_s: float) -> EngineError:
    """Return the error of a process that has not been heard of for too long."""
    return EngineError(
        ErrorKind.STOPPED,
        f"The engine of {what} has not answered for {stall_s:g} s and was ended.",
        hint="Run again to load it once more.",
    )


def stuck(what: str, progress_s: float) -> EngineError:
    """Return the error of a process that lives, but has not come any further for too long."""
    return EngineError(
        ErrorKind.STOPPED,
        f"The engine of {what} has not come any further for {progress_s:g} s and was ended.",
        hint="The model may be damaged, or too large for this machine: choose another one.",
    )


def broke_protocol(what: str, how: str, stderr: str) -> EngineError:
    """Return the error of a process that said something unexpected."""
    return EngineError(
        ErrorKind.PROTOCOL,
        f"The engine of {what} {how} and was ended.",
        hint="Run again to load it once more.",
        detail=stderr,
    )


def reported(event: Failed) -> EngineError:
    """Return the error that a worker reported."""
    try:
        kind = ErrorKind(event.kind)
    except ValueError:
        kind = ErrorKind.INTERNAL
    return EngineError(
        kind,
        event.message,
        hint=event.hint,
        detail=event.detail,
        needed_tokens=event.needed_tokens,
        fitting_tokens=event.fitting_tokens,
    )


def half_character(what: str, *, is_prompt: bool) -> EngineError:
    """Return the error of a text with a lone surrogate in it, which cannot be sent to a process."""
    if is_prompt:
        return EngineError(
            ErrorKind.PROMPT,
            f"What was asked of {what} holds half of a character.",
            hint="Write it anew, without what a terminal or a file has garbled.",
        )
    return EngineError(
        ErrorKind.LOAD_FAILED,
        f"The name of {what} is not Unicode text, so it cannot be handed to the engine.",
        hint="Give the file another name.",
    )
