"""For all tests: an own home, no real Hub cache, no window on a screen; logs and leaks that nobody expects fail."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background of a script: programs would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

from playground import preflight

_ROOMS_WITH_QT = ("ui", "e2e")


@pytest.fixture(scope="session", autouse=True)
def _home_of_all_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Move the app's files and the Hub cache below a temporary folder.

    A fixture of the same name would take its place, and its tests would find the models of whoever runs them.
    """
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_HOME", str(folder / "playground"))
        patch.setenv("HF_HOME", str(folder / "hf"))
        yield folder


@pytest.fixture(scope="session")
def home(_home_of_all_tests: Path) -> Path:
    """Return the folder that all tests' files and the Hub cache lie below."""
    return _home_of_all_tests


@pytest.fixture(autouse=True)
def _no_unexpected_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    loud = [
        record
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and record.name.startswith(("playground", "asyncio", "qasync"))
    ]
    assert not loud, f"unexpected log: {[record.getMessage() for record in loud]}"


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    threads = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while True:
        left = [child for child in me.children(recursive=True) if child.pid not in before and _runs(child)]
        stray = [t for t in threading.enumerate() if t not in threads and not t.daemon and _is_ours(t)]
        if not (left or stray) or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    names = [" ".join(child.cmdline()) for child in left] + [thread.name for thread in stray]
    assert not names, f"left running: {names}"


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_ours(thread: threading.Thread) -> bool:
    # asyncio keeps its threads for blocking calls until its loop ends, qasync until the application does.
    return not thread.name.startswith(("asyncio_", "ThreadPoolExecutor", "waitpid-"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs Qt where its libraries are missing; on a CI machine that is a failure instead."""
    problems = [p.sentence for p in preflight.window_problems() if p.kind in ("library", "binding")]
    if not problems or os.environ.get("CI"):
        return
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in _ROOMS_WITH_QT:
            item.add_marker(pytest.mark.skipif(condition=True, reason=" ".join(problems)))
