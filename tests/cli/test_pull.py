"""``playground models pull`` against the fake Hub: words, events, failures, interrupts, a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_hub import FakeHub, Fault
from tests.support.fetching import QUICK, ROOT, content, look

_CONTENT = content(2_000_000)
_REPO = "acme/tiny-GGUF"
_SHARDS = [f"big/big-Q8_0-{number:05}-of-00002.gguf" for number in (1, 2)]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add(
            _REPO,
            {
                "tiny-Q4_K_M.gguf": _CONTENT,
                "tiny-Q2_K.gguf": b"GGUF small",
                "README.md": b"# hi",
                **{shard: shard.encode() for shard in _SHARDS},
            },
        )
        yield running


def _environment(hub: FakeHub, home: Path) -> dict[str, str]:
    mine = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONPATH": str(ROOT), "HF_TOKEN": ""}
    return {**os.environ, **QUICK, **mine}


def _start(hub: FakeHub, home: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:  # noqa: ANN401 -- of Popen
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(
        [sys.executable, "-m", "playground", "models", "pull", *arguments],
        text=True,
        cwd=ROOT,
        env=_environment(hub, home),
        stdin=subprocess.DEVNULL,
        **streams,
    )


def _pull(hub: FakeHub, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = _start(hub, home, *arguments)
    output, words = process.communicate(timeout=60)
    assert "Traceback" not in words
    return subprocess.CompletedProcess(arguments, process.returncode, output, words)


def test_paths_are_printed(hub: FakeHub, tmp_path: Path) -> None:
    done = _pull(hub, tmp_path, f"hf:{_REPO}", f"{_REPO}:q8_0")
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert paths[0].read_bytes() == _CONTENT
    assert [path.name for path in paths] == ["tiny-Q4_K_M.gguf", Path(_SHARDS[0]).name]
    found = look(tmp_path / "hub", _REPO, "main", ["tiny-Q4_K_M.gguf", *_SHARDS, "tiny-Q2_K.gguf"])
    assert all(found.paths[:3])
    assert found.paths[3] is None, "it was not asked for"
    assert "2 parts" in done.stderr
    hub.log.clear()
    assert _pull(hub, tmp_path, f"hf:{_REPO}").stdout.splitlines() == [str(paths[0])]
    assert not hub.requests("GET", "/cdn/")


def test_events_are_json_lines(hub: FakeHub, tmp_path: Path) -> None:
    hub.rate = 2_000_000
    hub.faults.append(Fault("truncate", "/cdn/", after=1_000_000))
    done = _pull(hub, tmp_path, "--json", f"hf:{_REPO}:Q4_K_M")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["schema"] for event in events} == {"playground.pull/1"}
    kinds = [event["event"] for event in events]
    assert kinds[0] == "begin"
    assert kinds[-1] == "done"
    assert {"progress", "waiting"} < set(kinds)
    assert events[0]["files"][0]["size_bytes"] == events[0]["total_bytes"] == len(_CONTENT)
    assert Path(events[-1]["path"]).read_bytes() == _CONTENT
    received = [event["received_bytes"] for event in events if event["event"] == "progress"]
    assert received == sorted(received)


def test_a_failure_is_one_sentence_and_the_others_are_fetched(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("flip", "Q4_K_M", after=7, times=-1))
    done = _pull(hub, tmp_path, f"hf:{_REPO}:Q4_K_M", f"hf:{_REPO}:Q9_Z", "hf:acme/none", f"hf:{_REPO}:Q2_K")
    assert done.returncode == 1
    failures = [line for line in done.stderr.splitlines() if line.startswith("playground: ")]
    assert len(failures) == 3
    assert "sha256" in failures[0]
    assert f"{_REPO} has no Q9_Z" in failures[1]
    assert failures[1].count(_REPO) == 1, "its name is said once"
    assert "acme/none" in failures[2]
    assert Path(done.stdout.strip()).read_bytes() == b"GGUF small"
    done = _pull(hub, tmp_path, "--json", f"hf:{_REPO}:Q4_K_M")
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("failed", "corrupt")


def test_what_is_no_reference_is_wrong_usage(hub: FakeHub, tmp_path: Path) -> None:
    for wrong in ("hf:x", "../x", "hf:a/b:c/d", ""):
        done = _pull(hub, tmp_path, f"hf:{_REPO}", wrong)
        assert done.returncode == 2, wrong
        assert done.stderr.count("\n") == 1
    assert not hub.log


def test_no_hub_is_one_sentence(hub: FakeHub, tmp_path: Path) -> None:
    hub.stop()
    done = _pull(hub, tmp_path, f"hf:{_REPO}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_keeps_the_part(hub: FakeHub, tmp_path: Path, as_json: bool) -> None:
    hub.rate = 1_000_000
    process = _start(hub, tmp_path, f"hf:{_REPO}", *(["--json"] if as_json else []))
    while not (parts := list(tmp_path.rglob("*.incomplete"))) or not parts[0].stat().st_size:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "Traceback" not in words
    if as_json:
        assert json.loads(output.splitlines()[-1])["event"] == "stopped"
    else:
        assert "What is here is kept" in words
    assert parts[0].stat().st_size
    hub.rate = 0
    assert Path(_pull(hub, tmp_path, f"hf:{_REPO}").stdout.strip()).read_bytes() == _CONTENT
    assert hub.requests("GET", "/cdn/")[-1].range


def test_a_terminal_gets_a_line_that_moves(hub: FakeHub, tmp_path: Path) -> None:
    hub.rate = 400_000
    mine, terminal = pty.openpty()
    process = _start(hub, tmp_path, f"hf:{_REPO}", stderr=terminal)
    os.close(terminal)
    seen = b""
    with open(mine, "rb", buffering=0) as stream:  # noqa: PTH123 -- a descriptor
        while b"left" not in seen:
            seen += stream.read(1000)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    line = seen.decode().rpartition("\r\x1b[K")[2]
    assert "[#" in seen.decode()
    shares = [int(share) for share in re.findall(r"(\d+)%", seen.decode())]
    assert shares[0] < 50, "the first line comes when most of it is over"
    assert "MB of 2.0 MB" in seen.decode() or "kB of 2.0 MB" in seen.decode()
    assert "B/s" in seen.decode()
    assert len(line) < 80
