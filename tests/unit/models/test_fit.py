"""The memory formulas by themselves: what makes a need larger, and headers that say odd things."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.fit import ContextNeeds, estimate, largest_context, layer_needs
from playground.models.gguf import GgufHeader, TensorInfo
from tests.support import big_shapes

_BIG = st.sampled_from(
    [big_shapes.GPT_OSS_120B, big_shapes.QWEN35_397B, big_shapes.QWEN36_27B, big_shapes.GEMMA3_27B]
)
_HEADERS = {big: big_shapes.header(big) for big in (big_shapes.GPT_OSS_120B, big_shapes.QWEN36_27B)}
_KV_TYPES = st.sampled_from(["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"])
_NEEDS = st.builds(
    ContextNeeds,
    st.integers(8, 1 << 18),
    _KV_TYPES,
    st.integers(1, 64),
    flash_attention=st.booleans(),
    draft_tokens=st.integers(0, 16),
)


def _header(big: big_shapes.Big) -> GgufHeader:
    return _HEADERS.setdefault(big, big_shapes.header(big))


@given(_BIG, _NEEDS)
def test_layers_and_what_is_outside_of_them_make_the_whole(big: big_shapes.Big, needs: ContextNeeds) -> None:
    header = _header(big)
    layers, whole = layer_needs(header, needs), estimate(header, needs)
    embedding = next(t.size_bytes for t in header.tensors if t.name == "token_embd.weight")
    assert len(layers) == big.layers + 1
    assert sum(layer.cache_bytes for layer in layers) == whole.kv_bytes + whole.recurrent_bytes
    assert sum(layer.weights_bytes for layer in layers) == whole.weights_bytes - embedding
    assert all(0 <= layer.experts_bytes <= layer.weights_bytes for layer in layers)


@given(_BIG, _NEEDS)
def test_more_of_anything_never_needs_less(big: big_shapes.Big, needs: ContextNeeds) -> None:
    header = _header(big)
    small = estimate(header, needs).private_bytes
    larger = [
        replace(needs, n_ctx=needs.n_ctx * 2),
        replace(needs, sequences=needs.sequences + 1),
        replace(needs, draft_tokens=needs.draft_tokens + 1),
        replace(needs, flash_attention=False),
        replace(needs, kv_type="f16"),
    ]
    assert all(estimate(header, more).private_bytes >= small for more in larger)


@given(_BIG, _NEEDS, st.integers(0, 1 << 36))
def test_the_largest_context_fits_and_the_next_one_does_not(
    big: big_shapes.Big, needs: ContextNeeds, free_bytes: int
) -> None:
    header = _header(big)
    largest = largest_context(header, free_bytes, needs)
    assert largest % 256 == 0
    assert largest <= header.number("context_length")
    if largest:
        assert estimate(header, replace(needs, n_ctx=largest)).private_bytes <= free_bytes
    if largest < header.number("context_length"):
        assert estimate(header, replace(needs, n_ctx=largest + 256)).private_bytes > free_bytes


def test_a_known_model_needs_what_its_card_says() -> None:
    """Qwen3.6-27B: 16 layers with 4 heads of 256 keep a cache, the other 48 a state."""
    found = estimate(big_shapes.header(big_shapes.QWEN36_27B), ContextNeeds(32768))
    assert found.kv_bytes == 16 * 32768 * 4 * 256 * 2 * 2
    assert found.recurrent_bytes == 48 * 4 * (3 * (6144 + 2 * 16 * 128) + 128 * 6144)
    assert found.private_bytes == found.kv_bytes + found.recurrent_bytes + found.compute_bytes
    assert found.total_bytes == found.weights_bytes + found.private_bytes


def test_tied_embeddings_are_copied_for_the_output_layer() -> None:
    header = big_shapes.header(big_shapes.GEMMA3_27B)
    tied = replace(header, tensors=tuple(t for t in header.tensors if t.name != "output.weight"))
    needs = ContextNeeds(512)
    assert layer_needs(tied, needs)[-1] == layer_needs(header, needs)[-1]
    assert estimate(tied, needs).weights_bytes < estimate(header, needs).weights_bytes


def _odd_headers() -> list[dict[str, object]]:
    return [
        {},
        {"general.architecture": "x"},
        {"general.architecture": "x", "x.block_count": 2**32 - 1},
        {"general.architecture": "x", "x.block_count": -5, "x.attention.head_count": 0},
        {"general.architecture": "x", "x.block_count": 2, "x.nextn_predict_layers": 9},
        {"general.architecture": "x", "x.block_count": 3, "x.attention.head_count_kv": [1, "two"]},
        {"general.architecture": "x", "x.block_count": 3, "x.attention.sliding_window_pattern": [True]},
        {"general.architecture": "x", "x.ssm.inner_size": 64, "x.full_attention_interval": 0},
        {"general.architecture": "x", "x.block_count": "many", "x.embedding_length": 1.5},
    ]


@pytest.mark.parametrize("metadata", _odd_headers(), ids=range(len(_odd_headers())))
def test_odd_headers_still_give_figures(metadata: dict[str, object]) -> None:
    names = ("blk.0.attn_q.weight", "blk.99999.ffn_up.weight", "blk.x.y", "blk", "")
    tensors = tuple(TensorInfo(name, (32,), 0, 0, 128) for name in names)
    header = GgufHeader(3, metadata, tensors, 0, 4096)
    needs = ContextNeeds(1000, mtp=True)
    found = estimate(header, needs)
    assert min(found.weights_bytes, found.kv_bytes, found.recurrent_bytes, found.compute_bytes) >= 0
    assert len(layer_needs(header, needs)) >= 1
