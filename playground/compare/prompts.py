"""The built-in coding prompts. Data: ``resources/prompts/coding.toml``."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache

import msgspec

from playground import resources
from playground.errors import ResourceError, UsageError


class Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One prompt. ``tier`` 0 is the easiest, 4 the hardest.

    ``text`` is for chat models; ``completion`` for base models: a Markdown text to continue that ends inside an
    open code fence. ``task``: the task with tests that it is, as ``suite/id``; empty: it has none.
    """

    id: str
    title: str
    language: str
    tier: int
    text: str
    completion: str
    task: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prompts: tuple[Prompt, ...]


@cache
def all_prompts() -> tuple[Prompt, ...]:
    """Return the built-in prompts, easiest first. Raises ResourceError when the file is damaged."""
    try:
        data = tomllib.loads(resources.text("prompts", "coding.toml"))
        return msgspec.convert(data, _File).prompts
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ResourceError(
            f"The built-in prompts are damaged: {error}.", hint="Install Playground again."
        ) from error


def by_id(prompt_id: str) -> Prompt:
    """Return one prompt. Raises UsageError that names the closest ones."""
    known = {prompt.id: prompt for prompt in all_prompts()}
    if prompt_id in known:
        return known[prompt_id]
    close = difflib.get_close_matches(prompt_id, known, 3) or sorted(known)
    raise UsageError(f"There is no prompt {prompt_id}.", hint=f"Known: {', '.join(close)}.")
