"""Runs the fetcher's process as the app does, against the fake Hub, and looks at the cache with the Hub's own library."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from playground.models.downloads.fetch_messages import Done, Event, Failed, Job, Waiting
from tests.support.fake_hub import FakeHub

ROOT = Path(__file__).parents[2]
REPO = "acme/tiny-GGUF"
NAME = "tiny-Q4_K_M.gguf"
QUICK = {"PLAYGROUND_FETCH_STALL_S": "1", "PLAYGROUND_FETCH_WAIT_S": "0.02", "PLAYGROUND_FETCH_TRIES": "4"}
_LONGEST_S = 60.0
COMMAND = [sys.executable, "-P", "-m", "playground", "fetch-worker"]

_LOOK = """
import json, sys
from huggingface_hub import scan_cache_dir, try_to_load_from_cache
cache, repo, revision, *names = sys.argv[1:]
found = [try_to_load_from_cache(repo, name, cache_dir=cache, revision=revision) for name in names]
scan = scan_cache_dir(cache)
print(json.dumps({
    "paths": [path if isinstance(path, str) else None for path in found],
    "warnings": [str(warning) for warning in scan.warnings],
    "size": scan.size_on_disk,
    "refs": {r.repo_id: sorted(r.refs) for r in scan.repos},
}))
"""


class Look(msgspec.Struct):
    """What the Hub's own library sees in a cache."""

    paths: list[str | None]
    warnings: list[str]
    size: int
    refs: dict[str, list[str]]


@dataclass(frozen=True)
class Ended:
    """A fetcher that has ended."""

    status: int
    events: list[Event]
    stderr: str

    @property
    def done(self) -> Path:
        """Return the path of a file that was fetched."""
        assert isinstance(self.events[-1], Done), self
        return Path(self.events[-1].path)

    @property
    def failed(self) -> Failed:
        """Return why it failed."""
        assert isinstance(self.events[-1], Failed), self
        return self.events[-1]

    @property
    def waits(self) -> list[Waiting]:
        """Return the setbacks."""
        return [event for event in self.events if isinstance(event, Waiting)]


def content(size_bytes: int, seed: int = 1) -> bytes:
    """Return bytes that look like nothing else."""
    return random.Random(seed).randbytes(size_bytes)


def job(hub: FakeHub, cache: Path, name: str = NAME, repo: str = REPO) -> Job:
    """Return the job for a file of the fake Hub."""
    held = hub.repos[repo]
    file = held.files[name]
    sha256 = file.sha256 if file.lfs else ""
    return Job(repo, held.sha, "main", name, file.size, sha256, str(cache), hub.url)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a fetcher that loses its patience soon."""
    return {**os.environ, **QUICK, "PYTHONPATH": str(ROOT), **(more or {})}


def start(wanted: Job, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a fetcher and give it a job."""
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(more),
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(wanted) + b"\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for a fetcher's end; its stdin stays open until then."""
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdin is not None
    guard = threading.Timer(_LONGEST_S, process.kill)
    guard.start()
    lines = process.stdout.read().splitlines()
    words = process.stderr.read().decode()
    status = process.wait()
    guard.cancel()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    assert "Traceback" not in words, words
    return Ended(status, [msgspec.json.decode(line, type=Event) for line in lines], words)


def fetch(wanted: Job, more: Mapping[str, str] | None = None) -> Ended:
    """Run a fetcher to its end."""
    return end(start(wanted, more))


def look(cache: Path, repo: str, revision: str, names: Sequence[str]) -> Look:
    """Return what the Hub's own library finds in a cache, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, str(cache), repo, revision, *names],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout, type=Look)
