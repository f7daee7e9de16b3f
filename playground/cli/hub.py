"""``playground models search`` and ``show``: what the Hub offers. Tables or JSON on stdout, words on stderr."""

from __future__ import annotations

import argparse
import asyncio
import re

import msgspec

from playground.cli import hub_fit, hub_tables, output
from playground.errors import UsageError
from playground.models.fitness import Fit
from playground.models.hub import hub, hub_api, hub_reference
from playground.models.hub.grouping import chosen, default_quant
from playground.models.hub.repository import FoundModel, Quant, Query, Repository

_MOST_RESULTS = 1000
_PARAMS = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([KMBT])", re.IGNORECASE)
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_GATED = {"any": None, "no": False, "only": True}


def search(arguments: argparse.Namespace) -> int:
    """Search the Hub. Prints ``playground.search/1`` or a table."""
    query = _query(arguments)
    found, is_more = asyncio.run(_search(query))
    if arguments.json:
        models = [{**msgspec.to_builtins(model), "ref": f"hf:{model.id}"} for model in found]
        asked = msgspec.to_builtins(query)
        output.json_data({"schema": "playground.search/1", "query": asked, "models": models, "more": is_more})
        return 0
    output.data(hub_tables.search_table(found))
    if not found:
        output.say("The Hub has no GGUF model like that.")
    elif is_more:
        output.say(f"There are more: ask with --limit {2 * query.limit}.")
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Show a model's page, or one of its quantizations. Prints ``playground.model/1`` or text; 1 without a model."""
    if arguments.ctx < 1:
        raise UsageError(f"--ctx {arguments.ctx} is no number of tokens.")
    repository, fits = asyncio.run(_page(arguments))
    named = hub_reference.parse(arguments.ref, hub_api.own_host()).quant
    quants = (chosen(repository, named),) if named else repository.quants
    if arguments.json:
        output.json_data(_described(repository, quants, fits))
    else:
        badges = {path: hub_fit.badge(found) for path, found in fits.items()}
        output.data(hub_tables.page(repository, quants, badges))
        for note in repository.notes:
            output.say(note)
        if repository.gated:
            output.say(
                f"Its terms are accepted at {hub.web_page(repository.id)}, by somebody who is logged in."
            )
    if not repository.models:
        chosen(repository)  # says so
    return 0


async def _page(arguments: argparse.Namespace) -> tuple[Repository, dict[str, Fit]]:
    repository = await hub_api.repository(arguments.ref)
    return repository, await hub_fit.fits(repository, arguments)


async def _search(query: Query) -> tuple[list[FoundModel], bool]:
    """Return as many models as are wanted, and whether there are more."""
    found: list[FoundModel] = []
    cursor = ""
    while True:
        page = await hub_api.search(query, cursor)
        found += page.found
        cursor = page.cursor
        if not cursor or len(found) >= query.limit:
            return found[: query.limit], bool(cursor) or len(found) > query.limit


def _query(arguments: argparse.Namespace) -> Query:
    if not 0 < arguments.limit <= _MOST_RESULTS:
        raise UsageError(f"--limit {arguments.limit} is not between 1 and {_MOST_RESULTS}.")
    low, high = _span(arguments.params)
    return Query(
        words=" ".join(arguments.words),
        sort=arguments.sort,
        author=arguments.author,
        licence=arguments.licence,
        gated=_GATED[arguments.gated],
        min_params=low,
        max_params=high,
        limit=arguments.limit,
    )


def _span(text: str) -> tuple[int | None, int | None]:
    """Return the bounds of ``1B-8B``, ``-8B`` or ``1B-``. Raises UsageError."""
    low, dash, high = text.replace(" ", "").partition("-")
    if not text.strip():
        return None, None
    if not dash or not (low or high):
        raise _bad_span(text)
    bounds = _weights(low, text), _weights(high, text)
    if None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]
        raise _bad_span(text)
    return bounds


def _weights(number: str, text: str) -> int | None:
    if not number:
        return None
    match = _PARAMS.fullmatch(number)
    if match is None:
        raise _bad_span(text)
    return round(float(match[1]) * _UNITS[match[2].upper()])


def _bad_span(text: str) -> UsageError:
    return UsageError(
        f"{text} is no range of sizes.", hint="Write --params 1B-8B, --params=-8B or --params 30B-."
    )


def _described(repository: Repository, quants: tuple[Quant, ...], fits: dict[str, Fit]) -> dict[str, object]:
    default = default_quant(repository.quants)
    described: dict[str, object] = msgspec.to_builtins(repository)
    described["quants"] = [
        {
            **msgspec.to_builtins(quant),
            "size_bytes": quant.size_bytes,
            "ref": f"hf:{repository.id}:{quant.name}" if quant.kind == "model" else "",
            "is_default": quant == default,
            "fit": hub_fit.described(fits.get(quant.files[0].path)),
        }
        for quant in quants
    ]
    return {"schema": "playground.model/1", "model": described}
