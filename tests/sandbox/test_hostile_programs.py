"""Hostile programs in real sandboxes, run as an ordinary user. The stage says what was harmed; known gaps are listed."""

from __future__ import annotations

from functools import cache

import pytest

from tests.benchmarks import sandbox_table
from tests.support.hostile_programs import KNOWN
from tests.support.hostile_stage import ALL
from tests.support.sandboxes import BACKENDS

_LIMITS = {
    "memory bomb of many processes": ("bubblewrap", "limit"),
    "flood of empty files": ("bubblewrap", "limit"),
    "output without end": ("bubblewrap", "limit"),
    "line without end": ("bubblewrap", "limit"),
    "200 MB answer": ("bubblewrap", "limit"),
    "endless loop": ("bubblewrap", "timeout"),
    "deaf to signals": ("landlock", "timeout"),
    "crash": ("landlock", "error"),
    "hangs up": ("landlock", "error"),
}


@cache
def _results() -> dict[str, dict[str, dict[str, str]]]:
    return sandbox_table.results()


def test_there_are_enough_of_them() -> None:
    assert len({program.name for program in ALL}) == len(ALL) >= 40


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [program.name for program in ALL])
def test_it_is_held(backend: str, name: str) -> None:
    row = _results()[backend][name]
    assert not row["fault"], row
    if name in KNOWN[backend]:
        assert row["through"], "it is held after all: take it off the list"
    else:
        assert not row["through"], row


@pytest.mark.parametrize("name", [program.name for program in ALL if program.control])
def test_it_works_without_a_sandbox(name: str) -> None:
    assert _results()["none"][name]["through"]


@pytest.mark.parametrize("name", _LIMITS)
def test_what_stopped_it_is_told(name: str) -> None:
    backend, outcome = _LIMITS[name]
    assert _results()[backend][name]["outcome"] == outcome
    assert _results()[backend][name]["message"]
