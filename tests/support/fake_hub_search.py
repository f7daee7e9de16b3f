"""How the fake Hub picks and sorts models, from the query of ``/api/models``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tests.support.fake_hub_files import HubRepo

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def found(repos: Iterable[HubRepo], query: Mapping[str, Sequence[str]]) -> list[HubRepo]:
    """Return what a query finds, sorted as it says."""
    hits = [repo for repo in repos if not repo.private and _fits(repo, query)]
    if sort := query.get("sort"):
        hits.sort(key=lambda repo: str(repo.info().get(sort[0], "")).zfill(30), reverse=True)
    return hits


def _fits(repo: HubRepo, query: Mapping[str, Sequence[str]]) -> bool:
    info = repo.info()
    words = " ".join(query.get("search", ())).lower().split()
    low, high = _limits(next(iter(query.get("num_parameters", ())), ""))
    weights = float((info.get("gguf") or {}).get("total") or 0)
    gated = [value.lower() == "true" for value in query.get("gated", ())]
    return (
        all(word in repo.id.lower() for word in words)
        and all(repo.id.partition("/")[0] == author for author in query.get("author", ()))
        and all(tag in info["tags"] for tag in query.get("filter", ()))
        and all(bool(repo.gated) == value for value in gated)
        and low <= weights <= high
    )


def _limits(text: str) -> tuple[float, float]:
    limits = {"min": 0.0, "max": float("inf")}
    for name, number, unit in re.findall(r"(min|max):([\d.]+)([KMBT]?)", text.upper().replace("M:", "m:")):
        limits[name.lower()] = float(number) * _UNITS[unit]
    return limits["min"], limits["max"]
