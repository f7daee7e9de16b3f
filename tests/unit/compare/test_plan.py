"""How lanes share the machine: the plan of a run keeps what the Library has promised of the pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.chat.messages import Conversation
from playground.chat.options import LoadOptions
from playground.compare.events import Lane, Plan, WantedPlan
from playground.compare.needs import held_on_devices, lane_needs
from playground.compare.plan import make_plan
from playground.engines.protocol import Device, DeviceUse, MemoryUse
from playground.models.files import ModelFile
from playground.models.fitness import Machine
from playground.models.gguf import read_whole_header
from playground.models.pair_fit import Candidate, fit_pair
from playground.models.placement import DeviceMemory
from tests.support import big_shapes

_GB = 10**9
_N_CTX = 8192
_SMALL = big_shapes.Big("qwen3", 12, 1024, 16, 8, 128, 3072, 3000)
_SHAPES = {
    "dense": _SMALL,
    "larger": replace(_SMALL, layers=24, embedding=2048),
    "mixture": replace(
        _SMALL, arch="qwen3moe", experts=32, experts_used=4, expert_feed_forward=768, feed_forward=0
    ),
    "hybrid": replace(_SMALL, arch="qwen35", interval=4, value_heads=16),
}
_KINDS = st.sampled_from(sorted(_SHAPES))
_FREE = st.one_of(st.integers(0, 3 * _GB), st.integers(0, 1 << 40))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("shapes")
    return {kind: big_shapes.write(shape, folder / f"{kind}.gguf") for kind, shape in _SHAPES.items()}


def _candidate(path: Path) -> Candidate:
    header = read_whole_header(path)
    return Candidate(path.stem, header, sum(tensor.size_bytes for tensor in header.tensors))


def _lane(slot: str, path: Path, load: LoadOptions = LoadOptions(n_ctx=_N_CTX)) -> Lane:
    size_bytes = _candidate(path).size_bytes
    model = ModelFile(path.stem, str(path), path.stem, size_bytes, "", "Q8_0", 0, 1 << 17, is_base=False)
    return Lane(slot, model, Conversation().with_user("Hi"), load)


def _devices(free: Sequence[int], *, is_chip: bool = False) -> tuple[Device, ...]:
    kind: Literal["integrated", "gpu"] = "integrated" if is_chip else "gpu"
    return tuple(Device(f"GPU{n}", "a card", kind, size, size + 1) for n, size in enumerate(free))


def _plan(
    lanes: Sequence[Lane], devices: Sequence[Device], free_bytes: int, wanted: WantedPlan = "auto"
) -> Plan:
    needs = lane_needs(lanes, devices)
    return make_plan(
        [lane.slot for lane in lanes],
        wanted,
        needs_bytes=needs.host_bytes,
        loaded=(),
        available_bytes=free_bytes,
        cores=8,
        crowded=needs.crowded,
    )


def _whole_bytes(path: Path) -> int:
    """Return a little more than a device needs to hold a model altogether."""
    found = fit_pair(_candidate(path), _candidate(path), _N_CTX, Machine(1 << 40, 1 << 40))
    return found.compact.memory.total_bytes * 5 // 4


@settings(deadline=None)
@given(_KINDS, _KINDS, _FREE, st.lists(_FREE, max_size=3), st.booleans())
def test_a_run_does_what_the_library_has_said_of_the_pair(
    paths: Mapping[str, Path], compact: str, larger: str, free: int, cards: list[int], is_unified: bool
) -> None:
    devices = _devices(cards, is_chip=is_unified)
    memory = tuple(DeviceMemory(device.name, device.free_bytes) for device in devices)
    machine = Machine(free, free, memory, is_unified=is_unified and bool(cards))
    found = fit_pair(_candidate(paths[compact]), _candidate(paths[larger]), _N_CTX, machine)
    if found.how not in ("together", "in_turn"):
        return
    plan = _plan([_lane("A", paths[compact]), _lane("B", paths[larger])], devices, free)
    assert plan.mode == {"together": "together", "in_turn": "sequential"}[found.how]


def test_a_model_that_a_card_holds_alone_does_not_share_it(paths: Mapping[str, Path]) -> None:
    lanes = [_lane("A", paths["dense"]), _lane("B", paths["dense"])]
    card = _whole_bytes(paths["dense"])
    plan = _plan(lanes, _devices([card]), 1 << 40)
    assert (plan.mode, plan.keeps_loaded, plan.forced) == ("sequential", False, False)
    assert "B would lie partly on the CPU" in plan.reason
    assert _plan(lanes, _devices([card, card]), 1 << 40).mode == "together"
    assert _plan(lanes, _devices([card * 2]), 1 << 40).mode == "together"


def test_each_model_has_the_card_for_itself_when_in_turn_was_chosen(paths: Mapping[str, Path]) -> None:
    lanes = [_lane("A", paths["dense"]), _lane("B", paths["dense"])]
    card = _whole_bytes(paths["dense"])
    assert not _plan(lanes, _devices([card]), 1 << 40, "sequential").keeps_loaded
    assert _plan(lanes, _devices([card * 2]), 1 << 40, "sequential").keeps_loaded


def test_together_stays_together_when_it_was_chosen(paths: Mapping[str, Path]) -> None:
    lanes = [_lane("A", paths["dense"]), _lane("B", paths["dense"])]
    plan = _plan(lanes, _devices([_whole_bytes(paths["dense"])]), 1 << 40, "together")
    assert (plan.mode, plan.forced) == ("together", True)
    assert "Alone B would lie on the devices altogether" in plan.reason


def test_what_never_lies_on_the_card_altogether_may_share_it(paths: Mapping[str, Path]) -> None:
    lanes = [_lane("A", paths["dense"]), _lane("B", paths["larger"])]
    assert _plan(lanes, _devices([_whole_bytes(paths["dense"])]), 1 << 40).mode == "together"
    on_cpu = _lane("B", paths["dense"], LoadOptions(n_ctx=_N_CTX, gpu_layers="none"))
    assert _plan([lanes[0], on_cpu], _devices([_whole_bytes(paths["dense"])]), 1 << 40).mode == "together"


def test_a_loaded_model_that_holds_the_card_crowds_the_next_one(paths: Mapping[str, Path]) -> None:
    card = _whole_bytes(paths["dense"])
    use = MemoryUse(resident_bytes=1, devices=(DeviceUse("GPU0", card - 1, 0, 0), DeviceUse("CPU", 7, 7, 7)))
    held = held_on_devices([use])
    assert held == {"GPU0": card - 1}
    lanes = [_lane("B", paths["dense"])]
    assert lane_needs(lanes, _devices([1]), held).crowded == ("B",)
    assert lane_needs(lanes, _devices([1])).crowded == ()
    assert lane_needs(lanes, _devices([card]), held).crowded == ()
