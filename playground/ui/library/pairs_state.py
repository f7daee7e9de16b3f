"""What the tab *For this machine* knows, frozen; and what its widgets are given to show. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.models.catalog.catalog_values import Proposal, Side
from playground.models.downloads.download import Download, DownloadState
from playground.models.fitness import Machine
from playground.ui.library.trouble import Trouble
from playground.ui.library.words import Pill

Part = tuple[float, str]  # a share of the whole, 0 to 1, or bytes; and a tint
Act = Literal["", "fetch", "show_downloads", "retry", "compare", "use_compact"]


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar: what stands before it, its parts in bytes, what stands behind it, whether it is more than is free."""

    title: str
    parts: tuple[Part, ...]
    end: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """One or two bars against the same free memory; ``note`` stands below a single one."""

    rows: tuple[BarRow, ...]
    free_bytes: int
    free: str
    note: str = ""

    def spoken(self) -> str:
        """Return it for those who hear it."""
        return "Memory: " + "; ".join(f"{row.title} {row.end}" for row in self.rows) + f"; {self.free}"


@dataclass(frozen=True, slots=True)
class PairsState:
    """``wanted``: pairs that are to be compared as soon as both are here. ``problems``: why a fetch did not begin.

    ``speed_bytes_per_s``: of the last downloads, 0 while there was none.
    """

    is_loading: bool = True
    trouble: Trouble | None = None
    machine: Machine | None = None
    disk_free_bytes: int = 0
    n_ctx: int = 8192
    proposals: tuple[Proposal, ...] = ()
    downloads: tuple[Download, ...] = ()
    wanted: frozenset[str] = frozenset()
    starting: frozenset[str] = frozenset()
    problems: tuple[tuple[str, str], ...] = ()
    speed_bytes_per_s: float = 0.0

    def proposal(self, pair_id: str) -> Proposal:
        """Return a proposal by its pair."""
        return next(one for one in self.proposals if one.pair.id == pair_id)

    def download(self, side: Side) -> Download | None:
        """Return the last download of a side's quantization."""
        mine = [d for d in self.downloads if d.repo == side.model.repo and d.quant == side.quant.name]
        return mine[-1] if mine else None

    def path(self, side: Side) -> str:
        """Return where a side's first file is, empty when it is not here."""
        if side.path:
            return side.path
        found = self.download(side)
        return found.path if found is not None and found.state is DownloadState.DONE else ""


@dataclass(frozen=True, slots=True)
class SideLine:
    """One side of a card."""

    slot: str
    name: str
    quant: str
    licence: str
    size: str
    pill: Pill
    tip: str


@dataclass(frozen=True, slots=True)
class PairCard:
    """A card. ``remark``: a sentence that stands out; ``fraction``: of what is being fetched, None: nothing is."""

    id: str
    title: str
    how: Pill
    how_tip: str
    sides: tuple[SideLine, SideLine]
    bars: Bars
    why: str
    remark: str
    foot: str
    problem: str
    act: Act
    button: str
    button_tip: str
    can_act: bool
    is_primary: bool
    is_wide: bool
    fraction: float | None
