"""What is given up when a device has less memory than it said: in order, said in words, and never what was asked for."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec
import pytest

from playground.chat.options import LoadOptions
from playground.compare.events import LaneResult
from tests.support.boasting_server import boasting
from tests.support.comparisons import lane, results, uses
from tests.support.lenders import lender
from tests.support.tiny_gguf import build

_CLAIMED_BYTES = 1 << 32


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a model whose cache at 4,096 tokens takes 4.2 MB, its weights 2.6 MB, its compute buffer 6.5 MB."""
    return build("llama", tmp_path_factory.mktemp("tiny") / "tiny.gguf", ctx=4096)


def _load(path: Path, memory: str, **options: object) -> LaneResult:
    """Load onto a device that claims gigabytes and has ``memory``."""
    with lender("--memory", memory) as lent, boasting(lent.port, _CLAIMED_BYTES) as device:
        load = msgspec.convert({"devices": [device], **options}, LoadOptions)
        return asyncio.run(results([lane(path, load)]))["A"]


def _loaded(found: LaneResult) -> tuple[int, int, str]:
    """Return layers on the device, context and cache type."""
    assert found.error is None, found.error
    assert found.usage.completion_tokens > 0
    assert found.loaded is not None
    assert found.loaded.placement is not None
    return found.loaded.gpu_layers, found.loaded.n_ctx, found.loaded.placement.kv_type


def test_layers_give_way_first(model: Path) -> None:
    found = _load(model, "11MB")
    layers, n_ctx, kv_type = _loaded(found)
    assert 0 < layers < 5
    assert (n_ctx, kv_type) == (4096, "f16")
    assert found.warnings == (f"{layers} of 5 layers are on the devices: more did not fit in their memory.",)


def test_a_device_without_room_leaves_all_to_the_cpu(model: Path) -> None:
    found = _load(model, "1MB")
    assert _loaded(found) == (0, 4096, "f16")
    assert found.warnings == ("The model runs on the CPU: no layer fitted onto the devices.",)
    assert set(uses(found)) == {"CPU"}


def test_the_context_gives_way_when_the_layers_were_asked_for(model: Path) -> None:
    found = _load(model, "10MB", gpu_layers="all")
    assert _loaded(found) == (5, 2048, "f16")
    assert found.warnings == (
        "The context was made smaller, 2,048 tokens: a larger one did not fit in memory.",
    )


def test_the_type_of_the_cache_gives_way_when_the_context_was_asked_for(model: Path) -> None:
    found = _load(model, "12MB", gpu_layers=5, n_ctx=4096)
    assert _loaded(found) == (5, 4096, "q8_0")
    assert found.warnings == ("The cache is kept as q8_0: a larger type did not fit in memory.",)


def test_both_give_way_in_turn(model: Path) -> None:
    found = _load(model, "6400000", gpu_layers="all")
    assert _loaded(found) == (5, 1024, "q4_0")
    assert [re.split(r"[,:]", warning)[0] for warning in found.warnings] == [
        "The context was made smaller",
        "The cache is kept as q4_0",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"gpu_layers": "all", "n_ctx": 4096, "kv_type": "f16"},
        {
            "gpu_layers": "all",
            "n_ctx": 4096,
            "flash_attention": "off",
        },  # a smaller type needs flash attention
    ],
    ids=["type", "flash-attention"],
)
def test_what_was_asked_for_is_kept_or_refused(model: Path, asked: dict[str, object]) -> None:
    found = _load(model, "10MB", **asked)
    assert found.error is not None
    assert found.error.kind == "out_of_memory"
    assert found.error.hint.endswith(".")


def test_experts_give_way_before_layers_do(tmp_path: Path) -> None:
    path = build("qwen35moe", tmp_path / "tiny.gguf", ctx=1024)
    found = _load(path, "6MB")
    assert _loaded(found)[0] == 5
    (warning,) = found.warnings
    assert re.fullmatch(
        r"5 of 5 layers are on the devices, experts of \d on the CPU: more did not fit in their memory\.",
        warning,
    )
    kept = _load(path, "6MB", cpu_experts=0)
    assert 0 < _loaded(kept)[0] < 5
    assert "experts" not in kept.warnings[0]
    forced = _load(path, "6MB", gpu_layers="all", n_ctx=1024, kv_type="f16")
    assert _loaded(forced) == (5, 1024, "f16")
    assert "experts" in forced.warnings[0]
