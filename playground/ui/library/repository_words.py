"""The words of one repository: its essentials, its quantizations as rows, what its foot offers. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playground.models.downloads.download import DownloadState
from playground.models.fitness import Fit, Verdict
from playground.models.hub.repository import FileKind, Quant, Repository
from playground.ui.compare_words import size
from playground.ui.library.pairs_words import cache
from playground.ui.library.search_state import Known, RepositoryState
from playground.ui.library.words import FIT_TIPS, FITS, Pill, context, count, licence, params, tenths

FootAct = Literal["", "fetch", "show_downloads", "retry", "use"]
_TOP = 1.12  # a bar is as wide as the free memory and a little more
_WIDE_WEIGHT = 1.3  # bytes for one weight: what is above it is not quantized, and gains nothing over Q8_0
_ORDER: tuple[Verdict, ...] = ("well", "tight", "partly", "too_big")
_KINDS: dict[FileKind, str] = {"mmproj": "for images", "mtp": "prediction layers, for speed"}
MARK = 1 / _TOP


@dataclass(frozen=True, slots=True)
class QuantRow:
    """One quantization to be painted. ``parts``: shares of the bar; ``total`` and ``sum`` in GB."""

    name: str
    size: str
    parts: tuple[tuple[float, str], ...] = ()
    total: str = ""
    sum: str = ""
    pill: Pill = ("", "plain")
    mark: Pill = ("", "plain")
    tip: str = ""
    is_picked: bool = False

    def spoken(self) -> str:
        """Return it for those who hear it."""
        memory = f"{self.total} GB of memory" if self.total else ""
        return ", ".join(filter(None, (self.name, self.size, memory, self.pill[0], self.mark[0])))


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below the quantizations. ``can_use``: the picked one is here."""

    text: str
    act: FootAct
    button: str
    icon: str
    can_act: bool
    can_use: bool


def quant_rows(state: RepositoryState) -> tuple[QuantRow, ...]:
    """Return the models of a repository, largest first."""
    if state.repository is None:
        return ()
    ordered = sorted(state.repository.models, key=lambda quant: -quant.size_bytes)
    return tuple(_row(state, quant) for quant in ordered)


def _row(state: RepositoryState, quant: Quant) -> QuantRow:
    fit = state.fits.get(quant.name)
    parts_count = len(quant.files)
    tip = f"{parts_count} files" if parts_count > 1 else quant.files[0].path
    row = QuantRow(
        quant.name,
        size(quant.size_bytes),
        mark=_mark(state, quant),
        tip=tip,
        is_picked=quant.name == state.picked,
    )
    if fit is None:
        return row
    memory = fit.memory
    figures = (memory.weights_bytes, cache(memory), memory.compute_bytes)
    return QuantRow(
        quant.name,
        row.size,
        _shares(figures, fit.free_bytes),
        tenths(memory.total_bytes),
        " + ".join(tenths(figure) for figure in figures),
        FITS[fit.verdict],
        row.mark,
        f"{FIT_TIPS[fit.verdict]}\n{_layers(fit)}{tip}",
        row.is_picked,
    )


def _layers(fit: Fit) -> str:
    lines = f"{fit.gpu_layers} of {fit.layers} layers on the GPU\n" if fit.gpu_layers else ""
    return lines + (f"Largest context: {context(fit.largest_context)}\n" if fit.largest_context else "")


def _shares(figures: tuple[int, int, int], free_bytes: int) -> tuple[tuple[float, str], ...]:
    top = max(free_bytes, 1) * _TOP
    parts, used = [], 0.0
    for figure, tint in zip(figures, ("a", "a2", "buffers"), strict=True):
        share = min(figure / top, 1.0 - used)
        parts.append((share, tint))
        used += share
    return tuple(parts)


def _mark(state: RepositoryState, quant: Quant) -> Pill:
    if state.path(quant.name):
        return "On disk", "ok"
    found = state.download(quant.name)
    if found is None:
        return "", "plain"
    if found.state is DownloadState.ACTIVE and found.total_bytes:
        return f"{found.received_bytes / found.total_bytes:.0%}", "run"
    return (found.state.value.capitalize(), "bad" if found.state is DownloadState.FAILED else "plain")


def best(repository: Repository, fits: Mapping[str, Fit]) -> str:
    """Return the quantization to begin with: the largest that runs well, else the next best verdict's smallest."""
    usual = [quant for quant in repository.models if quant.name in fits and not _is_wide(repository, quant)]
    for verdict in _ORDER:
        fitting = [quant for quant in usual if fits[quant.name].verdict == verdict]
        if fitting:
            choose = max if verdict in ("well", "tight") else min
            return choose(fitting, key=lambda quant: quant.size_bytes).name
    return ""


def _is_wide(repository: Repository, quant: Quant) -> bool:
    many = len(repository.models) > 1
    if repository.params:
        return many and quant.size_bytes > repository.params * _WIDE_WEIGHT
    return many and quant.name.upper() in ("F16", "BF16", "F32")


def first_pick(repository: Repository) -> str:
    """Return the quantization to begin with while nothing is known about their fit: the usual one, or the middle."""
    names = [quant.name for quant in sorted(repository.models, key=lambda quant: quant.size_bytes)]
    if "Q4_K_M" in names:
        return "Q4_K_M"
    return names[len(names) // 2] if names else ""


def known(repository: Repository, fits: Mapping[str, Fit]) -> Known | None:
    """Return what a row of the results says once the fit is known."""
    name = best(repository, fits)
    if not name:
        return None
    quant = next(one for one in repository.models if one.name == name)
    pill = FITS[fits[name].verdict]
    words = f"smallest {size(quant.size_bytes)}" if pill[1] == "bad" else f"{name}, {size(quant.size_bytes)}"
    return Known(pill, words)


def free_words(state: RepositoryState) -> str:
    """Return what the memory is held against, in capitals for a caption."""
    fit = next(iter(state.fits.values()), None)
    if fit is None:
        return "RECKONING…" if state.is_fitting else ""
    return f"{tenths(fit.free_bytes)} FREE"


def badges(repository: Repository) -> tuple[str, ...]:
    """Return chips: size, kind, largest context, what else it takes."""
    images = "images" if any(quant.kind == "mmproj" for quant in repository.quants) else ""
    most = f"up to {context(repository.n_ctx_train)}" if repository.n_ctx_train else ""
    return tuple(filter(None, (params(repository.params), repository.arch, most, images)))


def facts(repository: Repository) -> str:
    """Return the repository's name and figures in one line."""
    figures = (f"{count(repository.downloads)} downloads", f"{count(repository.likes)} likes")
    dated = f"changed {repository.modified[:10]}" if repository.modified else ""
    return "  ·  ".join(filter(None, (repository.id, *figures, dated)))


def others(repository: Repository) -> str:
    """Return what else is in a repository: projectors and prediction layers."""
    named = [
        f"{quant.name} {size(quant.size_bytes)} ({_KINDS[quant.kind]})"
        for quant in repository.quants
        if quant.kind in _KINDS
    ]
    return f"Also here: {', '.join(named)}" if named else ""


def hint(state: RepositoryState) -> str:
    """Return what the verdicts mean where they may frighten."""
    verdicts = {fit.verdict for fit in state.fits.values()}
    if "partly" in verdicts:
        return "“Partly on the CPU” is not a lock: it runs, several times slower."
    if verdicts == {"too_big"}:
        return "None of these fits this machine’s free memory. A shorter context needs less."
    return ""


def licence_words(repository: Repository) -> Pill:
    """Return the licence and what it means."""
    return licence(repository.licence)


def gate_words(state: RepositoryState) -> str:
    """Return what a gated repository asks for; empty for one that is open, or that can be fetched already."""
    repository = state.repository
    if repository is None or not repository.gated:
        return ""
    who = "accept its terms" if repository.gated == "auto" else "ask its author for access"
    if state.token:
        return f"Gated: {who} on huggingface.co with the account of your token ({state.token})."
    return f"Gated: {who} on huggingface.co, then enter a token of that account."


def foot(state: RepositoryState) -> Foot:
    """Return what can be done with the picked quantization."""
    quant = (
        next((one for one in state.repository.models if one.name == state.picked), None)
        if state.repository
        else None
    )
    if quant is None:
        return Foot("", "", "Download", "get", can_act=False, can_use=False)
    text = _foot_text(state, quant)
    if state.path(quant.name):
        return Foot(text, "use", "Use as A", "compare", can_act=True, can_use=True)
    found = state.download(quant.name)
    if found is not None and found.state is DownloadState.FAILED:
        return Foot(found.error, "retry", "Try again", "redo", can_act=True, can_use=False)
    if found is not None and found.state is not DownloadState.DONE:
        return Foot(text, "show_downloads", "Show download", "", can_act=True, can_use=False)
    if state.starting:
        return Foot(text, "fetch", "Starting…", "get", can_act=False, can_use=False)
    return Foot(text, "fetch", "Download", "get", can_act=True, can_use=False)


def _foot_text(state: RepositoryState, quant: Quant) -> str:
    fit = state.fits.get(quant.name)
    named = f"{quant.name}, {size(quant.size_bytes)}"
    if fit is None:
        return named
    spare = fit.spare_bytes
    if spare >= 0:
        return f"{named}  ·  {size(spare)} to spare"
    where = "would run on the CPU" if fit.verdict == "partly" else "too much for this machine"
    return f"{named}  ·  {size(-spare)} {where}"
