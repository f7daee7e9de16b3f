"""Where layers go: what fits, what is kept as asked, and that every step down comes to an end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playground.models.fit import ContextNeeds, estimate, layer_needs
from playground.models.gguf import GgufHeader
from playground.models.placement import DeviceMemory, Placed, Wanted, fewer, place
from tests.support import big_shapes

_GB = 10**9
_SMALL = big_shapes.Big("qwen3", 12, 1024, 16, 8, 128, 3072, 32_000)
_MIXTURE = replace(
    _SMALL, arch="qwen3moe", experts=32, experts_used=4, expert_feed_forward=768, feed_forward=0
)
_PREDICTS = {"qwen35.nextn_predict_layers": 1}
_HEADERS = {name: big_shapes.header(big) for name, big in (("dense", _SMALL), ("mixture", _MIXTURE))}
_KINDS = st.sampled_from(sorted(_HEADERS))
_FREE = st.one_of(st.integers(0, _GB // 3), st.integers(0, 3 * _GB))
_DEVICES = st.lists(_FREE, min_size=1, max_size=4).map(
    lambda free: tuple(DeviceMemory(f"GPU{number}", size) for number, size in enumerate(free))
)
_WANTED = st.builds(
    Wanted,
    st.builds(ContextNeeds, st.sampled_from([512, 8192, 65536]), st.sampled_from(["f16", "q4_0"])),
    kv_offload=st.booleans(),
)
_ALL = Wanted(ContextNeeds(8192))


def _gpu(gigabytes: float, name: str = "GPU0") -> DeviceMemory:
    return DeviceMemory(name, int(gigabytes * _GB))


def _on_cpu(header: GgufHeader, placed: Placed, needs: ContextNeeds) -> int:
    layers = layer_needs(header, needs)
    first = len(layers) - placed.layers
    return sum(layer.experts_bytes for layer in layers[first : max(first, placed.cpu_expert_layers)])


@given(_KINDS, _DEVICES, _WANTED)
def test_no_device_gets_more_than_it_has(
    kind: str, devices: tuple[DeviceMemory, ...], wanted: Wanted
) -> None:
    header = _HEADERS[kind]
    placed = place(header, devices, wanted)
    free = {device.name: device.free_bytes for device in devices}
    assert sum(placed.counts) == placed.layers <= _SMALL.layers + 1
    assert len(placed.devices) == len(placed.counts) == len(placed.needs_bytes)
    assert all(placed.counts)
    for name, need in zip(placed.devices, placed.needs_bytes, strict=True):
        assert need <= free[name] * 0.951


@given(_KINDS, _DEVICES, _WANTED)
def test_devices_and_machine_hold_the_whole_model_between_them(
    kind: str, devices: tuple[DeviceMemory, ...], wanted: Wanted
) -> None:
    header = _HEADERS[kind]
    placed = place(header, devices, wanted)
    layers, whole = layer_needs(header, wanted.context), estimate(header, wanted.context)
    offloaded = layers[len(layers) - placed.layers :]
    caches = sum(layer.cache_bytes for layer in offloaded) if wanted.kv_offload else 0
    weights = sum(layer.weights_bytes for layer in offloaded) - _on_cpu(header, placed, wanted.context)
    assert placed.weights_bytes == weights
    assert sum(placed.needs_bytes) == weights + caches + len(placed.devices) * whole.compute_bytes
    assert placed.host_bytes == whole.private_bytes - caches


@given(_KINDS, _DEVICES, _WANTED, st.integers(0, 2 * _GB), st.integers(0, 3))
def test_more_memory_never_gives_fewer_layers_nor_more_experts_on_the_cpu(
    kind: str, devices: tuple[DeviceMemory, ...], wanted: Wanted, more: int, which: int
) -> None:
    header = _HEADERS[kind]
    richer = list(devices)
    grown = richer[which % len(devices)]
    richer[which % len(devices)] = DeviceMemory(grown.name, grown.free_bytes + more)
    before, after = place(header, devices, wanted), place(header, richer, wanted)
    assert after.layers >= before.layers
    if after.layers == before.layers:
        assert _on_cpu(header, after, wanted.context) <= _on_cpu(header, before, wanted.context)


@given(_DEVICES, _WANTED)
def test_experts_stay_on_the_cpu_before_whole_layers_do(
    devices: tuple[DeviceMemory, ...], wanted: Wanted
) -> None:
    header = _HEADERS["mixture"]
    placed = place(header, devices, wanted)
    if 0 < placed.layers <= _MIXTURE.layers:
        assert placed.cpu_expert_layers == _MIXTURE.layers
    if 0 < placed.cpu_expert_layers < _MIXTURE.layers:
        assert placed.layers == _MIXTURE.layers + 1
        tighter = replace(wanted, cpu_experts=placed.cpu_expert_layers - 1)
        assert place(header, devices, tighter).layers < placed.layers


@given(_KINDS, _WANTED, st.permutations([2.5, 3.5, 3.0]))
def test_a_model_that_fits_one_device_goes_to_the_roomiest(
    kind: str, wanted: Wanted, free: list[float]
) -> None:
    devices = [_gpu(size, f"GPU{number}") for number, size in enumerate(free)]
    placed = place(_HEADERS[kind], devices, replace(wanted, context=replace(wanted.context, n_ctx=512)))
    assert placed.devices == (f"GPU{free.index(3.5)}",)
    assert (placed.layers, placed.cpu_expert_layers) == (_SMALL.layers + 1, 0)


def test_a_larger_model_is_spread_in_the_order_given() -> None:
    header = big_shapes.header(big_shapes.QWEN36_27B)  # 28.6 GB
    placed = place(header, [_gpu(12, "A"), _gpu(24, "B")], _ALL)
    assert placed.devices == ("A", "B")
    assert placed.layers == big_shapes.QWEN36_27B.layers + 1
    assert placed.counts[0] < placed.counts[1]


def test_a_second_device_is_used_before_experts_stay_on_the_cpu() -> None:
    header = big_shapes.header(big_shapes.GPT_OSS_120B)  # 63 GB
    placed = place(header, [_gpu(48, "A"), _gpu(24, "B")], _ALL)
    assert placed.devices == ("A", "B")
    assert placed.cpu_expert_layers == 0


@pytest.mark.parametrize("big", [big_shapes.GPT_OSS_120B, big_shapes.QWEN35_397B], ids=lambda big: big.arch)
def test_mixtures_far_larger_than_a_card_have_all_layers_on_it(big: big_shapes.Big) -> None:
    header = big_shapes.header(big)
    whole = estimate(header, _ALL.context)
    assert whole.weights_bytes > 60 * _GB
    placed = place(header, [_gpu(24)], _ALL)
    assert placed.layers == big.layers + 1
    assert 0 < placed.cpu_expert_layers <= big.layers
    assert placed.needs_bytes[0] > 0.75 * 24 * _GB  # what is left holds no further layer's experts
    without = place(header, [_gpu(24)], replace(_ALL, cpu_experts=0))
    assert without.layers < big.layers / 2


def test_a_card_too_small_for_a_mixture_without_experts_gets_part_of_its_layers() -> None:
    placed = place(big_shapes.header(big_shapes.QWEN35_397B), [_gpu(6)], _ALL)
    assert 0 < placed.layers < big_shapes.QWEN35_397B.layers
    assert placed.cpu_expert_layers == big_shapes.QWEN35_397B.layers


@given(_KINDS, _DEVICES, _WANTED, st.integers(0, 99), st.one_of(st.none(), st.integers(0, 1 << 20)))
def test_what_was_asked_for_is_kept(
    kind: str, devices: tuple[DeviceMemory, ...], wanted: Wanted, layers: int, experts: int | None
) -> None:
    asked = replace(wanted, layers=layers, cpu_experts=experts)
    placed = place(_HEADERS[kind], devices, asked)
    assert placed.layers == sum(placed.counts) == min(layers, _SMALL.layers + 1)
    if kind == "dense" or not layers:
        assert placed.cpu_expert_layers == 0
    elif experts is not None:
        assert placed.cpu_expert_layers == min(experts, _MIXTURE.layers)


@given(
    _DEVICES, st.lists(st.integers(0, 9), min_size=1, max_size=5), st.one_of(st.none(), st.integers(1, 13))
)
def test_a_split_is_kept(devices: tuple[DeviceMemory, ...], split: list[int], layers: int | None) -> None:
    placed = place(_HEADERS["dense"], devices, replace(_ALL, layers=layers, split=tuple(map(float, split))))
    shares = (split + [0] * len(devices))[: len(devices)]
    assume(any(shares))
    counts = dict(zip(placed.devices, placed.counts, strict=True))
    for device, share in zip(devices, shares, strict=True):
        assert counts.get(device.name, 0) == pytest.approx(placed.layers * share / sum(shares), abs=1)


def test_a_split_of_nothing_is_no_split() -> None:
    devices = [_gpu(24, "A"), _gpu(48, "B")]
    assert place(_HEADERS["dense"], devices, replace(_ALL, split=(0.0, 0.0))) == place(
        _HEADERS["dense"], devices, _ALL
    )


def test_without_a_device_or_a_wish_everything_stays_in_the_machine() -> None:
    for devices, wanted in (((), _ALL), ((_gpu(24),), replace(_ALL, layers=0)), ((_gpu(0.001),), _ALL)):
        placed = place(_HEADERS["mixture"], devices, wanted)
        assert (placed.layers, placed.devices, placed.needs_bytes, placed.cpu_expert_layers) == (0, (), (), 0)
        assert placed.host_bytes == estimate(_HEADERS["mixture"], wanted.context).private_bytes


def test_layers_that_predict_tokens_count_as_llama_cpp_counts_them() -> None:
    big = replace(big_shapes.QWEN36_27B, layers=9)
    header = big_shapes.header(big)
    header = replace(header, metadata=header.metadata | _PREDICTS)
    idle = place(header, [_gpu(80)], _ALL)
    drafting = place(header, [_gpu(80)], Wanted(ContextNeeds(8192, draft_tokens=4, mtp=True)))
    assert idle.layers == drafting.layers == 10
    assert idle.weights_bytes < drafting.weights_bytes


@given(
    _KINDS,
    _DEVICES,
    _WANTED,
    st.one_of(st.none(), st.integers(1, 13)),
    st.one_of(st.none(), st.integers(0, 13)),
    st.sampled_from([(), (1.0, 1.0), (3.0, 1.0, 0.0, 2.0)]),
)
def test_steps_down_end_and_give_up_only_what_was_left_open(
    kind: str,
    devices: tuple[DeviceMemory, ...],
    wanted: Wanted,
    layers: int | None,
    experts: int | None,
    split: tuple[float, ...],
) -> None:
    header = _HEADERS[kind]
    asked = replace(wanted, layers=layers, cpu_experts=experts, split=split)
    left, placed, steps = devices, place(header, devices, asked), 0
    while (step := fewer(header, left, asked, placed)) is not None:
        before = left, placed
        left, placed = step
        assert all(now.free_bytes <= then.free_bytes for now, then in zip(left, before[0], strict=True))
        assert any(now.free_bytes < then.free_bytes for now, then in zip(left, before[0], strict=True))
        assert placed != before[1]
        if layers is not None:
            assert (placed.layers, layers) == (before[1].layers, layers)
            assert placed.cpu_expert_layers > before[1].cpu_expert_layers
        if experts is not None and placed.layers and kind == "mixture":
            assert placed.cpu_expert_layers == min(experts, _MIXTURE.layers)
        steps += 1
        assert steps < 200
    assert layers is not None or placed.layers == 0


def test_a_step_down_gives_up_experts_first() -> None:
    header = _HEADERS["mixture"]
    placed = place(header, [_gpu(24)], _ALL)
    assert placed.cpu_expert_layers == 0
    step = fewer(header, [_gpu(24)], _ALL, placed)
    assert step is not None
    assert step[1].layers == placed.layers
    assert step[1].cpu_expert_layers > 0
