"""How long servers may ask to be left alone, and how fast a download is said to be."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.downloads.download_speed import Speed
from playground.models.downloads.fetch_patience import asked_pause_s, setting


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "9999999999999999999"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2999 07:28:00 GMT"}, 3600.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": "nonsense"}, None),
        ({"retry-after": "3", "ratelimit": '"api";r=0;t=55'}, 3.0),
    ],
)
def test_what_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_pause_s(headers) == seconds


def test_a_date_is_a_pause() -> None:
    later = email.utils.formatdate(time.time() + 100, usegmt=True)
    asked = asked_pause_s({"retry-after": later})
    assert asked is not None
    assert 50 < asked <= 100


@given(st.text(max_size=60))
def test_no_words_of_a_server_do_harm(text: str) -> None:
    for name in ("retry-after", "ratelimit"):
        asked = asked_pause_s({name: text})
        assert asked is None or 0 <= asked <= 3600


def test_a_setting_that_is_none_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_FETCH_STALL_S", "soon")
    assert setting("STALL_S", 30.0) == 30.0
    monkeypatch.setenv("PLAYGROUND_FETCH_STALL_S", "2.5")
    assert setting("STALL_S", 30.0) == 2.5


def test_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed()
    assert speed.add(0.0, 5_000) == 0
    assert speed.add(0.1, 5_100) == 0, "too early to tell"
    for tenth in range(2, 100):
        found = speed.add(tenth / 10, 5_000 + tenth * 100)
    assert found == pytest.approx(1000)
    for tenth in range(100, 200):
        found = speed.add(tenth / 10, 14_900 + (tenth - 99) * 1000)
    assert found == pytest.approx(10_000), "the slow time is forgotten"


def test_speed_begins_again_when_bytes_were_thrown_away() -> None:
    speed = Speed()
    for second in range(5):
        speed.add(float(second), second * 1000)
    assert speed.add(5.0, 0) == 0
    assert speed.add(6.0, 500) == pytest.approx(500)
