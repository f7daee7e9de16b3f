"""The command line of bubblewrap. Each flag that is not obvious closed an attack which got through without it."""

from __future__ import annotations

import shutil
from pathlib import Path

from playground.bench.sandbox.values import Sandbox

SCRATCH = "/tmp"  # noqa: S108 -- the sandbox's own
SCRATCH_BYTES = 16 << 20
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENSSL_CONF": "/dev/null",  # Node.js ends when it is kept from reading the system's
}
NEWER_FLAGS = ("--disable-userns", "--size")  # 0.8 and 0.7; without them seccomp and the watchdog do it alone
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/alternatives", "/etc/ld.so.cache")


def command(sandbox: Sandbox, needs: tuple[str, ...], seccomp_fd: int) -> list[str]:
    """Return bubblewrap's part of a command; the program's own follows it."""
    found = [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--die-with-parent",
        "--new-session",
    ]
    found += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "box", "--clearenv"]
    for name, value in {**ENVIRONMENT, "HOME": SCRATCH, "TMPDIR": SCRATCH}.items():
        found += ["--setenv", name, value]
    found += ["--ro-bind", "/usr", "/usr", *_system()]
    for path in _ETC:
        found += ["--ro-bind-try", path, path]
    found += ["--proc", "/proc", "--dev", "/dev"]
    if "--disable-userns" in sandbox.flags:
        found.append("--disable-userns")
    if "--size" in sandbox.flags:
        found += ["--size", str(SCRATCH_BYTES)]
    found += ["--tmpfs", SCRATCH]
    for path in needs:
        found += ["--ro-bind", path, path]
    # The root and /dev are RAM disks too: unless they are read-only, a program can fill the memory there.
    found += ["--chdir", SCRATCH, "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*found, "--seccomp", str(seccomp_fd)]


def _system() -> list[str]:
    """Return how the folders beside /usr get in: as the links that they mostly are, else bound."""
    found = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            found += ["--ro-bind", str(path), str(path)]
    return found
