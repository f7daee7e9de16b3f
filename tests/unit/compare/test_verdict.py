"""The sentence about two answers: only what the figures carry."""

from __future__ import annotations

import msgspec

from playground.chat.options import AnswerOptions, LoadOptions
from playground.compare.events import LaneError, LaneResult
from playground.compare.verdict import sentence
from playground.engines.protocol import DeviceUse, MemoryUse, Timings, Usage
from playground.models.files import ModelFile

_MODEL = ModelFile("x.gguf", "x.gguf", "x", 1, "llama", "Q4_K_M", 1, 8192, is_base=False)


def _result(
    slot: str, speed: float | None, resident: int, *, shared: bool = True, **more: object
) -> LaneResult:
    timings, memory = (
        Timings(decode_tokens_per_s=speed, first_token_s=0.5),
        MemoryUse(resident_bytes=resident),
    )
    result = LaneResult(
        slot=slot,
        model=_MODEL,
        answer="answer",
        reasoning="",
        stop="end",
        error=None,
        usage=Usage(10, 0, 10),
        timings=timings,
        memory=memory,
        load=LoadOptions(),
        options=AnswerOptions(),
        threads=1,
        shared=shared,
    )
    return msgspec.structs.replace(result, **more)


def test_speed_and_memory_are_ratios() -> None:
    text = sentence([_result("A", 20.0, 10**9), _result("B", 10.0, 3 * 10**9)])
    assert "A is 2.0× faster" in text
    assert "A is 3.0× smaller in memory" in text
    assert "(speeds shared)" in text


def test_a_speed_of_its_own_is_not_held_against_a_shared_one() -> None:
    text = sentence([_result("A", 40.0, 10**9, shared=False), _result("B", 10.0, 10**9)])
    assert "faster" not in text
    assert "A had the machine to itself, B shared it" in text


def test_memory_on_devices_counts() -> None:
    on_device = MemoryUse(resident_bytes=10**9, devices=(DeviceUse("CUDA0", weights_bytes=3 * 10**9),))
    text = sentence([_result("A", 10.0, 10**9), _result("B", 10.0, 0, memory=on_device)])
    assert "A is 4.0× smaller in memory" in text
    assert "Both write equally fast" in text


def test_a_failure_is_said_first() -> None:
    error = LaneError("crashed", "It ended.")
    failed = _result("B", None, 0, stop="error", error=error)
    assert sentence([_result("A", 10.0, 10**9), failed]) == "B failed; only A answered."
    assert sentence([_result("A", 10.0, 10**9)]) == ""


def test_without_figures_nothing_is_claimed() -> None:
    none = Timings()
    both = [_result(slot, None, 0, timings=none) for slot in "AB"]
    assert "too few figures" in sentence(both)
