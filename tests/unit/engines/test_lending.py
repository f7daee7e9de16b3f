"""Addresses that devices are lent at, and the book of what is lent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engines.lender import DEFAULT_PORT, is_loopback, parse_address
from playground.engines.lent import Book
from playground.errors import UsageError

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "give", "forget"]),
        st.integers(0, 3),
        st.integers(0, 1),
        st.integers(-5, 150),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", DEFAULT_PORT)),
        (" 0.0.0.0:0 ", ("0.0.0.0", 0)),
        ("lab-7.example:65535", ("lab-7.example", 65535)),
    ],
)
def test_addresses_are_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":", ":1", "a:", "a:x", "a:-1", "a:65536", "a:1:2", "[::1]:5", "::1", "a:²"]
)
def test_what_is_no_address_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "127.0.0.1:50052" in caught.value.hint


@given(st.text())
def test_any_text_is_an_address_or_wrong_usage(text: str) -> None:
    try:
        host, port = parse_address(text)
    except UsageError:
        return
    assert host
    assert 0 <= port < 65536


def test_loopback_is_this_machine_only() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.0.2", "lab-7.example", "")))


@given(st.integers(1, 200), _STEPS)
def test_no_device_is_lent_beyond_its_limit(limit: int, steps: list[tuple[str, int, int, int]]) -> None:
    book = Book(limit)
    held = {(who, device): 0 for who in range(4) for device in range(2)}
    borrowers = [object() for _ in range(4)]
    for what, who, device, size in steps:
        if what == "take":
            fits = 0 <= size <= limit - sum(held[other, device] for other in range(4))
            assert book.take(borrowers[who], device, size) == fits
            held[who, device] += size if fits else 0
        elif what == "give":
            book.give(borrowers[who], device, size)
            held[who, device] = max(0, held[who, device] - max(0, size))
        else:
            book.forget(borrowers[who])
            held |= {(who, 0): 0, (who, 1): 0}
        for each in range(2):
            assert book.left(each) == limit - sum(held[other, each] for other in range(4)) >= 0


def test_without_a_limit_everything_may_be_taken() -> None:
    book = Book()
    assert book.take("someone", 0, 1 << 50)
    assert book.take("someone", 0, 1 << 50)
