"""What a program may touch where Landlock is the only wall: rules that the process puts on itself before it runs."""

from __future__ import annotations

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/ld.so.cache",
)
_SOURCES = ("/dev/urandom", "/dev/zero")


def rules(needs: tuple[str, ...], scratch: str) -> list[tuple[str, str]]:
    """Return paths with the kind of right on them and on all below: read, device, scratch."""
    readable = [(path, "read") for path in (*_SYSTEM, *_SOURCES, *needs)]
    return [*readable, ("/dev/null", "device"), (scratch, "scratch")]
