"""The only way to the files that ship with the app. Knows no other room but errors.

In a source tree they lie in ``resources/`` beside the package, in an installed wheel in ``playground/_resources``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playground.errors import ResourceError

_PACKAGE = Path(__file__).resolve().parent


@cache
def root() -> Path:
    """Return the folder that holds the resources. Raises ResourceError when there is none."""
    for candidate in (_PACKAGE / "_resources", _PACKAGE.parent / "resources"):
        if (candidate / "prompts").is_dir():
            return candidate
    raise ResourceError(
        "The app's resources are missing.", hint="Install Playground again.", detail=str(_PACKAGE)
    )


def path(*parts: str) -> Path:
    """Return the path of one resource. Raises ResourceError when it is not there."""
    found = root().joinpath(*parts)
    if not found.exists():
        raise ResourceError(f"The resource {'/'.join(parts)} is missing.", hint="Install Playground again.")
    return found


def text(*parts: str) -> str:
    """Return one text resource (UTF-8)."""
    return path(*parts).read_text(encoding="utf-8")
