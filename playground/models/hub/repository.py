"""What the Hub says about a model: search results, one repository, its files grouped into quantizations. Pure values."""

from __future__ import annotations

from typing import Literal

import msgspec

Sort = Literal["downloads", "likes", "trending", "newest"]
Gate = Literal["", "auto", "manual"]  # open to all; accepted by a click; accepted by its author
FileKind = Literal["model", "mmproj", "mtp", "other"]


class Query(msgspec.Struct, frozen=True):
    """What is looked for. Empty or None: any. ``min_params`` and ``max_params`` count weights."""

    words: str = ""
    sort: Sort = "downloads"
    author: str = ""
    licence: str = ""
    gated: bool | None = None
    min_params: int | None = None
    max_params: int | None = None
    limit: int = 30


class FoundModel(msgspec.Struct, frozen=True):
    """One line of a search. Numbers are 0, texts empty where the Hub does not say."""

    id: str
    downloads: int = 0
    likes: int = 0
    modified: str = ""  # ISO 8601
    gated: Gate = ""
    licence: str = ""
    params: int = 0
    arch: str = ""
    n_ctx_train: int = 0

    @property
    def author(self) -> str:
        """Return the owner's name."""
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        """Return the name without its owner."""
        return self.id.partition("/")[2]


class Page(msgspec.Struct, frozen=True):
    """Some results. ``cursor`` gets the next ones; empty: there are no more."""

    found: tuple[FoundModel, ...]
    cursor: str = ""


class HubFile(msgspec.Struct, frozen=True):
    """One file of a repository. ``sha256`` is that of its content, empty where the Hub keeps none (small texts)."""

    path: str
    size_bytes: int
    sha256: str = ""


class Quant(msgspec.Struct, frozen=True):
    """One quantization: the parts of a split model in order, or one file. ``kind`` tells what it is for."""

    name: str  # Q4_K_M
    files: tuple[HubFile, ...]
    kind: FileKind = "model"

    @property
    def size_bytes(self) -> int:
        """Return the size of all parts."""
        return sum(file.size_bytes for file in self.files)


class Repository(msgspec.Struct, frozen=True):
    """A model's page. ``commit``: 40 hex digits, of ``branch`` when it was read. ``summary``: the card's first words.

    ``notes``: sentences about files that are left out because something is wrong with them, and about what is odd.
    """

    id: str
    commit: str
    branch: str = "main"
    gated: Gate = ""
    licence: str = ""
    licence_url: str = ""
    downloads: int = 0
    likes: int = 0
    modified: str = ""
    params: int = 0
    arch: str = ""
    n_ctx_train: int = 0
    base_models: tuple[str, ...] = ()
    summary: str = ""
    quants: tuple[Quant, ...] = ()
    files: tuple[HubFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[Quant, ...]:
        """Return what can be run, without projectors and prediction layers."""
        return tuple(quant for quant in self.quants if quant.kind == "model")
