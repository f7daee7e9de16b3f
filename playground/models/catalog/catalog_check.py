"""What must hold for an entry of the catalog. Pure functions that return what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from playground.models.catalog.catalog_values import CatalogModel, CatalogPair, Numbers, PairSide, Score

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_QUANT = re.compile(r"[\w.-]{1,40}")
_MOST_LAYERS = 4096
_MOST = 1 << 50


def model_problem(model: CatalogModel) -> str:
    """Return what is wrong with a model, empty when nothing is."""
    return _first(
        (
            (bool(_ID.fullmatch(model.id)), "id must be small letters, digits, dots and dashes"),
            (_is_text(model.name), "name is empty or not printable"),
            (bool(_REPO.fullmatch(model.repo)), "repo must be owner/name"),
            (_is_text(model.licence), "licence is empty"),
            (
                0 < model.active_params <= model.params < _MOST,
                "params must be at least active_params, above 0",
            ),
            (model.source.startswith("https://"), "source must be an https:// address"),
            (bool(model.quants), "quants is empty"),
            (len({quant.name for quant in model.quants}) == len(model.quants), "a quant is there twice"),
        )
    ) or _parts_problem(model)


def pair_problem(pair: CatalogPair, models: Mapping[str, CatalogModel]) -> str:
    """Return what is wrong with a pair, empty when nothing is."""
    return (
        _first(
            (
                (bool(_ID.fullmatch(pair.id)), "id must be small letters, digits, dots and dashes"),
                (_is_text(pair.title), "title is empty or not printable"),
                (pair.memory_gb > 0, "memory_gb must be above 0"),
                (pair.compact != pair.larger, "compact and larger are the same"),
            )
        )
        or _side_problem("compact", pair.compact, models)
        or _side_problem("larger", pair.larger, models)
    )


def _parts_problem(model: CatalogModel) -> str:
    for quant in model.quants:
        if not _QUANT.fullmatch(quant.name):
            return f"quants: {quant.name!r} is no quantization's name"
        if not 0 < quant.size_bytes < _MOST or quant.parts < 1:
            return f"quants.{quant.name}: size_bytes and parts must be above 0"
    for score in model.scores:
        problem = _score_problem(score)
        if problem:
            return f"scores.{score.benchmark}: {problem}"
    return _numbers_problem(model.numbers)


def _score_problem(score: Score) -> str:
    return _first(
        (
            (_is_text(score.benchmark), "benchmark is empty"),
            (score.source.startswith("https://"), "source must be an https:// address"),
            (score.value == score.value and abs(score.value) < _MOST, "value is no number"),
        )
    )


def _numbers_problem(numbers: Numbers) -> str:
    sizes = (numbers.embedding, numbers.vocabulary, numbers.kv_heads, numbers.key_length, numbers.n_ctx_train)
    rest = (numbers.value_length, numbers.window, numbers.state_bytes, numbers.feed_forward, numbers.experts)
    return _first(
        (
            (bool(re.fullmatch(r"[\w-]{1,64}", numbers.arch)), "numbers.arch is no architecture's name"),
            (0 < numbers.layers <= _MOST_LAYERS, "numbers.layers must be above 0"),
            (0 < numbers.kv_layers <= numbers.layers, "numbers.kv_layers must be 1 to layers"),
            (0 <= numbers.window_layers <= numbers.kv_layers, "numbers.window_layers must be 0 to kv_layers"),
            (all(0 < size < _MOST for size in sizes), "numbers: sizes must be above 0"),
            (all(0 <= size < _MOST for size in rest), "numbers: a size is negative"),
        )
    )


def _side_problem(name: str, side: PairSide, models: Mapping[str, CatalogModel]) -> str:
    model = models.get(side.model)
    if model is None:
        return f"{name}.model: there is no model {side.model!r}"
    if all(quant.name != side.quant for quant in model.quants):
        return f"{name}.quant: {side.model} is not listed as {side.quant!r}"
    return ""


def _is_text(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


def _first(checks: Iterable[tuple[bool, str]]) -> str:
    return next((problem for holds, problem in checks if not holds), "")
