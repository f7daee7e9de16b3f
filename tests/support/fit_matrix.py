"""The memory estimate beside llama.cpp's own accounting: every tiny architecture and the starter, contexts, cache types."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playground.chat.options import KvType, LoadOptions
from playground.models import starter
from playground.models.fit import ContextNeeds, MemoryEstimate, estimate
from playground.models.gguf import read_header
from tests.support.dry_run import Buffers, real_run
from tests.support.tiny_gguf import ARCHITECTURES, build

MODELS = (*ARCHITECTURES, "starter")
_CONTEXTS = (512, 1024, 2048, 4096, 8192, 16_384, 32_768)
_KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")


@dataclass(frozen=True, slots=True)
class Row:
    """One context of one model."""

    model: str
    n_ctx: int
    kv_type: str
    estimated: MemoryEstimate
    real: Buffers


def model_path(model: str, folder: Path) -> Path:
    """Return the file of one of MODELS, made if need be."""
    return starter.assemble() if model == "starter" else build(model, folder / f"{model}.gguf")


def rows(model: str, path: Path) -> list[Row]:
    """Return all contexts of one model, from one process with the model in memory."""
    header = read_header(path)
    kinds = list(product(_CONTEXTS, _KV_TYPES))
    contexts = [LoadOptions(n_ctx=n_ctx, kv_type=kv_type) for n_ctx, kv_type in kinds]
    found = zip(kinds, real_run(path, contexts), strict=True)
    return [
        Row(model, n_ctx, kv_type, estimate(header, ContextNeeds(n_ctx, kv_type)), real)
        for (n_ctx, kv_type), real in found
    ]
