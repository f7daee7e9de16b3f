"""After a run the memory that a model really took is kept, beside what was estimated."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.options import LoadOptions
from playground.models.fit import ContextNeeds, estimate
from playground.models.gguf import read_header
from playground.models.library import describe
from playground.models.measured import path, recorded
from tests.support.comparisons import lane, results
from tests.support.tiny_gguf import build


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    return build("llama", tmp_path / "tiny.gguf")


def test_a_run_leaves_the_real_figures(model: Path) -> None:
    lanes = [
        lane(model, LoadOptions(n_ctx=1000, kv_type="q8_0"), "A"),
        lane(model, LoadOptions(n_ctx=2048), "B"),
    ]
    found = asyncio.run(results(lanes, "together"))
    for slot, n_ctx, kv_type in (("A", 1000, "q8_0"), ("B", 2048, "f16")):
        kept = recorded(describe(model), n_ctx, kv_type)
        assert kept is not None
        memory = found[slot].memory
        assert kept.weights_bytes == memory.weights_bytes
        assert kept.kv_bytes == memory.kv_bytes
        assert kept.resident_bytes > kept.total_bytes
        assert kept.estimated_bytes == estimate(read_header(model), ContextNeeds(n_ctx, kv_type)).total_bytes
        assert kept.estimated_bytes == pytest.approx(kept.total_bytes, rel=0.05)


def test_figures_that_cannot_be_kept_do_not_fail_a_run(model: Path) -> None:
    path().parent.parent.mkdir(parents=True, exist_ok=True)
    path().parent.write_text("a file in the folder's place", encoding="utf-8")
    found = asyncio.run(results([lane(model, LoadOptions(n_ctx=512))]))
    assert found["A"].error is None
