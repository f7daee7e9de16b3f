"""A large file over loopback: the fetcher against curl and sha256sum of the same file, in alternating rounds.

The fake Hub runs in a process of its own and sends by sendfile. Ours ends with the file hashed, synced to the disk and
linked in the cache. Theirs is ``curl -L -o FILE`` and then ``sha256sum FILE``; ``piped`` is ``curl | sha256sum``, which
keeps nothing. All data is written back before each run, so that none pays for the one before. The first round is not
counted. Peak memory is the fetcher's VmHWM.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from playground.models.downloads.fetch_messages import Done, Event, Job
from tests.benchmarks.result import arguments, ratio, write
from tests.support.fake_hub_files import HubContent, make_repo
from tests.support.fetching import COMMAND, ROOT

_REPO, _NAME = "acme/large-GGUF", "large-Q4_K_M.gguf"


def main() -> None:
    """Measure and print one JSON line."""
    parser = arguments(__doc__)
    parser.add_argument("--size", type=int, default=1_500_000_000, metavar="BYTES")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="on the disk that is meant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        write("download", __spec__.name, _measure(Path(name), options.size, options.rounds))


def _measure(folder: Path, size_bytes: int, rounds: int) -> dict[str, object]:
    source = folder / "source.gguf"
    make(source, size_bytes)
    sha256 = HubContent(source).sha256
    commit = make_repo(_REPO, {}).sha
    ours: list[float] = []
    theirs: list[float] = []
    piped: list[float] = []
    peaks: list[int] = []
    with _hub(source) as url:
        address = f"{url}/{_REPO}/resolve/main/{_NAME}"
        for _ in range(rounds + 1):
            cache = folder / "cache"
            job = Job(_REPO, commit, "main", _NAME, size_bytes, sha256, str(cache), url)
            ours.append(_timed(lambda job=job: peaks.append(_fetch(job))))  # type: ignore[misc]
            shutil.rmtree(cache)
            theirs.append(_timed(lambda: _curl(address, folder / "curl.gguf", sha256)))
            (folder / "curl.gguf").unlink()
            piped.append(_timed(lambda: _piped(address, sha256)))
    return {
        "size_bytes": size_bytes,
        "ours_s": [round(value, 2) for value in ours[1:]],
        "curl_then_sha256sum_s": [round(value, 2) for value in theirs[1:]],
        "curl_piped_s": [round(value, 2) for value in piped[1:]],
        "ratio": ratio(list(zip(ours[1:], theirs[1:], strict=True))),
        "ratio_piped": ratio(list(zip(ours[1:], piped[1:], strict=True))),
        "peak_bytes": max(peaks),
    }


def make(path: Path, size_bytes: int) -> None:
    """Write a file that no disk or network makes smaller."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for number in range(0, size_bytes, len(block)):
            file.write(number.to_bytes(8, "little"))
            file.write(block[8 : min(len(block), size_bytes - number)])
        file.truncate(size_bytes)


@contextmanager
def _hub(source: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.fake_hub", "--port", "0", "--repo", _REPO]
    process = subprocess.Popen(
        [*command, "--file", f"{_NAME}={source}"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def _timed(work: Callable[[], object]) -> float:
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _fetch(job: Job) -> int:
    """Fetch and return the fetcher's peak of resident memory, bytes."""
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    process.stdin.flush()
    peak = 0
    event: Event | None = None
    for line in process.stdout:
        event = msgspec.json.decode(line, type=Event)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        peak = max(peak, int(found[1]) << 10 if found else 0)
    assert isinstance(event, Done), event
    process.wait()
    process.stdin.close()
    process.stdout.close()
    return peak


def _curl(address: str, target: Path, sha256: str) -> None:
    subprocess.run(["curl", "-s", "-L", "-o", str(target), address], check=True)
    done = subprocess.run(["sha256sum", str(target)], check=True, capture_output=True, text=True)
    assert done.stdout.startswith(sha256)


def _piped(address: str, sha256: str) -> None:
    script = 'curl -s -L "$1" | sha256sum'
    done = subprocess.run(["sh", "-c", script, "sh", address], check=True, capture_output=True, text=True)
    assert done.stdout.startswith(sha256)


if __name__ == "__main__":
    main()
