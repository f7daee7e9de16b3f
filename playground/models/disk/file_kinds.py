"""What a path leads to. What may not be looked at, or is no possible path, is nothing: up to Python 3.13 it is an error."""

from __future__ import annotations

from pathlib import Path


def is_folder(path: Path) -> bool:
    """Return whether a path leads to a folder."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Return whether a path leads to a file, and not to a pipe or a device."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_link(path: Path) -> bool:
    """Return whether a path is a link, to whatever."""
    try:
        return path.is_symlink()
    except (OSError, ValueError):
        return False


def small_file(path: Path, limit_bytes: int) -> bytes:
    """Return a file's beginning, nothing when it cannot be read. Another program's folder may hold a pipe, too."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(limit_bytes)
    except (OSError, ValueError):
        return b""
