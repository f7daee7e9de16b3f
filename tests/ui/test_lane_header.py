"""How a lane's first row is shared out between the model's name and the chips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ui.lane_header import shared_row


@pytest.mark.parametrize(
    ("room", "name", "expected"),
    [
        (500, 120, (120, [True, True, True])),
        (250, 120, (120, [False, True, True])),
        (200, 120, (120, [False, False, True])),
        (200, 400, (140, [False, False, True])),
        (150, 400, (150, [False, False, False])),
        (500, 420, (420, [False, False, True])),
        (0, 100, (0, [False, False, False])),
    ],
    ids=["all", "no kind", "quantization only", "name shortened", "name only", "long name first", "nothing"],
)
def test_what_is_dropped_first(room: int, name: int, expected: tuple[int, list[bool]]) -> None:
    assert shared_row(room, name, [80, 60, 60]) == expected


def test_a_chip_without_text_is_never_shown() -> None:
    assert shared_row(500, 100, [0, 60, 60])[1] == [False, True, True]
    assert shared_row(500, 100, [0, 0, 0])[1] == [False, False, False]


@given(st.integers(0, 2000), st.integers(0, 900), st.lists(st.integers(0, 200), min_size=3, max_size=3))
def test_what_is_shown_fits(room: int, name: int, chips: list[int]) -> None:
    width, shown = shared_row(room, name, chips)
    assert 0 <= width <= name
    assert width + sum(chip for chip, is_shown in zip(chips, shown, strict=True) if is_shown) <= room
