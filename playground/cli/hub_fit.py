"""How each quantization of a model at the Hub fits this machine, from one ranged read of its header."""

from __future__ import annotations

import argparse

from playground.cli import output
from playground.cli.machine import machine_for
from playground.errors import PlaygroundError
from playground.models.fitness import Fit, Verdict
from playground.models.hub import hub_api
from playground.models.hub.grouping import default_quant
from playground.models.hub.repository import Repository
from playground.models.pair_fit import fit

_BADGES: dict[Verdict, str] = {
    "well": "fits",
    "tight": "fits tightly",
    "partly": "fits in part on the GPU",
    "too_big": "too big",
}


async def fits(repository: Repository, arguments: argparse.Namespace) -> dict[str, Fit]:
    """Return how each model fits, by the path of its first file; nothing where its header cannot be had.

    All quantizations of a model have one architecture, so one header is enough.
    """
    default = default_quant(repository.quants)
    if default is None:
        return {}
    first = default.files[0]
    try:
        header = await hub_api.header(repository.id, repository.commit, first.path, first.size_bytes)
    except PlaygroundError as error:
        output.say(f"Whether it fits is not known: {error.sentence()}")
        return {}
    machine = await machine_for(arguments)
    return {
        quant.files[0].path: fit(header, quant.size_bytes, arguments.ctx, machine)
        for quant in repository.models
    }


def badge(found: Fit | None) -> str:
    """Return a verdict in few words, empty where there is none."""
    return "" if found is None else _BADGES[found.verdict]


def described(found: Fit | None) -> dict[str, object] | None:
    """Return a verdict for the schema ``playground.model/1``, None where there is none."""
    if found is None:
        return None
    return {
        "verdict": found.verdict,
        "needed_bytes": found.memory.total_bytes,
        "free_bytes": found.free_bytes,
        "gpu_layers": found.gpu_layers,
        "layers": found.layers,
        "largest_context": found.largest_context,
    }
