"""The memory estimate against llama.cpp: its own accounting of tiny models, its dry run of the large ones."""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path

import pytest

from playground.chat.options import KvType, LoadOptions
from playground.engines.protocol import MemoryUse
from playground.models.fit import ContextNeeds, MemoryEstimate, estimate
from playground.models.gguf import read_header
from tests.support import big_shapes, gemma4_shapes, latent_shapes
from tests.support.dry_run import dry_run
from tests.support.engines import loaded_engine
from tests.support.fit_matrix import MODELS, Row, model_path, rows
from tests.support.tiny_gguf import ARCHITECTURES, build

_MIB = 1 << 20
_PRINTED = 0.005 * _MIB  # llama.cpp prints MiB to two places
_KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")
_BIG = (
    big_shapes.GPT_OSS_120B,
    big_shapes.QWEN35_397B,
    big_shapes.QWEN36_27B,
    big_shapes.GEMMA3_27B,
)


def _needs(options: LoadOptions) -> ContextNeeds:
    return ContextNeeds(
        options.n_ctx or 0,
        "f16" if options.kv_type == "auto" else options.kv_type,
        options.sequences,
        flash_attention=options.flash_attention != "off",
        draft_tokens=options.draft_tokens if options.draft else 0,
        mtp=options.draft == "mtp",
    )


async def _memory(path: Path, options: LoadOptions) -> MemoryUse:
    engine = await loaded_engine(path, options)
    try:
        assert engine.loaded is not None
        return engine.loaded.memory
    finally:
        await engine.close()


def _check(memory: MemoryUse, expected: MemoryEstimate, label: object) -> None:
    weights = expected.weights_bytes
    assert memory.weights_bytes == pytest.approx(weights, abs=_PRINTED), label
    cache = expected.kv_bytes + expected.recurrent_bytes
    assert memory.kv_bytes == pytest.approx(cache, abs=2 * _PRINTED), label  # of windows, or of states, apart
    compute = expected.compute_bytes
    assert memory.compute_bytes == pytest.approx(compute, rel=0.15, abs=_MIB), label


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_estimate_is_what_a_loaded_model_holds(arch: str, tmp_path: Path) -> None:
    path = build(arch, tmp_path / "tiny.gguf")
    header = read_header(path)
    contexts = [
        LoadOptions(n_ctx=1000, kv_type="q8_0", sequences=4),
        LoadOptions(n_ctx=2048, flash_attention="off"),
    ]

    async def scenario() -> None:
        for options in contexts:
            _check(await _memory(path, options), estimate(header, _needs(options)), options)

    asyncio.run(scenario())


@pytest.mark.parametrize("model", MODELS)
def test_the_whole_matrix_is_as_exact_as_promised(model: str, tmp_path: Path) -> None:
    found = rows(model, model_path(model, tmp_path))
    assert len({(row.n_ctx, row.kv_type) for row in found}) == 21
    for row in found:
        _keeps_the_promise(row)


def _keeps_the_promise(row: Row) -> None:
    expected, real = row.estimated, row.real
    assert expected.weights_bytes / _MIB == pytest.approx(real.weights_mib, rel=0.01), row
    cache = (expected.kv_bytes + expected.recurrent_bytes) / _MIB
    assert real.caches
    assert cache == pytest.approx(real.cache_mib, rel=0.01, abs=0.0051 * real.caches), row
    assert expected.compute_bytes / _MIB == pytest.approx(real.compute_mib, rel=0.15, abs=1), row
    total = expected.total_bytes / _MIB
    assert total == pytest.approx(real.total_mib, rel=0.05, abs=64e6 / _MIB), row


@pytest.mark.parametrize("arch", ["qwen35-mtp", "qwen35moe-mtp"])
def test_drafting_needs_more_states_layers_and_another_cache(arch: str, tmp_path: Path) -> None:
    path = build(arch, tmp_path / "tiny.gguf")
    options = LoadOptions(n_ctx=2048, draft="mtp", draft_tokens=3)
    expected = estimate(read_header(path), _needs(options))
    _check(asyncio.run(_memory(path, options)), expected, options)


@pytest.mark.parametrize("arch", ["qwen3", "qwen35", "gemma3", "gpt-oss"])
def test_caches_of_all_types_are_exact(arch: str, tmp_path: Path) -> None:
    path = build(arch, tmp_path / "tiny.gguf", n_layer=8)
    header = read_header(path)
    contexts = [
        LoadOptions(n_ctx=n_ctx, kv_type=kv_type, sequences=sequences)
        for n_ctx, kv_type, sequences in product((256, 1000, 8192), _KV_TYPES, (1, 4))
    ]
    for options, found in zip(contexts, dry_run(path, contexts), strict=True):
        expected = estimate(header, _needs(options))
        cache = (expected.kv_bytes + expected.recurrent_bytes) / _MIB
        assert found.caches
        assert found.cache_mib == pytest.approx(cache, abs=0.0051 * found.caches), options


@pytest.mark.parametrize("big", _BIG, ids=lambda big: f"{big.arch}-{big.layers}")
def test_the_estimate_holds_for_models_of_real_size(big: big_shapes.Big, tmp_path: Path) -> None:
    path = big_shapes.write(big, tmp_path / "big.gguf")
    header = read_header(path)
    assert header.tensors == big_shapes.header(big).tensors  # which other tests use without a file
    contexts = [
        LoadOptions(n_ctx=8192, kv_type="f16"),
        LoadOptions(n_ctx=32768, kv_type="q8_0"),
        LoadOptions(n_ctx=8192, kv_type="f16", flash_attention="off"),
    ]
    for options, found in zip(contexts, dry_run(path, contexts), strict=True):
        expected = estimate(header, _needs(options))
        assert estimate(big_shapes.header(big), _needs(options)) == expected
        cache = (expected.kv_bytes + expected.recurrent_bytes) / _MIB
        assert found.caches
        assert found.cache_mib == pytest.approx(cache, abs=0.0051 * found.caches), options
        assert expected.compute_bytes / _MIB == pytest.approx(found.compute_mib, rel=0.15), options


_SPECIAL = {
    "gemma-4-12b": gemma4_shapes.header(gemma4_shapes.GEMMA4_12B),
    "gemma-4-31b": gemma4_shapes.header(gemma4_shapes.GEMMA4_31B),
    "shared caches": gemma4_shapes.header(gemma4_shapes.GEMMA4_SHARED),
    "latent keys": latent_shapes.header(),
}


@pytest.mark.parametrize("kind", sorted(_SPECIAL))
def test_heads_of_two_lengths_shared_caches_and_latent_keys_are_exact(kind: str, tmp_path: Path) -> None:
    path = big_shapes.write_header(_SPECIAL[kind], tmp_path / "special.gguf")
    contexts = [
        LoadOptions(n_ctx=n_ctx, kv_type=kv_type)
        for n_ctx, kv_type in product((512, 8192, 32_768), _KV_TYPES)
    ]
    contexts.append(LoadOptions(n_ctx=8192, kv_type="f16", flash_attention="off"))
    for options, found in zip(contexts, dry_run(path, contexts), strict=True):
        expected = estimate(read_header(path), _needs(options))
        assert found.cache_mib == pytest.approx(expected.kv_bytes / _MIB, abs=0.0051 * found.caches), options
        assert expected.compute_bytes / _MIB == pytest.approx(found.compute_mib, rel=0.15), options
