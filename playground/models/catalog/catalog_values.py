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
    """One quantization of a model. ``file`` is its first file in the repository, empty where it is not known.

    ``is_rough``: the size was read as a round figure.
    """

    name: str
    size_bytes: int
    file: str = ""
    parts: int = 1
    is_rough: bool = False


class Numbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the memory formulas need where there is no header: layers that keep a cache, heads, lengths, states.

    ``window_layers`` of the ``kv_layers`` see ``window`` tokens; their heads are the others' unless numbers are given.
    ``state_bytes``: all recurrent states of one sequence. ``experts`` 0: a dense model. ``is_rough``: some numbers are
    not from the model's own files, so that front ends say "about".
    """

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
    window_kv_heads: int = 0
    window_key_length: int = 0
    window_value_length: int = 0
    heads: int = 0
    feed_forward: int = 0
    experts: int = 0
    experts_used: int = 0
    expert_feed_forward: int = 0
    is_rough: bool = False


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

    def quant(self, name: str) -> CatalogQuant:
        """Return a quantization. Raises KeyError."""
        for quant in self.quants:
            if quant.name == name:
                return quant
        raise KeyError(name)


class PairSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a pair."""

    model: str  # CatalogModel.id
    quant: str


class CatalogPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two sides and why. ``memory_gb``: the machine that it is meant for. ``is_story``: the pair the app is named by.

    ``is_own``: it is from the user's own file, and so always proposed.
    """

    id: str
    title: str
    compact: PairSide
    larger: PairSide
    memory_gb: int
    why: str = ""
    is_story: bool = False
    is_own: bool = False


class Catalog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All models and pairs that are known, the story's pair first. ``problems``: sentences about the user's own file."""

    models: tuple[CatalogModel, ...] = ()
    pairs: tuple[CatalogPair, ...] = ()
    problems: tuple[str, ...] = ()

    def model(self, model_id: str) -> CatalogModel:
        """Return a model. Raises KeyError; every side of a pair names one that is there."""
        for model in self.models:
            if model.id == model_id:
                return model
        raise KeyError(model_id)


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
