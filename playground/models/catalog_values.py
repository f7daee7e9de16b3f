"""Pairs worth comparing, as the catalog tells them, and what becomes of them on one machine. Pure values."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from playground.models.fitness import PairFit


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vendor's own figure, with where and when it was read."""

    benchmark: str
    value: float
    source: str
    read: dt.date


class CatalogQuant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One quantization of a model. ``file`` is its first file in the repository, empty where it is not known."""

    name: str
    size_bytes: int
    file: str = ""
    parts: int = 1


class Numbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the memory formulas need where there is no header: layers that keep a cache, heads, lengths, states."""

    arch: str
    n_ctx_train: int
    layers: int
    kv_layers: int
    kv_heads: int
    key_length: int
    value_length: int
    embedding: int
    vocabulary: int
    window: int = 0
    window_layers: int = 0
    state_bytes: int = 0


class CatalogModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the catalog. ``params`` and ``active_params`` count weights; equal ones: it is dense."""

    id: str
    name: str
    repo: str
    licence: str
    params: int
    active_params: int
    released: str
    source: str
    read: dt.date
    quants: tuple[CatalogQuant, ...]
    numbers: Numbers
    licence_url: str = ""
    base_repo: str = ""
    scores: tuple[Score, ...] = ()
    note: str = ""


class PairSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a pair."""

    model: str  # CatalogModel.id
    quant: str


class CatalogPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two sides and why. ``memory_gb``: the machine that it is meant for. ``is_story``: the pair the app is named by."""

    id: str
    title: str
    compact: PairSide
    larger: PairSide
    memory_gb: int
    why: str = ""
    is_story: bool = False


class Side(msgspec.Struct, frozen=True):
    """One side as a machine sees it. ``path``: the first file where it is on disk already, else empty."""

    model: CatalogModel
    quant: CatalogQuant
    path: str = ""


class Proposal(msgspec.Struct, frozen=True):
    """A pair on a machine. ``fetch_bytes``: what would have to be downloaded."""

    pair: CatalogPair
    compact: Side
    larger: Side
    fit: PairFit
    fetch_bytes: int


SideName = Literal["compact", "larger"]
