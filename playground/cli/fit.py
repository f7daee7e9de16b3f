"""``playground fit`` and ``playground models pairs``: what a model, or two, need, and how that fits a machine."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.cli import fit_words, output
from playground.cli.machine import machine_for
from playground.compare.prepare import prepare
from playground.errors import ModelError, NotFoundError, UsageError
from playground.models.catalog.catalog import catalog
from playground.models.catalog.proposals import on_disk, proposals
from playground.models.disk.hub_cache import cached_gguf
from playground.models.disk.inventory import scan
from playground.models.files import ModelFile
from playground.models.fitness import Fit, Machine, PairFit
from playground.models.gguf import read_whole_header
from playground.models.measured import Measured, recorded
from playground.models.pair_fit import Candidate, fit_pair
from playground.models.pair_fit import fit as fit_one
from playground.models.reference import parse

_MOST_REFS = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that is looked at: here, when it has a file, or at the Hub."""

    ref: str
    candidate: Candidate
    quant: str
    n_ctx_train: int
    file: ModelFile | None = None


def fit(arguments: argparse.Namespace) -> int:
    """Say what models need and whether they fit; 0 when all can be run, by themselves or in turn, else 1."""
    if len(arguments.refs) > _MOST_REFS:
        raise UsageError("Name one model, or two.", hint="The compact one first, then the larger one.")
    _check(arguments)
    subjects = asyncio.run(_subjects(arguments.refs))
    machine = asyncio.run(machine_for(arguments))
    if len(subjects) == 1:
        found: Fit | PairFit = _fit(subjects[0], machine, arguments)
    else:
        compact, larger = (subject.candidate for subject in subjects)
        found = fit_pair(compact, larger, arguments.ctx, machine, arguments.kv_type)
    fits = [found] if isinstance(found, Fit) else [found.compact, found.larger]
    if arguments.json:
        output.json_data(_fit_json(subjects, fits, found, machine, arguments))
    else:
        output.data(_fit_text(subjects, fits, found, machine, arguments))
    return 0 if all(item.verdict != "too_big" for item in fits) else 1


def pairs(arguments: argparse.Namespace) -> int:
    """List the pairs that are worth comparing on this machine, or on the one that was described."""
    _check(arguments)
    known = catalog()
    machine = asyncio.run(machine_for(arguments))
    found = proposals(machine, arguments.ctx, on_disk(scan()), kv_type=arguments.kv_type, known=known)
    if arguments.json:
        output.json_data(
            {
                "schema": "playground.pairs/1",
                **_common(machine, arguments),
                "problems": list(known.problems),
                "pairs": [fit_words.proposal_json(item) for item in found],
            }
        )
        return 0
    output.data(f"{fit_words.machine_line(machine)}\n\n")
    output.data("\n".join(fit_words.proposal_text(item) for item in found))
    for problem in known.problems:
        output.say(problem)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.ctx <= 1 << 24:
        raise UsageError(f"A context of {arguments.ctx} tokens cannot be.", hint="Try --ctx 8192.")


async def _subjects(refs: list[str]) -> list[Subject]:
    return [await _subject(ref) for ref in refs]


async def _subject(ref: str) -> Subject:
    if await asyncio.to_thread(_is_remote, ref):
        return await _remote(ref)
    model = await prepare(ref, lambda what, fraction: output.status(f"{what} {fraction:.0%}"))
    output.status("")
    header = await asyncio.to_thread(read_whole_header, Path(model.path))
    named = Candidate(f"{model.name} {model.quant}", header, model.size_bytes)
    return Subject(ref, named, model.quant, model.n_ctx_train, model)


def _is_remote(ref: str) -> bool:
    """Return whether a reference names a model of the Hub that is not on this disk."""
    if "://" in ref:
        return True
    reference = parse(ref)
    if reference.kind != "hub":
        return False
    try:
        cached_gguf(reference.name, reference.quant)
    except NotFoundError:
        return True
    except ModelError:  # there, in other quantizations
        return reference.quant is not None
    return False


async def _remote(ref: str) -> Subject:
    """Return a model at the Hub: its sizes from the list of files, its metadata from the first file's beginning."""
    from playground.models.hub import hub_api
    from playground.models.hub.grouping import chosen
    from playground.models.hub.hub_reference import parse as parse_hub

    named = parse_hub(ref)
    page = await hub_api.repository(ref)
    quant = chosen(page, named.quant)
    header = await hub_api.header(page.id, page.commit, quant.files[0].path)
    name = f"{page.id.partition('/')[2].removesuffix('-GGUF')} {quant.name}"
    candidate = Candidate(name, header, quant.size_bytes)
    return Subject(ref, candidate, quant.name, header.number("context_length"))


def _fit(subject: Subject, machine: Machine, arguments: argparse.Namespace) -> Fit:
    candidate = subject.candidate
    return fit_one(candidate.header, candidate.size_bytes, arguments.ctx, machine, arguments.kv_type)


def _measured(subject: Subject, arguments: argparse.Namespace) -> Measured | None:
    return recorded(subject.file, arguments.ctx, arguments.kv_type) if subject.file else None


def _common(machine: Machine, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "n_ctx": arguments.ctx,
        "kv_type": "f16" if arguments.kv_type == "auto" else arguments.kv_type,
        "machine": fit_words.machine_json(machine),
    }


def _fit_json(
    subjects: list[Subject],
    fits: list[Fit],
    found: Fit | PairFit,
    machine: Machine,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    models = [
        {
            "ref": subject.ref,
            "name": subject.candidate.name,
            "quant": subject.quant,
            "arch": subject.candidate.header.arch,
            "size_bytes": subject.candidate.size_bytes,
            "n_ctx_train": subject.n_ctx_train,
            "is_here": subject.file is not None,
            "fit": fit_words.fit_json(item),
            "measured_bytes": measured.total_bytes if (measured := _measured(subject, arguments)) else None,
        }
        for subject, item in zip(subjects, fits, strict=True)
    ]
    pair = {"how": found.how, "reason": found.reason} if isinstance(found, PairFit) else None
    return {"schema": "playground.fit/1", **_common(machine, arguments), "models": models, "pair": pair}


def _fit_text(
    subjects: list[Subject],
    fits: list[Fit],
    found: Fit | PairFit,
    machine: Machine,
    arguments: argparse.Namespace,
) -> str:
    lines = [fit_words.machine_line(machine), ""]
    for subject, item in zip(subjects, fits, strict=True):
        where = "" if subject.file else ", at the Hub"
        lines.append(f"{subject.candidate.name}{where}, {arguments.ctx:,} tokens of context")
        lines += fit_words.fit_lines(item, machine, _measured(subject, arguments))
        lines.append("")
    if isinstance(found, PairFit):
        lines += [found.reason, ""]
    return "\n".join(lines[:-1]) + "\n"
