"""What a person types to name a model: ``starter``, ``starter:Q2_K``, a path, ``hf:owner/name[:QUANT]``."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playground.errors import NotFoundError, UsageError
from playground.models import library, starter
from playground.models.disk import hub_cache
from playground.models.files import ModelFile
from playground.models.quants import QUANTIZE_TYPES

_HUB = re.compile(r"^hf:([\w.-]+/[\w.-]+?)(?::([\w-]+))?$")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference. ``name`` is a path or ``owner/name``; ``quant`` is set where it was named."""

    kind: Literal["starter", "path", "hub"]
    name: str = ""
    quant: str | None = None


def parse(text: str) -> Reference:
    """Return what a reference means. Raises UsageError for one that means nothing."""
    text = text.strip()
    if text == "starter" or text.startswith("starter:"):
        quant = text.partition(":")[2].upper() or starter.QUANT
        if quant != starter.QUANT and quant not in QUANTIZE_TYPES:
            raise UsageError(
                f"The starter cannot be made as {quant}.", hint=f"Known: {', '.join(QUANTIZE_TYPES)}."
            )
        return Reference("starter", quant=quant)
    if text.startswith("hf:"):
        match = _HUB.match(text)
        if match is None:
            raise UsageError(
                f"{text} is not a Hub reference.", hint="Write hf:owner/name or hf:owner/name:QUANT."
            )
        return Reference("hub", match[1], match[2])
    if not text:
        raise UsageError(
            "The model's name is empty.", hint="Write starter, a path to a .gguf or hf:owner/name."
        )
    return Reference("path", text)


def resolve(reference: Reference) -> ModelFile:
    """Return the model for a reference that is on this disk already. Blocking. Raises ModelError."""
    if reference.kind == "starter":
        return library.describe_starter(reference.quant or starter.QUANT)
    path = locate(reference)
    if reference.kind == "hub":
        tail = f":{reference.quant}" if reference.quant else ""
        return library.describe(path, f"hf:{reference.name}{tail}")
    return library.describe(path, reference.name)


def locate(reference: Reference) -> Path:
    """Return where a reference's first file lies, unread; a path need not exist. Blocking. Raises ModelError."""
    if reference.kind == "starter":
        return starter.copy_path(reference.quant or starter.QUANT)
    if reference.kind == "hub":
        return hub_cache.cached_gguf(reference.name, reference.quant)
    path = Path(reference.name)
    with contextlib.suppress(RuntimeError):  # a user who does not exist: then it is part of the name
        path = path.expanduser()
    if not os.path.lexists(path) and path.suffix.lower() != ".gguf":
        is_repo = _HUB.match(f"hf:{reference.name}") is not None
        raise NotFoundError(
            f"There is no model called {reference.name}.",
            hint=f"If it is the Hub's, write hf:{reference.name}"
            if is_repo
            else "Write starter, a path to a .gguf file, or hf:owner/name:QUANT for one in the Hugging Face cache.",
        )
    return path.absolute()
