"""What the Hub said, laid out for a terminal. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from playground.models.hub.grouping import default_quant
from playground.models.hub.repository import FileKind, FoundModel, Quant, Repository

_WIDTH = 100
_KINDS: dict[FileKind, str] = {
    "model": "",
    "mmproj": "for pictures, beside a model",
    "mtp": "drafts for a model",
    "other": "no model of its own",
}


def search_table(found: Sequence[FoundModel]) -> str:
    """Return a line for each model, under a line that names the columns; empty without models."""
    if not found:
        return ""
    head = ("MODEL", "WEIGHTS", "ARCH", "CONTEXT", "DOWNLOADS", "LIKES", "CHANGED", "LICENCE")
    return _table([head, *(_search_row(model) for model in found)], right=(1, 3, 4, 5))


def page(repository: Repository, quants: Sequence[Quant], badges: Mapping[str, str]) -> str:
    """Return a model's page: who it is, what it says of itself, and its quantizations.

    ``badges``: how each fits, by the path of its first file.
    """
    lines = [repository.id, *(f"  {line}" for line in _facts(repository) if line)]
    if repository.summary:
        lines += ["", *textwrap.wrap(repository.summary, _WIDTH, initial_indent="  ", subsequent_indent="  ")]
    text = "\n".join(lines) + "\n"
    return f"{text}\n{quant_table(repository, quants, badges)}" if quants else text


def quant_table(repository: Repository, quants: Sequence[Quant], badges: Mapping[str, str]) -> str:
    """Return a line for each quantization; the one that is fetched when none is named is marked."""
    default = default_quant(repository.quants)
    rows = [("QUANT", "SIZE", "FILES", "FIT" if badges else "", "")]
    for quant in quants:
        note = "the default" if quant == default else _KINDS[quant.kind]
        rows.append(
            (
                quant.name,
                size(quant.size_bytes),
                str(len(quant.files)),
                badges.get(quant.files[0].path, ""),
                note,
            )
        )
    return _table(rows, right=(1, 2), indent="  ")


def size(size_bytes: int) -> str:
    """Return a size as people say it: 16.8 GB, 268 MB."""
    if size_bytes >= 10**9:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 10**6 else f"{size_bytes / 1e3:.0f} kB"


def weights(params: int) -> str:
    """Return a number of weights as people say it: 27.4B, 268M; empty when it is not known."""
    for unit, scale in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if params >= scale:
            return f"{params / scale:.1f}".removesuffix(".0") + unit
    return str(params) if params else ""


def _search_row(model: FoundModel) -> tuple[str, ...]:
    licence = model.licence + (" (gated)" if model.gated else "")
    context = f"{model.n_ctx_train:,}" if model.n_ctx_train else ""
    counts = f"{model.downloads:,}", f"{model.likes:,}"
    return (
        model.id,
        weights(model.params),
        model.arch,
        context,
        *counts,
        model.modified[:10],
        licence.strip(),
    )


def _facts(repository: Repository) -> tuple[str, ...]:
    found = repository
    gate = {"": "", "auto": "gated: its terms must be accepted", "manual": "gated: its author decides"}[
        found.gated
    ]
    context = f"{found.n_ctx_train:,} tokens of context" if found.n_ctx_train else ""
    params = f"{weights(found.params)} weights" if found.params else ""
    licence = f"{found.licence} {found.licence_url}".strip()
    return (
        ", ".join(filter(None, (params, found.arch, context))),
        ", ".join(filter(None, (licence, gate))),
        f"{found.downloads:,} downloads, {found.likes:,} likes, changed {found.modified[:10] or 'at some time'}",
        f"made from {', '.join(found.base_models)}" if found.base_models else "",
        f"{found.branch} at {found.commit}",
    )


def _table(rows: Sequence[Sequence[str]], *, right: Sequence[int], indent: str = "") -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"{indent}{'  '.join(cells)}".rstrip())
    return "\n".join(lines) + "\n"
