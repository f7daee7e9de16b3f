"""What the screen says of figures: memory by device, where layers are, what a draft was worth, how long a prompt is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.compare.events import LaneResult
from playground.engines.protocol import (
    Counted,
    DeviceUse,
    DraftUse,
    LoadedModel,
    MemoryUse,
    Placement,
    Timings,
    Usage,
)
from playground.ui import compare_words as words
from playground.ui.compare_state import CompareState, LaneState, Phase
from tests.support import scripted

_SERVER = "rpc://127.0.0.1:50052"
_CPU = DeviceUse("CPU", 170_000_000, 13_000_000, 27_000_000)
_REMOTE = DeviceUse(_SERVER, 300_000_000, 0, 9_000_000)


def _loaded(layers: int, devices: tuple[str, ...], experts: int = 0) -> LoadedModel:
    placed = Placement(8192, gpu_layers=layers, devices=devices, cpu_expert_layers=experts)
    return LoadedModel(8192, 8192, 18, layers, is_base=False, thinks=False, description="", placement=placed)


def _result(draft: DraftUse | None = None, usage: Usage | None = None) -> LaneResult:
    lane = LaneState("A", scripted.model())
    model = scripted.model()
    return LaneResult(
        *(
            "A",
            model,
            "Yes.",
            "",
            "end",
            None,
            usage or Usage(9, 0, 3),
            Timings(first_token_s=0.2),
            MemoryUse(),
        ),
        *(lane.load, lane.answer, 1),
        shared=False,
        draft=draft,
    )


def test_memory_counts_what_is_on_other_devices_and_is_said_by_device() -> None:
    lane = LaneState("A", memory=MemoryUse(resident_bytes=400_000_000, devices=(_CPU, _REMOTE)))
    assert words.memory(lane) == "709 MB"
    assert words.memory_parts(lane) == (
        "CPU: weights 170 MB, cache 13 MB, compute 27 MB · rpc://127.0.0.1:50052: weights 300 MB, compute 9 MB"
    )
    assert words.memory_parts(LaneState("A")) == ""
    whole = words.memory_parts(replace(lane, estimated_bytes=500_000_000))
    assert whole.endswith("in all 519 MB, estimated 500 MB"), whole


@pytest.mark.parametrize(
    ("loaded", "said"),
    [
        (None, ""),
        (_loaded(0, ()), ""),
        (_loaded(13, ()), ""),
        (_loaded(13, (_SERVER,)), f"13 of 19 layers on {_SERVER}"),
        (_loaded(19, ("Vulkan0", _SERVER)), f"19 of 19 layers on Vulkan0, {_SERVER}"),
        (_loaded(19, ("Vulkan0",), experts=4), "19 of 19 layers on Vulkan0, experts of 4 on the CPU"),
    ],
)
def test_layers_on_devices_are_in_the_note(loaded: LoadedModel | None, said: str) -> None:
    assert words.note(LaneState("A", scripted.model(), loaded=loaded)) == said


def test_the_note_says_what_a_draft_was_worth() -> None:
    lane = LaneState("A", scripted.model(), Phase.DONE, result=_result(DraftUse(67, 47)))
    assert words.note(lane) == "Draft: 47 of 67 tokens accepted (70 %)"
    lane = replace(lane, result=_result(DraftUse(67, 47), Usage(20, 11, 3)), loaded=_loaded(13, (_SERVER,)))
    assert words.note(lane).split(" · ") == [
        "Draft: 47 of 67 tokens accepted (70 %)",
        "11 of 20 prompt tokens reused",
        f"13 of 19 layers on {_SERVER}",
    ]
    assert words.note(replace(lane, result=_result(DraftUse()), loaded=None)) == ""


def _sized(a: tuple[int, int] | None, b: tuple[int, int] | None) -> CompareState:
    lanes = tuple(
        LaneState(slot, prompt_size=Counted(0, *size) if size else None)
        for slot, size in (("A", a), ("B", b))
    )
    return CompareState(lanes)


@pytest.mark.parametrize(
    ("a", "b", "said", "role"),
    [
        (None, None, "", "small"),
        ((1234, 8192), (1240, 8192), "A 1,234 of 8,192 tokens · B 1,240 of 8,192", "small"),
        (None, (1240, 8192), "B 1,240 of 8,192 tokens", "small"),
        ((9120, 8192), None, "A: 9,120 tokens do not fit its context of 8,192", "smallwarn"),
        ((8192, 8192), None, "A: 8,192 tokens do not fit its context of 8,192", "smallwarn"),
        (
            (12, 8192),
            (9120, 8192),
            "B: 9,120 tokens do not fit its context of 8,192 · A 12 of 8,192 tokens",
            "smallwarn",
        ),
    ],
)
def test_the_size_of_a_prompt_and_whether_it_fits(
    a: tuple[int, int] | None, b: tuple[int, int] | None, said: str, role: str
) -> None:
    assert words.prompt_sizes(_sized(a, b)) == (said, role)


def test_the_first_token_is_ours_until_the_engine_gives_its_own() -> None:
    lane = LaneState("A", scripted.model(), Phase.ANSWERING, first_token_s=1.5)
    assert words.first_token(lane) == "1.5 s"
    assert words.first_token(replace(lane, result=_result())) == "200 ms"
