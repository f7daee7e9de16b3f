"""The fetcher and the disk: killed at any moment, full disks, two at once, the Hub's own tools."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import msgspec
import pytest

from playground.models.downloads.cache_layout import CachedFile
from playground.models.downloads.fetch_messages import Event, Progress
from playground.models.downloads.file_lock import FileLock
from tests.support import fetching
from tests.support.fake_hub import FakeHub, Fault
from tests.support.fetching import NAME, REPO, content, end, fetch, job, look, start

_SIZE = 3_000_000
_CONTENT = content(_SIZE)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add(REPO, {NAME: _CONTENT, "sub/other-F16.gguf": b"GGUF other", "README.md": b"# hi"})
        yield running


def _entry(hub: FakeHub, cache: Path, name: str = NAME) -> CachedFile:
    repo = hub.repos[REPO]
    return CachedFile(cache, REPO, repo.sha, name, repo.files[name].etag)


def test_the_hubs_own_library_finds_what_was_fetched(hub: FakeHub, tmp_path: Path) -> None:
    names = [NAME, "sub/other-F16.gguf", "README.md"]
    paths = [str(fetch(job(hub, tmp_path, name)).done) for name in names]
    for revision in ("main", hub.repos[REPO].sha):
        seen = look(tmp_path, REPO, revision, names)
        assert seen.paths == paths
        assert not seen.warnings
        assert seen.refs == {REPO: ["main"]}
    assert all(Path(path).is_symlink() and not Path(path).readlink().is_absolute() for path in paths)
    assert str(Path(paths[0]).readlink()) == f"../../blobs/{hub.repos[REPO].files[NAME].sha256}"
    assert {path.name for path in tmp_path.iterdir()} == {".locks", "CACHEDIR.TAG", "models--acme--tiny-GGUF"}


def test_a_branch_follows_to_a_new_commit(hub: FakeHub, tmp_path: Path) -> None:
    old = fetch(job(hub, tmp_path)).done
    repo = hub.repos[REPO]
    repo.sha = repo.refs["main"] = "b" * 40
    hub.log.clear()
    new = fetch(job(hub, tmp_path)).done
    assert not hub.requests("GET"), "the content is here already"
    assert new.resolve() == old.resolve()
    assert look(tmp_path, REPO, "main", [NAME]).paths == [str(new)]


def test_without_links_there_is_one_copy(hub: FakeHub, tmp_path: Path) -> None:
    no_links = {"HF_HUB_DISABLE_SYMLINKS": "1"}
    path = fetch(job(hub, tmp_path), no_links).done
    assert path.read_bytes() == _CONTENT
    assert not path.is_symlink()
    assert not list((tmp_path / "models--acme--tiny-GGUF" / "blobs").iterdir())
    seen = look(tmp_path, REPO, "main", [NAME])
    assert seen.paths == [str(path)]
    assert seen.size < _SIZE + 1000
    hub.log.clear()
    assert fetch(job(hub, tmp_path), no_links).done == path
    assert not hub.log


def test_a_good_copy_is_not_given_up_for_a_wrong_blob(hub: FakeHub, tmp_path: Path) -> None:
    path = fetch(job(hub, tmp_path), {"HF_HUB_DISABLE_SYMLINKS": "1"}).done
    entry = _entry(hub, tmp_path)
    entry.blob.write_bytes(b"x" * _SIZE)
    assert fetch(job(hub, tmp_path)).done == path
    assert path.read_bytes() == _CONTENT


def test_what_is_wrong_is_not_left_to_be_loaded(hub: FakeHub, tmp_path: Path) -> None:
    path = fetch(job(hub, tmp_path)).done
    path.resolve().write_bytes(b"x" * _SIZE)
    wanted = job(hub, tmp_path)
    hub.stop()
    assert fetch(wanted).failed.kind == "offline"
    assert not path.exists()


def test_it_is_killed_at_ten_random_moments_and_goes_on(hub: FakeHub, tmp_path: Path) -> None:
    hub.rate, kept = 500_000, 0
    moments = random.Random(7)
    part = _entry(hub, tmp_path).part
    for number in range(10):
        process = start(job(hub, tmp_path))
        assert process.stdout is not None
        if number % 3:
            process.stdout.readline()  # it has begun
        time.sleep(moments.uniform(0.0, 0.4))
        process.send_signal(signal.SIGKILL)
        assert end(process).status == -signal.SIGKILL
        now = part.stat().st_size if part.exists() else 0
        assert now >= kept, "what was on disk is lost"
        assert not now or part.read_bytes() == _CONTENT[:now]
        kept = now
    assert kept > 0
    hub.rate = 0
    assert fetch(job(hub, tmp_path)).done.read_bytes() == _CONTENT
    assert hub.requests("GET", "/cdn/")[-1].range == f"bytes={kept}-"


def test_it_ends_with_its_app(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("stall", "/cdn/", after=1_000_000))
    process = start(job(hub, tmp_path), {"PLAYGROUND_FETCH_STALL_S": "60"})
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(20) == 4
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_fetcher_without_a_job_says_so() -> None:
    done = subprocess.run(
        fetching.COMMAND, input=b"{}\n", capture_output=True, cwd=fetching.ROOT, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


def test_the_second_waits_for_the_first(hub: FakeHub, tmp_path: Path) -> None:
    hub.rate = 1_000_000
    first = start(job(hub, tmp_path))
    while not _entry(hub, tmp_path).part.exists():
        time.sleep(0.01)
    second = fetch(job(hub, tmp_path))
    assert end(first).done == second.done
    assert second.done.read_bytes() == _CONTENT
    assert len(hub.requests("GET", "/cdn/")) == 1
    assert second.waits[0].reason == f"Another program is fetching {NAME}."


def test_locks_are_the_ones_of_the_hubs_tools(hub: FakeHub, tmp_path: Path) -> None:
    entry = _entry(hub, tmp_path)
    entry.prepare()
    with filelock.FileLock(entry.lock):
        ended = fetch(job(hub, tmp_path), {"PLAYGROUND_FETCH_BUSY_S": "0.3"})
        assert ended.failed.kind == "busy"
    mine = FileLock(entry.lock)
    assert mine.take()
    assert not FileLock(entry.lock).take()
    with pytest.raises(filelock.Timeout):
        filelock.FileLock(entry.lock).acquire(timeout=0)
    mine.give_back()
    assert fetch(job(hub, tmp_path)).done.read_bytes() == _CONTENT


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(hub: FakeHub, tmp_path: Path) -> None:
    wanted = msgspec.structs.replace(job(hub, tmp_path), size_bytes=10**16)
    ended = fetch(wanted)
    assert ended.failed.kind == "disk_full"
    assert "GB left" in ended.failed.message
    assert not hub.requests("GET")


def _run_limited(wanted: Any, prepare: Callable[[], None]) -> fetching.Ended:  # noqa: ANN401 -- a Job
    process = subprocess.Popen(
        fetching.COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=fetching.environment(),
        cwd=fetching.ROOT,
        preexec_fn=prepare,  # noqa: PLW1509 -- what it runs takes no lock
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(wanted) + b"\n")
    process.stdin.flush()
    return end(process)


def test_a_disk_that_fills_up_midway_keeps_the_part(hub: FakeHub, tmp_path: Path) -> None:
    limit = 2_000_000
    wanted = job(hub, tmp_path)
    ended = _run_limited(wanted, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert ended.failed.kind == "disk_full"
    assert _entry(hub, tmp_path).part.read_bytes() == _CONTENT[:limit]
    assert fetch(wanted).done.read_bytes() == _CONTENT
    assert hub.requests("GET", "/cdn/")[-1].range == f"bytes={limit}-"


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_real_disk_that_fills_up(hub: FakeHub, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], check=True)
    try:
        hub.rate = 3_000_000
        process = start(job(hub, disk))
        assert process.stdout is not None
        event = msgspec.json.decode(process.stdout.readline(), type=Event)
        assert isinstance(event, Progress)
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space"):
            _fill(filler)
        ended = end(process)
        assert ended.failed.kind == "disk_full", ended
        assert fetch(job(hub, disk)).failed.kind == "disk_full"
        filler.unlink()
        hub.log.clear()
        assert fetch(job(hub, disk)).done.read_bytes() == _CONTENT
        assert hub.requests("GET", "/cdn/")[0].range
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _lose_power() -> None:
    """Let root obey permissions, too: take CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH from what is executed next."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def test_a_cache_that_may_not_be_looked_at_lies_on_a_disk_all_the_same(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "hub").mkdir(parents=True)
    closed.chmod(0)
    script = "import sys, pathlib; from playground.models.downloads.cache_layout import check_room as look;"
    command = [
        sys.executable,
        "-c",
        f"{script} look(pathlib.Path(sys.argv[1]), 1, 'it')",
        str(closed / "hub"),
    ]
    try:
        subprocess.run(command, check=True, preexec_fn=_lose_power)
    finally:
        closed.chmod(0o755)


@pytest.mark.parametrize("folder", ["", "models--acme--tiny-GGUF", "models--acme--tiny-GGUF/blobs"])
def test_a_folder_without_permission_is_told(hub: FakeHub, tmp_path: Path, folder: str) -> None:
    closed = tmp_path / "cache" / folder
    closed.mkdir(parents=True)
    closed.chmod(0o555)
    try:
        ended = _run_limited(job(hub, tmp_path / "cache"), _lose_power)
    finally:
        closed.chmod(0o755)
    assert ended.failed.kind == "permission"
    assert "Permission denied" in ended.failed.message


def test_a_proxy_of_the_environment_is_used(hub: FakeHub, tmp_path: Path) -> None:
    hub.redirect = False
    wanted = msgspec.structs.replace(job(hub, tmp_path), endpoint="http://hub.example")
    ended = fetch(wanted, {"http_proxy": hub.url, "no_proxy": "", "HF_TOKEN": "hf_secret"})
    assert ended.done.read_bytes() == _CONTENT


def test_speed_is_limited(hub: FakeHub, tmp_path: Path) -> None:
    began = time.monotonic()
    unlimited = fetch(job(hub, tmp_path / "a"))
    unlimited_s, began = time.monotonic() - began, time.monotonic()
    wanted = msgspec.structs.replace(job(hub, tmp_path / "b"), limit_bytes_per_s=_SIZE)
    limited = fetch(wanted)
    assert time.monotonic() - began > unlimited_s + 0.5, "3 MB at 3 MB/s take a second"
    assert unlimited.done.read_bytes() == limited.done.read_bytes() == _CONTENT
