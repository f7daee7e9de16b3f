"""What can be said about two answers from their figures. Computed, never canned: no figure, no claim. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from playground.compare.events import LaneResult

_SAME = 1.05  # ratios below are within the noise of one run


def sentence(results: Sequence[LaneResult]) -> str:
    """Return one sentence about two results, such as "A is 1.8x faster · 3.6x smaller in memory"."""
    if len(results) != 2:
        return ""
    first, second = sorted(results, key=lambda result: result.slot)
    failed = [result.slot for result in (first, second) if result.stop == "error"]
    if failed:
        rest = [result for result in (first, second) if result.slot not in failed]
        return f"{' and '.join(failed)} failed" + (f"; only {rest[0].slot} answered." if rest else ".")
    parts = [part for part in (_speed(first, second), _memory(first, second), _start(first, second)) if part]
    if not parts:
        return "There are too few figures to compare the two."
    return " · ".join(parts) + _caveats(first, second) + _speed_note(first, second)


def _speed(first: LaneResult, second: LaneResult) -> str:
    a, b = first.timings.decode_tokens_per_s, second.timings.decode_tokens_per_s
    if not a or not b or first.shared != second.shared:
        return ""
    return _ratio(first.slot, second.slot, a / b, "faster", "Both write equally fast")


def _memory(first: LaneResult, second: LaneResult) -> str:
    a, b = first.memory.held_bytes, second.memory.held_bytes
    if not a or not b:
        return ""
    return _ratio(first.slot, second.slot, b / a, "smaller in memory", "both need the same memory")


def _start(first: LaneResult, second: LaneResult) -> str:
    a, b = first.timings.first_token_s, second.timings.first_token_s
    cached = first.usage.cached_tokens, second.usage.cached_tokens
    if not a or not b or abs(a - b) < 0.1 or cached[0] != cached[1] or first.shared != second.shared:
        return ""
    return f"{first.slot if a < b else second.slot} starts {abs(a - b):.1f} s earlier"


def _speed_note(first: LaneResult, second: LaneResult) -> str:
    if first.shared != second.shared:
        alone, beside = (second, first) if first.shared else (first, second)
        return (
            f" · speeds cannot be compared: {alone.slot} had the machine to itself, {beside.slot} shared it"
        )
    return " (speeds shared)" if first.shared else ""


def _ratio(first: str, second: str, ratio: float, word: str, equal: str) -> str:
    if 1 / _SAME < ratio < _SAME:
        return equal
    return f"{first} is {ratio:.1f}× {word}" if ratio > 1 else f"{second} is {1 / ratio:.1f}× {word}"


def _caveats(first: LaneResult, second: LaneResult) -> str:
    cut = [result.slot for result in (first, second) if result.stop in ("length", "context")]
    stopped = [result.slot for result in (first, second) if result.stop == "cancelled"]
    text = f" · {' and '.join(cut)} cut off" if cut else ""
    return text + (f" · {' and '.join(stopped)} stopped" if stopped else "")
