"""Layers on real devices of real servers: what lies where, and that it computes the same."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from pathlib import Path

import gguf
import msgspec
import pytest

from playground.chat.options import LoadOptions
from playground.compare.events import LaneResult, Plan, Planned, RunEvent
from playground.engines.process import EngineProcess
from playground.engines.protocol import DeviceUse, Placement
from playground.models.fit import ContextNeeds, layer_needs
from playground.models.gguf import read_header
from tests.support.comparisons import lane, results, uses
from tests.support.lenders import lender
from tests.support.logits import logits
from tests.support.tiny_gguf import build

_MIB = 1 << 20
_PRINTED = 0.006 * _MIB
_N_CTX = 1024


@pytest.fixture
def device() -> Iterator[str]:
    with lender() as one:
        yield one.device


@pytest.fixture
def devices() -> Iterator[tuple[str, str]]:
    with lender() as one, lender() as two:
        yield one.device, two.device


def _answer(path: Path, load: LoadOptions) -> LaneResult:
    found = asyncio.run(results([lane(path, load)]))["A"]
    assert found.error is None, found.error
    assert found.usage.completion_tokens > 0
    return found


def _layers(path: Path, first: int, last: int | None = None) -> tuple[int, int]:
    """Return the bytes of the weights and of the cache of some layers."""
    needs = layer_needs(read_header(path), ContextNeeds(_N_CTX))[first:last]
    return sum(need.weights_bytes for need in needs), sum(need.cache_bytes for need in needs)


@pytest.mark.parametrize("arch", ["llama", "qwen35", "qwen35-mtp", "gemma3"])
def test_all_layers_lie_on_one_device(arch: str, device: str, tmp_path: Path) -> None:
    path = build(arch, tmp_path / "tiny.gguf")
    found = _answer(path, LoadOptions(n_ctx=_N_CTX, devices=(device,)))
    assert found.loaded is not None
    assert found.loaded.gpu_layers == found.loaded.n_layers + 1
    use, rest = uses(found)[device], uses(found)["CPU"]
    weights, cache = _layers(path, 0)
    assert use.weights_bytes == pytest.approx(weights, abs=_PRINTED)
    assert use.kv_bytes == pytest.approx(cache, abs=2 * _PRINTED)
    assert use.compute_bytes > 0
    embedding = next(t.size_bytes for t in read_header(path).tensors if t.name == "token_embd.weight")
    assert rest.weights_bytes == pytest.approx(embedding, abs=_PRINTED)
    assert rest.kv_bytes == 0
    assert found.warnings == ()


def test_a_split_puts_each_devices_layers_there(devices: tuple[str, str], tmp_path: Path) -> None:
    path = build("qwen3", tmp_path / "tiny.gguf")
    found = _answer(path, LoadOptions(n_ctx=_N_CTX, devices=devices, tensor_split=(2, 3)))
    for device, (first, last) in zip(devices, ((0, 2), (2, None)), strict=True):
        weights, cache = _layers(path, first, last)
        assert uses(found)[device].weights_bytes == pytest.approx(weights, abs=_PRINTED)
        assert uses(found)[device].kv_bytes == pytest.approx(cache, abs=_PRINTED)
        assert uses(found)[device].compute_bytes > 0


def test_the_last_layers_go_to_a_device_and_the_first_stay(device: str, tmp_path: Path) -> None:
    path = build("qwen35-mtp", tmp_path / "tiny.gguf", n_layer=8)
    found = _answer(path, LoadOptions(n_ctx=_N_CTX, devices=(device,), gpu_layers=4, mmap=False))
    assert found.loaded is not None
    assert found.loaded.gpu_layers == 3  # the fourth predicts tokens, and is not loaded
    weights, cache = _layers(path, -4)
    assert uses(found)[device].weights_bytes == pytest.approx(weights, abs=_PRINTED)
    assert uses(found)[device].kv_bytes == pytest.approx(cache, abs=2 * _PRINTED)
    first_weights, first_cache = _layers(path, 0, -4)
    assert uses(found)["CPU"].weights_bytes > first_weights
    assert uses(found)["CPU"].kv_bytes == pytest.approx(first_cache, abs=2 * _PRINTED)


def test_a_device_nearly_full_gets_as_many_layers_as_fit(tmp_path: Path) -> None:
    path = build("llama", tmp_path / "tiny.gguf", n_layer=12)
    limit = 10 * _MIB
    with lender("--memory", "10MiB") as small:
        found = _answer(path, LoadOptions(n_ctx=_N_CTX, devices=(small.device,)))
        assert found.loaded is not None
        assert 3 < found.loaded.gpu_layers < 13
        use = uses(found)[small.device]
        held = use.weights_bytes + use.kv_bytes + use.compute_bytes
        per_layer = sum(_layers(path, 0, 1))
        assert limit - 3 * per_layer < held <= limit
        assert found.warnings == ()


def test_the_cache_stays_in_the_machine_when_asked(device: str, tmp_path: Path) -> None:
    path = build("qwen35moe", tmp_path / "tiny.gguf")
    found = _answer(path, LoadOptions(n_ctx=_N_CTX, devices=(device,), kv_offload=False))
    assert uses(found)[device].weights_bytes == pytest.approx(_layers(path, 0)[0], abs=_PRINTED)
    assert uses(found)[device].kv_bytes == 0
    assert uses(found)["CPU"].kv_bytes == pytest.approx(_layers(path, 0)[1], abs=2 * _PRINTED)


@pytest.mark.parametrize("arch", ["qwen35moe", "gpt-oss"])
def test_experts_stay_on_the_cpu_when_asked(arch: str, device: str, tmp_path: Path) -> None:
    path = build(arch, tmp_path / "tiny.gguf")
    options = LoadOptions(n_ctx=_N_CTX, devices=(device,), mmap=False)
    needs = layer_needs(read_header(path), ContextNeeds(_N_CTX))
    embedding = next(t.size_bytes for t in read_header(path).tensors if t.name == "token_embd.weight")
    for layers in (1, 4):
        found = _answer(path, _with_experts(options, layers))
        experts = sum(need.experts_bytes for need in needs[:layers])
        assert uses(found)[device].weights_bytes == pytest.approx(_layers(path, 0)[0] - experts, abs=_PRINTED)
        assert uses(found)["CPU"].weights_bytes == pytest.approx(embedding + experts, abs=_PRINTED)
        assert found.loaded is not None
        assert found.loaded.gpu_layers == 5


def _with_experts(options: LoadOptions, layers: int) -> LoadOptions:
    return msgspec.structs.replace(options, cpu_experts=layers)


def test_a_split_file_is_placed_by_all_of_its_parts(tmp_path: Path) -> None:
    whole = build("llama", tmp_path / "whole.gguf", n_layer=12)
    reader = gguf.GGUFReader(whole)
    writer = gguf.GGUFWriter(tmp_path / "parts.gguf", "llama", split_max_tensors=40)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    first = tmp_path / "parts-00001-of-00003.gguf"
    assert first.exists()
    with lender("--memory", "10MiB") as small:
        options = LoadOptions(n_ctx=_N_CTX, devices=(small.device,))
        split, one = _answer(first, options), _answer(whole, options)
    assert split.loaded is not None
    assert one.loaded is not None
    assert split.loaded.gpu_layers == one.loaded.gpu_layers < 13
    assert split.warnings == one.warnings == ()


def test_two_lanes_share_one_device(tmp_path: Path) -> None:
    path = build("llama", tmp_path / "tiny.gguf")
    with lender("--memory", "12MiB") as shared:
        load = LoadOptions(n_ctx=_N_CTX, devices=(shared.device,))
        lanes = [lane(path, load, "A"), lane(path, load, "B")]
        found = asyncio.run(results(lanes, "together"))
        assert [result.error for result in found.values()] == [None, None]
        counts = sorted(result.loaded.gpu_layers for result in found.values() if result.loaded)
        assert counts[1] == 5
        assert 0 < counts[0] < 5  # whoever came second found the rest
        held = [sum((u.weights_bytes, u.kv_bytes, u.compute_bytes)) for u in _on(shared.device, found)]
        assert sum(held) <= 12 * _MIB


def test_a_device_that_holds_one_of_two_whole_serves_them_in_turn(tmp_path: Path) -> None:
    path = build("llama", tmp_path / "tiny.gguf")
    with lender("--memory", "12MiB") as shared:
        load = LoadOptions(n_ctx=_N_CTX, devices=(shared.device,))
        plans: list[Plan] = []

        def keep(event: RunEvent) -> None:
            if isinstance(event, Planned):
                plans.append(event.plan)

        found = asyncio.run(results([lane(path, load, "A"), lane(path, load, "B")], "auto", keep))
    assert [(plan.mode, plan.keeps_loaded) for plan in plans] == [("sequential", False)]
    assert [result.error for result in found.values()] == [None, None]
    assert [result.loaded.gpu_layers for result in found.values() if result.loaded] == [5, 5]


def _on(device: str, found: dict[str, LaneResult]) -> list[DeviceUse]:
    return [uses(result)[device] for result in found.values()]


def test_placements_compute_the_same_logits(devices: tuple[str, str], tmp_path: Path) -> None:
    """Of F32 weights they were equal to the last bit; of Q4_0 ones, repacked on the CPU, 0.02 deviations apart."""
    one = Placement(512, gpu_layers=5, devices=devices[:1], tensor_split=(5,))
    two = Placement(512, gpu_layers=5, devices=devices, tensor_split=(2, 3))
    some = Placement(512, gpu_layers=3, devices=devices[:1], tensor_split=(3,), cpu_expert_layers=3)
    windowed = build("gemma3", tmp_path / "windowed.gguf")
    mixture = asyncio.run(_quantized(build("qwen35moe", tmp_path / "mixture.gguf")))
    for path, tolerance, placements in ((windowed, 0.01, (one, two)), (mixture, 0.1, (two, some))):
        expected = logits(path, Placement(512))
        allowed = tolerance * statistics.stdev(expected)
        for placement in placements:
            found = logits(path, placement)
            apart = max(abs(a - b) for a, b in zip(found, expected, strict=True))
            assert apart <= allowed, (path.name, placement, apart)


async def _quantized(path: Path) -> Path:
    engine, target = EngineProcess(), path.with_suffix(".q4_0.gguf")
    try:
        await engine.start()
        await engine.quantize(path, target, "Q4_0", 1, lambda _fraction: None)
    finally:
        await engine.close()
    return target


def test_a_main_device_holds_everything_and_rows_are_refused_in_words(
    devices: tuple[str, str], tmp_path: Path
) -> None:
    path = build("llama", tmp_path / "tiny.gguf")
    whole = LoadOptions(n_ctx=_N_CTX, devices=devices, split_mode="none", main_gpu=1)
    assert set(uses(_answer(path, whole))) == {"CPU", devices[1]}
    rows = LoadOptions(n_ctx=_N_CTX, devices=devices, split_mode="row")  # which a server's device cannot
    found = asyncio.run(results([lane(path, rows)]))["A"]
    assert found.error is not None
    assert found.error.kind == "load_failed"
    assert found.error.hint == "Choose the split mode layer."


def test_layers_without_a_device_are_said_to_stay(tmp_path: Path) -> None:
    path = build("llama", tmp_path / "tiny.gguf")
    for devices in ((), ("CPU",)):
        found = _answer(path, LoadOptions(n_ctx=_N_CTX, gpu_layers=3, devices=devices))
        assert found.loaded is not None
        assert found.loaded.gpu_layers == 0
        assert any("CPU" in warning for warning in found.warnings)
    assert _answer(path, LoadOptions(n_ctx=_N_CTX, devices=("CPU",))).warnings == ()
