"""What is known about one model file on disk. A plain value; knows no engine."""

from __future__ import annotations

import msgspec


class ModelFile(msgspec.Struct, frozen=True):
    """One runnable model: the first file of a GGUF, and what its header says.

    ``ref`` is what a person types to get it again; ``name`` what a person reads. ``size_bytes`` and ``params``
    (number of weights) cover all files of a split model. ``quant`` is the file type's usual name (``Q4_K_M``).
    ``is_base``: the file carries no chat template, so the model continues text instead of answering.
    """

    ref: str
    path: str
    name: str
    size_bytes: int
    arch: str
    quant: str
    params: int
    n_ctx_train: int
    is_base: bool
    licence: str = ""
