"""Whether models fit: the verdicts, what memory and context do to them, and headers without a tensor table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.compare.plan import make_plan
from playground.models.fit import ContextNeeds, estimate, layer_needs
from playground.models.fitness import Machine
from playground.models.gguf import ArrayInfo, GgufHeader
from playground.models.hub.repository import HubFile, Quant
from playground.models.machine import this_machine, typed
from playground.models.pair_fit import MARGIN_BYTES, Candidate, best_quant, fit, fit_pair
from playground.models.placement import DeviceMemory
from playground.models.weights import weighed
from tests.support import big_shapes

_GB = 10**9
_SMALL = big_shapes.Big("qwen3", 12, 1024, 16, 8, 128, 3072, 32_000)
_MIXTURE = replace(
    _SMALL, arch="qwen3moe", experts=32, experts_used=4, expert_feed_forward=768, feed_forward=0
)
_HEADERS = {
    "dense": big_shapes.header(_SMALL),
    "mixture": big_shapes.header(_MIXTURE),
    "hybrid": big_shapes.header(replace(_SMALL, arch="qwen35", interval=4, value_heads=16)),
    "windowed": big_shapes.header(replace(_SMALL, arch="gemma3", window=512)),
}
_KINDS = st.sampled_from(sorted(_HEADERS))
_GOODNESS = {"too_big": 0, "partly": 1, "tight": 2, "well": 3}
_FREE = st.one_of(st.integers(0, 3 * _GB), st.integers(0, 1 << 40))
_MACHINES = st.builds(
    lambda free, devices, is_unified: Machine(
        free,
        free,
        tuple(DeviceMemory(f"GPU{number}", size) for number, size in enumerate(devices)),
        is_unified=is_unified,
    ),
    _FREE,
    st.lists(_FREE, max_size=3),
    st.booleans(),
)
_CONTEXTS = st.integers(1, 1 << 17)
_TYPES = st.sampled_from(["auto", "f16", "q8_0", "q4_0"])


def _size(header: GgufHeader) -> int:
    return sum(tensor.size_bytes for tensor in header.tensors)


def _bare(header: GgufHeader) -> GgufHeader:
    return replace(header, tensors=())


def _candidate(kind: str) -> Candidate:
    return Candidate(kind, _HEADERS[kind], _size(_HEADERS[kind]))


@settings(deadline=None)
@given(_KINDS, st.booleans(), _CONTEXTS, _TYPES, _MACHINES, st.integers(0, 4 * _GB), st.integers(0, 3))
def test_more_memory_never_makes_it_worse(
    kind: str, has_table: bool, n_ctx: int, kv_type: str, machine: Machine, more: int, where: int
) -> None:
    header, size = _HEADERS[kind], _size(_HEADERS[kind])
    if not has_table:
        header = _bare(header)
    larger = replace(machine, free_bytes=machine.free_bytes + more)
    if where < len(machine.devices):
        devices = [*machine.devices]
        devices[where] = replace(devices[where], free_bytes=devices[where].free_bytes + more)
        larger = replace(machine, devices=tuple(devices))
    before = fit(header, size, n_ctx, machine, kv_type)
    after = fit(header, size, n_ctx, larger, kv_type)
    assert _GOODNESS[after.verdict] >= _GOODNESS[before.verdict]
    if after.verdict == before.verdict:
        assert after.largest_context >= before.largest_context


@settings(deadline=None)
@given(_KINDS, _CONTEXTS, _CONTEXTS, _TYPES, _MACHINES)
def test_a_larger_context_never_needs_less_nor_fits_better(
    kind: str, one: int, other: int, kv_type: str, machine: Machine
) -> None:
    header, size = _HEADERS[kind], _size(_HEADERS[kind])
    small, large = (fit(header, size, n_ctx, machine, kv_type) for n_ctx in sorted((one, other)))
    assert _GOODNESS[large.verdict] <= _GOODNESS[small.verdict]
    if large.verdict == small.verdict:
        assert large.memory.total_bytes >= small.memory.total_bytes


@settings(deadline=None)
@given(_KINDS, _CONTEXTS, _TYPES, _MACHINES)
def test_the_verdict_says_what_the_figures_say(kind: str, n_ctx: int, kv_type: str, machine: Machine) -> None:
    header = _HEADERS[kind]
    found = fit(header, _size(header), n_ctx, machine, kv_type)
    assert 0 <= found.gpu_layers <= found.layers == _SMALL.layers + 1
    if found.verdict in ("well", "tight"):
        assert found.spare_bytes >= 0
        assert (found.verdict == "tight") == (found.spare_bytes * 10 < found.free_bytes)
        assert found.gpu_layers == (found.layers if machine.devices else 0)
        assert not found.cpu_expert_layers
    if found.verdict == "partly":
        assert machine.devices
        assert found.gpu_layers < found.layers or found.cpu_expert_layers
    largest = found.largest_context
    assert largest % 256 == 0
    if largest:
        again = fit(header, _size(header), largest, machine, kv_type)
        assert _GOODNESS[again.verdict] >= min(_GOODNESS[found.verdict], _GOODNESS["tight"])
        assert again.verdict != "too_big"
    if found.verdict == "too_big" and n_ctx <= 131_072:
        assert largest < n_ctx


@settings(deadline=None)
@given(_KINDS, _KINDS, _CONTEXTS, _MACHINES)
def test_how_a_pair_fits_follows_from_each_of_them(
    compact: str, larger: str, n_ctx: int, machine: Machine
) -> None:
    found = fit_pair(_candidate(compact), _candidate(larger), n_ctx, machine)
    runs = (found.compact.verdict != "too_big", found.larger.verdict != "too_big")
    expected = {(True, False): "only_compact", (False, True): "only_larger", (False, False): "neither"}
    assert found.how == expected.get(runs, found.how)
    assert (found.how in ("together", "in_turn")) == all(runs)
    assert found.reason.endswith(".")
    if found.how == "together" and not machine.devices:
        both = found.compact.memory.total_bytes + found.larger.memory.total_bytes
        assert both + MARGIN_BYTES <= machine.free_bytes


@settings(deadline=None)
@given(_KINDS, _KINDS, st.integers(0, 8 * _GB))
def test_without_a_gpu_the_plan_of_a_run_agrees(compact: str, larger: str, free: int) -> None:
    found = fit_pair(_candidate(compact), _candidate(larger), 8192, Machine(free, free))
    if found.how not in ("together", "in_turn"):
        return
    needs = {"A": found.compact.memory.total_bytes, "B": found.larger.memory.total_bytes}
    plan = make_plan("AB", "auto", needs_bytes=needs, loaded=(), available_bytes=free, cores=8)
    assert plan.mode == {"together": "together", "in_turn": "sequential"}[found.how]


def _machine(ram: float, *gpus: float) -> Machine:
    devices = tuple(DeviceMemory(f"GPU{number}", int(gb * _GB)) for number, gb in enumerate(gpus))
    return Machine(int(ram * _GB), int(ram * _GB), devices)


_REAL: Mapping[str, Candidate] = {
    name: Candidate(name, big_shapes.header(big), _size(big_shapes.header(big)))
    for name, big in (("27B", big_shapes.QWEN36_27B), ("397B", big_shapes.QWEN35_397B))
}


@pytest.mark.parametrize(
    ("machine", "how", "verdicts"),
    [
        (_machine(16), "neither", ("too_big", "too_big")),
        (_machine(64), "only_compact", ("well", "too_big")),
        (_machine(118), "in_turn", ("well", "tight")),
        (_machine(256), "together", ("well", "well")),
        (_machine(64, 24), "only_compact", ("partly", "too_big")),
        (_machine(110, 40), "together", ("well", "partly")),
        (_machine(40, 160), "together", ("well", "well")),
        (_machine(40, 118), "in_turn", ("well", "tight")),
    ],
)
def test_the_pair_of_the_story_on_machines(machine: Machine, how: str, verdicts: tuple[str, str]) -> None:
    found = fit_pair(_REAL["27B"], _REAL["397B"], 8192, machine)
    assert (found.compact.verdict, found.larger.verdict) == verdicts, found
    assert found.how == how


def test_a_machine_whose_gpu_shares_its_memory_is_counted_once() -> None:
    model = _REAL["27B"]
    own = fit(model.header, model.size_bytes, 8192, _machine(32, 48))
    shared = replace(_machine(32, 48), is_unified=True)
    assert own.verdict == "well"
    assert (
        fit(model.header, model.size_bytes, 8192, replace(shared, free_bytes=28 * _GB)).verdict == "too_big"
    )
    assert fit(model.header, model.size_bytes, 8192, replace(shared, free_bytes=31 * _GB)).verdict == "tight"


def test_sentences_name_the_figures() -> None:
    found = fit_pair(_REAL["27B"], _REAL["397B"], 8192, _machine(64))
    assert found.reason == "Only the compact one: 397B needs 111.1 GB, and 64.0 GB is free."
    slow = fit_pair(_REAL["27B"], _REAL["397B"], 8192, _machine(110, 40))
    assert slow.reason.endswith("397B would lie partly on the CPU, several times slower.")
    model = _REAL["27B"]
    close = _machine(31)
    far = fit_pair(model, model, 131_072, close)
    assert far.how == "neither"
    assert f"with at most {far.compact.largest_context:,} tokens of context it would fit" in far.reason


@given(_KINDS, st.integers(0, 1 << 42))
def test_shared_out_weights_are_the_size_of_the_files(kind: str, size: int) -> None:
    header = weighed(_bare(_HEADERS[kind]), size)
    assert estimate(header, ContextNeeds(4096)).weights_bytes == size
    assert sum(layer.weights_bytes for layer in layer_needs(header, ContextNeeds(4096))) == size


@pytest.mark.parametrize("kind", sorted(_HEADERS))
def test_without_a_table_the_cache_is_the_same_and_the_parts_are_near(kind: str) -> None:
    real, needs = _HEADERS[kind], ContextNeeds(8192)
    guessed = weighed(_bare(real), _size(real))
    exact, rough = estimate(real, needs), estimate(guessed, needs)
    assert rough.kv_bytes == exact.kv_bytes
    assert rough.recurrent_bytes == exact.recurrent_bytes
    assert rough.compute_bytes == pytest.approx(exact.compute_bytes, rel=0.05)
    experts = [sum(part.experts_bytes for part in layer_needs(h, needs)) for h in (real, guessed)]
    assert experts[1] == pytest.approx(experts[0], rel=0.1)


def test_a_header_with_nothing_in_it_still_has_a_verdict() -> None:
    empty = GgufHeader(3, {"general.architecture": "new"}, (), 0, 0)
    assert fit(empty, 10 * _GB, 8192, _machine(16)).verdict == "well"
    assert fit(empty, 10 * _GB, 8192, _machine(8)).verdict == "too_big"
    assert fit(empty, 10 * _GB, 8192, _machine(16, 24)).gpu_layers == 1


@pytest.mark.parametrize("value", [-(1 << 40), 1 << 62, 0, "x", float("nan")])
def test_odd_remote_headers_end_soon_in_some_verdict(value: object) -> None:
    metadata: dict[str, object] = {"general.architecture": "odd"}
    for key in (
        "block_count",
        "embedding_length",
        "expert_count",
        "attention.head_count_kv",
        "context_length",
    ):
        metadata[f"odd.{key}"] = value
    header = GgufHeader(3, metadata, (), 0, 0)
    for machine in (_machine(16), _machine(16, 8)):
        found = fit(header, 4 * _GB, 8192, machine)
        assert found.memory.weights_bytes <= 4 * _GB
        assert found.memory.private_bytes >= 0


def _quant(name: str, gb: float) -> Quant:
    return Quant(name, (HubFile(f"{name}.gguf", int(gb * _GB)),))


def test_the_best_quantization_is_the_largest_that_lies_whole_on_the_gpu() -> None:
    header = _REAL["27B"].header
    quants = [_quant("Q2", 9), _quant("Q8", 28), _quant("Q4", 16), _quant("Q6", 22)]

    def name(machine: Machine) -> str:
        found = best_quant(header, quants, 8192, machine)
        return found[0].name if found else ""

    assert name(_machine(64)) == "Q8"
    assert name(_machine(64, 24)) == "Q4"
    assert name(_machine(24, 4)) == "Q6"
    assert name(_machine(64, 4)) == "Q8"
    assert name(_machine(8)) == ""


def test_caches_of_gemma_4_and_of_latent_attention_are_as_llama_cpp_logs_them() -> None:
    layers = 48
    gemma: dict[str, object] = {
        "general.architecture": "gemma4",
        "gemma4.block_count": layers,
        "gemma4.embedding_length": 3840,
        "gemma4.feed_forward_length": 15_360,
        "gemma4.attention.head_count": 16,
        "gemma4.attention.head_count_kv": [8, 8, 8, 8, 8, 1] * 8,
        "gemma4.attention.key_length": 512,
        "gemma4.attention.value_length": 512,
        "gemma4.attention.key_length_swa": 256,
        "gemma4.attention.value_length_swa": 256,
        "gemma4.attention.sliding_window": 1024,
        "gemma4.attention.sliding_window_pattern": ([True] * 5 + [False]) * 8,
        "tokenizer.ggml.tokens": ArrayInfo(262_144, 8),
    }
    found = estimate(GgufHeader(3, gemma, (), 0, 0), ContextNeeds(16_384, "q8_0"))
    assert found.kv_bytes == (136 + 255) << 20  # gemma-4-12B: "size = 136.00 MiB", "size = 255.00 MiB"
    gemma["gemma4.attention.shared_kv_layers"] = 18
    fewer = estimate(GgufHeader(3, gemma, (), 0, 0), ContextNeeds(16_384, "q8_0"))
    assert fewer.kv_bytes == (136 * 5 // 8 + 255 * 25 // 40) * (1 << 20) + (255 * 25 % 40 << 20) // 40
    latent: dict[str, object] = {
        "general.architecture": "deepseek2",
        "deepseek2.block_count": 47,
        "deepseek2.embedding_length": 2048,
        "deepseek2.attention.head_count": 20,
        "deepseek2.attention.head_count_kv": 1,
        "deepseek2.attention.key_length": 576,
        "deepseek2.attention.value_length": 512,
        "deepseek2.attention.key_length_mla": 256,
        "deepseek2.attention.value_length_mla": 256,
    }
    assert estimate(GgufHeader(3, latent, (), 0, 0), ContextNeeds(8192)).kv_bytes == 47 * 8192 * 576 * 2


def test_typed_numbers_stand_for_another_machine() -> None:
    other = typed(16 * _GB, 8 * _GB)
    assert (other.free_bytes, [d.free_bytes for d in other.devices]) == (16 * _GB, [8 * _GB])
    assert not typed(16 * _GB, None).devices
    assert typed(None, 8 * _GB).free_bytes > 0


def test_what_will_be_unloaded_counts_as_free() -> None:
    gpu = (DeviceMemory("GPU0", 5),)
    here, later = this_machine(gpu), this_machine(gpu, given_back_bytes=1 << 60, given_back={"GPU0": 7})
    assert here.free_bytes < later.free_bytes == later.total_bytes
    assert later.devices == (DeviceMemory("GPU0", 12),)
