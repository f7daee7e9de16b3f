"""Sampling values that a model's publisher recommends. Data: ``resources/catalog/sampling.toml``."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from functools import cache

import msgspec

from playground import resources
from playground.chat.options import Sampling
from playground.errors import ResourceError
from playground.models.files import ModelFile


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is recommended; everything else stays as it is."""

    temperature: float
    top_p: float
    top_k: int
    min_p: float
    presence_penalty: float = 0.0

    def applied_to(self, sampling: Sampling) -> Sampling:
        """Return sampling options with these values."""
        return msgspec.structs.replace(sampling, **msgspec.structs.asdict(self))


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One family. ``name`` is a pattern looked for in the model's name and file name; empty fits all."""

    family: str
    archs: tuple[str, ...]
    name: str
    source: str
    read: dt.date
    thinking: Values
    plain: Values

    def fits(self, model: ModelFile) -> bool:
        """Return whether a model belongs to this family."""
        names = f"{model.name} {model.path}"
        return model.arch in self.archs and re.search(self.name, names, re.IGNORECASE) is not None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    families: tuple[Family, ...]


@cache
def families() -> tuple[Family, ...]:
    """Return the families that are known. Raises ResourceError when the file is damaged."""
    try:
        data = tomllib.loads(resources.text("catalog", "sampling.toml"))
        return msgspec.convert(data, _File).families
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ResourceError(
            f"The catalog of sampling values is damaged: {error}.", hint="Install Playground again."
        ) from error


def recommendation(model: ModelFile) -> Family | None:
    """Return what is recommended for a model; None for a base model and for families that are not known."""
    if model.is_base:
        return None
    return next((family for family in families() if family.fits(model)), None)


def recommended(model: ModelFile, sampling: Sampling, thinking: bool | None) -> Sampling:
    """Return sampling options with the recommended values, or as they are. ``thinking`` None counts as on."""
    found = recommendation(model)
    if found is None:
        return sampling
    return (found.plain if thinking is False else found.thinking).applied_to(sampling)
