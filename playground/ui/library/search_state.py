"""What the tab *Search* knows, frozen: the query with its results, and the repository that is open. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from playground.models.disk.inventory_values import DiskModel, DiskState
from playground.models.downloads.download import Download
from playground.models.fitness import Fit
from playground.models.hub.repository import FoundModel, Query, Repository
from playground.ui.library.trouble import Trouble

FitWish = Literal["any", "fits"]
DEFAULT_CONTEXT = 32_768


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a result whose repository has been read: the best quantization and how it fits."""

    pill: tuple[str, str]
    words: str


@dataclass(frozen=True, slots=True)
class SearchState:
    """``free_bytes``: what a model may take, 0 while it is not known. ``shown`` counts the results so far."""

    query: Query = field(default_factory=Query)
    fit_wish: FitWish = "any"
    is_searching: bool = False
    is_loading_more: bool = False
    trouble: Trouble | None = None
    found: tuple[FoundModel, ...] = ()
    cursor: str = ""
    free_bytes: int = 0
    selected: str = ""
    has_searched: bool = False


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """``ref`` names what is open, "" for nothing. ``picked``: a quantization; ``fits`` are those at ``n_ctx``."""

    ref: str = ""
    is_loading: bool = False
    trouble: Trouble | None = None
    repository: Repository | None = None
    n_ctx: int = DEFAULT_CONTEXT
    is_fitting: bool = False
    fits: dict[str, Fit] = field(default_factory=dict)
    fits_trouble: Trouble | None = None
    picked: str = ""
    picked_by_hand: bool = False
    token: str = ""
    downloads: tuple[Download, ...] = ()
    on_disk: tuple[DiskModel, ...] = ()
    starting: str = ""
    problem: str = ""

    def download(self, quant: str) -> Download | None:
        """Return the last download of a quantization of this repository."""
        repo = self.repository.id if self.repository else ""
        mine = [d for d in self.downloads if d.repo == repo and d.quant == quant]
        return mine[-1] if mine else None

    def path(self, quant: str) -> str:
        """Return where a quantization is on this disk, empty when it is not here."""
        repo = self.repository.id if self.repository else ""
        for model in self.on_disk:
            if model.repo == repo and model.quant == quant and model.state is DiskState.READY:
                return model.path
        found = self.download(quant)
        return found.path if found is not None else ""
