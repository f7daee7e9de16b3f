"""Limits and, without namespaces, the walls themselves: set on this very process before it sees the program."""

from __future__ import annotations

import os
import struct
import sys

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_OLDEST_ABI = 3  # before Linux 6.2 a file that may be read could be truncated
_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_HANDLED = (1 << 15) - 1
_SPECIAL = 1 << 6 | 1 << 9 | 1 << 11  # device nodes and sockets
_SET_PDEATHSIG, _SET_SECCOMP, _SET_NO_NEW_PRIVS = 1, 22, 38


def put_up(config: Value) -> None:
    """Apply the resource limits; then Landlock and seccomp where ``config`` has them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, value in config["limits"].items():
        number = getattr(resource, "RLIMIT_" + name)
        hard = resource.getrlimit(number)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        upper = soft + 1 if name == "CPU" and (hard == resource.RLIM_INFINITY or soft < hard) else soft
        try:
            resource.setrlimit(number, (soft, upper))
        except (ValueError, OSError):
            if sys.platform == "linux":  # macOS refuses some of them
                raise
    if "landlock" in config:
        _lock(config["landlock"], bytes.fromhex(config["seccomp"]))


def _lock(rules: Value, program: bytes) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < _OLDEST_ABI:
        _refuse(f"Landlock version {max(abi, 0)}")
    handled = _HANDLED | (1 << 15 if abi >= 5 else 0)
    network, scope = 3 if abi >= 4 else 0, 3 if abi >= 6 else 0
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = struct.pack("<QQQ", handled, network, scope)[:size]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        _refuse("no ruleset")
    rights = {
        "read": _EXECUTE | _READ | _LIST,
        "device": _READ | _WRITE,
        "scratch": handled & ~_SPECIAL & ~(1 << 15),
    }
    for path, kind in rules:
        _allow(libc, ruleset, path, rights[kind])
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_SET_PDEATHSIG, 9, 0, 0, 0)
    if libc.syscall(_RESTRICT_SELF, ruleset, 0):
        _refuse("not restricted")
    os.close(ruleset)
    _filter(libc, ctypes, program)


def _allow(libc: Value, ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 -- pathlib takes time to import
        rights &= _EXECUTE | _WRITE | _READ | _TRUNCATE
    if libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("<Qi", rights, fd), 0):
        _refuse("no rule")
    os.close(fd)


def _filter(libc: Value, ctypes: Value, program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program, len(program))
    address = ctypes.addressof(buffer)
    header = struct.pack("HxxxxxxP", len(program) // 8, address)
    if libc.prctl(_SET_SECCOMP, 2, header, 0, 0):
        _refuse("no seccomp filter")


def _refuse(why: str) -> None:
    sys.stderr.write(f"sandbox: {why}\n")
    sys.stderr.flush()
    os._exit(97)
