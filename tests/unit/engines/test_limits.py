"""Bounds on foreign code: interrupted when its time is over, and nothing left behind in the interpreter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

from playground.engines.limits import TimeUpError, limited

_TRACED = """
import sys, time
from playground.engines.limits import TimeUpError, limited

def seen(frame, event, argument):
    return None

def traced():
    return 1

for seconds in (5, 0.05):
    try:
        with limited(seconds):
            while seconds < 1:
                pass
    except TimeUpError:
        pass
    sys.settrace(seen)
    assert traced() == 1
    sys.settrace(None)
print("went on")
"""


def _work_for_ever() -> None:
    while True:
        pass


def _swallow(times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(TimeUpError):
            _work_for_ever()
    _work_for_ever()


def test_code_that_takes_for_ever_is_interrupted() -> None:
    with pytest.raises(TimeUpError), limited(0.1):
        _work_for_ever()


def test_code_that_swallows_the_interruption_is_interrupted_again() -> None:
    with pytest.raises(TimeUpError), limited(0.5):
        _swallow(2)


def test_an_interruption_that_comes_at_the_end_hits_nothing_behind_it() -> None:
    for _ in range(200):
        try:
            with limited(0.001):
                time.sleep(0.001)
        except TimeUpError:
            continue
    total = sum(range(200_000))
    assert total == 19_999_900_000


def test_a_tracer_works_after_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TRACED], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "went on\n", done.stderr
