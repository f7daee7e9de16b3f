"""Which pairs of the catalog to propose for a machine, best first. Pure functions over the catalog's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.models.catalog.catalog_values import Catalog, CatalogPair, PairSide, Proposal, Side
from playground.models.catalog.numbers import header_of
from playground.models.disk.inventory_values import Disk, DiskState
from playground.models.fitness import Fit, Machine
from playground.models.pair_fit import Candidate, fit, fit_pair
from playground.models.weights import weighed

OnDisk = Mapping[tuple[str, str], str]  # (repository, quantization) -> path of the first file
_RUNS = ("together", "in_turn")
_FEW = 3
_FAR_TOO_SMALL = 6  # a pair that leaves more than five sixths of the memory unused


@dataclass(frozen=True, slots=True)
class _Look:
    """A side, and how it fits alone: many pairs share it."""

    side: Side
    model: Candidate
    fit: Fit


def proposals(
    machine: Machine,
    n_ctx: int,
    on_disk: OnDisk | None = None,
    *,
    kv_type: str = "f16",
    known: Catalog | None = None,
) -> tuple[Proposal, ...]:
    """Return the pairs worth trying: the story's first, whatever becomes of it, the user's own, then those that fit best.

    Pairs that a GPU holds only partly go last, before them those that run together, then those that run in turn, each
    with larger models first. Pairs far below what the machine can do, and those that do not fit, are left out while
    there are three others. ``known`` is the catalog (it is read when it is left out).
    """
    if known is None:
        from playground.models.catalog.catalog import catalog

        known = catalog()
    sides = {
        side: _side(known, side, on_disk or {})
        for pair in known.pairs
        for side in (pair.compact, pair.larger)
    }
    looked = {side: _look(found, machine, n_ctx, kv_type) for side, found in sides.items()}
    found = [_proposal(pair, looked, machine, n_ctx, kv_type) for pair in known.pairs]
    story = [item for item in found if item.pair.is_story]
    own = [item for item in found if item.pair.is_own and not item.pair.is_story]
    others = [item for item in found if not (item.pair.is_story or item.pair.is_own)]
    return (*story, *sorted(own, key=_rank), *_chosen(others, machine))


def on_disk(disk: Disk) -> OnDisk:
    """Return what of the Hub is on this disk already and can be used."""
    ready = [model for model in disk.models if model.repo and model.state is DiskState.READY]
    return {(model.repo, model.quant): model.path for model in reversed(ready)}


def _chosen(found: Sequence[Proposal], machine: Machine) -> list[Proposal]:
    running = sorted((item for item in found if item.fit.how in _RUNS), key=_rank)
    if len(running) < _FEW:
        rest = sorted((item for item in found if item.fit.how not in _RUNS), key=_size)
        return [*running, *rest[: _FEW - len(running)]]
    memory = machine.free_bytes
    if not machine.is_unified:
        memory += sum(device.free_bytes for device in machine.devices)
    worth = [item for item in running if _size(item) * _FAR_TOO_SMALL > memory]
    return worth if len(worth) >= _FEW else running[:_FEW]


def _rank(item: Proposal) -> tuple[bool, bool, int]:
    is_partly = "partly" in (item.fit.compact.verdict, item.fit.larger.verdict)
    return is_partly, item.fit.how != "together", -item.larger.quant.size_bytes


def _size(item: Proposal) -> int:
    return item.compact.quant.size_bytes + item.larger.quant.size_bytes


def _look(side: Side, machine: Machine, n_ctx: int, kv_type: str) -> _Look:
    header = weighed(header_of(side.model.numbers), side.quant.size_bytes)
    model = Candidate(f"{side.model.name} {side.quant.name}", header, side.quant.size_bytes)
    return _Look(side, model, fit(header, model.size_bytes, n_ctx, machine, kv_type))


def _proposal(
    pair: CatalogPair, looked: Mapping[PairSide, _Look], machine: Machine, n_ctx: int, kv_type: str
) -> Proposal:
    one, other = looked[pair.compact], looked[pair.larger]
    alone = (one.fit, other.fit)
    return Proposal(
        pair=pair,
        compact=one.side,
        larger=other.side,
        fit=fit_pair(one.model, other.model, n_ctx, machine, kv_type, alone=alone),
        fetch_bytes=sum(look.side.quant.size_bytes for look in (one, other) if not look.side.path),
    )


def _side(known: Catalog, side: PairSide, on_disk: OnDisk) -> Side:
    model = known.model(side.model)
    quant = model.quant(side.quant)
    return Side(model, quant, on_disk.get((model.repo, quant.name), ""))
