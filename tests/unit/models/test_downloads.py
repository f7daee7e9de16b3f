"""The queue of downloads: order, pause, resume, cancel, retry, shards, restarts, two apps, damaged files."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from playground.models import hub as hub_room
from playground.models.cache_layout import CachedFile
from playground.models.download import DownloadState
from playground.models.download_store import DownloadStore
from tests.support.fake_hub import FakeHub, Fault
from tests.support.fetching import QUICK, ROOT, content, look
from tests.support.queued import page, queue

_SIZE = 2_000_000
_CONTENT = content(_SIZE)
_SHARDS = [f"big-Q4_K_M-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
_numbers = itertools.count(1)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    with FakeHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def repo(hub: FakeHub) -> str:
    """Add a model that no other test uses: the Hub cache is the session's."""
    name = f"acme/model{next(_numbers)}"
    hub.add(name, {"tiny-Q4_K_M.gguf": _CONTENT})
    return name


@pytest.fixture
def split(hub: FakeHub) -> str:
    name = f"acme/split{next(_numbers)}"
    hub.add(name, {shard: content(400_000, seed) for seed, shard in enumerate(_SHARDS)})
    return name


def _place(hub: FakeHub, repo: str) -> CachedFile:
    held = hub.repos[repo]
    name, file = next(iter(held.files.items()))
    return CachedFile(hub_room.cache_folder(), repo, held.sha, name, file.sha256)


def _is_right(path: str) -> bool:
    return Path(path).exists() and Path(path).read_bytes() == _CONTENT


def _delete(path: str) -> None:
    Path(path).resolve().unlink()


def test_a_download_comes_whole(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo), note="pair with the starter")
            assert queued.downloads.add(*page(hub, repo)).id == added.id
            done = await queued.reach(added.id, DownloadState.DONE)
            assert _is_right(done.path)
            assert done.received_bytes == done.total_bytes == _SIZE
            assert done.note == "pair with the starter"
            assert queued.states(added.id) == [DownloadState.QUEUED, DownloadState.ACTIVE, DownloadState.DONE]
            speeds = [item.bytes_per_s for item in queued.seen if item.bytes_per_s]
            assert speeds
            assert 500_000 < speeds[-1] < 8_000_000
            assert any(item.seconds_left for item in queued.seen)
            received = [item.received_bytes for item in queued.seen]
            assert received == sorted(received)
            assert queued.downloads.add(*page(hub, repo)).state is DownloadState.DONE
            queued.downloads.forget(added.id)
            assert not queued.downloads.downloads

    asyncio.run(steps())
    assert look(hub_room.cache_folder(), repo, "main", ["tiny-Q4_K_M.gguf"]).paths[0]


def test_pause_keeps_the_part_and_resume_goes_on(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            await queued.receive(added.id, 300_000)
            queued.downloads.pause(added.id)
            assert queued.of(added.id).state is DownloadState.PAUSED
            queued.downloads.resume(added.id)
            queued.downloads.pause(added.id)
            await asyncio.sleep(0.3)
            assert queued.of(added.id).state is DownloadState.PAUSED
            assert not psutil.Process().children()
            kept = _place(hub, repo).part.stat().st_size
            assert kept >= 300_000
            hub.rate = 0
            queued.downloads.resume_all()
            done = await queued.reach(added.id, DownloadState.DONE)
            assert _is_right(done.path)
            assert hub.requests("GET", "/cdn/")[-1].range == f"bytes={kept}-"

    asyncio.run(steps())


def test_cancel_deletes_the_part(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            for keep in (True, False):
                added = queued.downloads.add(*page(hub, repo))
                await queued.receive(added.id, 200_000)
                queued.downloads.cancel(added.id, keep_part=keep)
                assert not queued.downloads.downloads
                while psutil.Process().children():  # noqa: ASYNC110 -- nothing tells of it
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                assert _place(hub, repo).part.exists() is keep
            assert not _place(hub, repo).folder.exists(), "empty folders stay"

    asyncio.run(steps())


def test_few_run_at_once_and_in_order(hub: FakeHub, tmp_path: Path) -> None:
    names = [f"acme/many{next(_numbers)}" for _ in range(4)]
    for name in names:
        hub.add(name, {"a.gguf": _CONTENT})
    hub.rate = 4_000_000
    most = 0

    async def steps() -> None:
        nonlocal most
        async with queue(tmp_path, parallel=2) as queued:
            ids = [queued.downloads.add(*page(hub, name)).id for name in names]

            def are_done() -> bool:
                nonlocal most
                states = [item.state for item in queued.downloads.downloads]
                most = max(most, sum(state is DownloadState.ACTIVE for state in states))
                return all(state is DownloadState.DONE for state in states)

            await queued.until(are_done)
            ended = sorted(queued.downloads.downloads, key=lambda item: item.ended_at)
            assert {item.id for item in ended[:2]} == set(ids[:2])

    asyncio.run(steps())
    assert most == 2


def test_only_the_bad_shard_is_fetched_again(hub: FakeHub, split: str, tmp_path: Path) -> None:
    hub.faults.append(Fault("flip", _SHARDS[1], after=1000, times=2))

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, split))
            failed = await queued.reach(added.id, DownloadState.FAILED)
            assert _SHARDS[1] in failed.error
            assert failed.hint
            assert [item.is_verified for item in failed.files] == [True, False, True]
            hub.log.clear()
            queued.downloads.retry(added.id)
            done = await queued.reach(added.id, DownloadState.DONE)
            assert [entry.path.rpartition("/")[2] for entry in hub.requests("GET", "/cdn/")] == [_SHARDS[1]]
            assert done.path.endswith(_SHARDS[0])

    asyncio.run(steps())
    found = look(hub_room.cache_folder(), split, "main", _SHARDS).paths
    for path, seed in zip(found, range(3), strict=True):
        assert path is not None
        assert Path(path).read_bytes() == content(400_000, seed)


def test_a_setback_is_told_while_it_waits(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.faults.append(Fault("status", "/cdn/", status=429, headers={"Retry-After": "1"}))

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            waiting = await queued.reach(added.id, DownloadState.WAITING)
            assert "HTTP 429" in waiting.error
            assert waiting.attempt == 1
            assert waiting.retry_at > time.time() - 60
            done = await queued.reach(added.id, DownloadState.DONE)
            assert not done.error

    asyncio.run(steps())


def test_a_failure_is_a_sentence_and_can_be_retried(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.faults.append(
        Fault("status", "/resolve/", method="HEAD", status=403, headers={"X-Error-Code": "GatedRepo"})
    )

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            failed = await queued.reach(added.id, DownloadState.FAILED)
            assert "accepted its terms" in failed.error
            queued.downloads.retry(added.id)
            await queued.reach(added.id, DownloadState.DONE)

    asyncio.run(steps())


def test_the_fetcher_may_be_killed_by_others(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            await queued.receive(added.id, 200_000)
            psutil.Process().children()[0].kill()
            failed = await queued.reach(added.id, DownloadState.FAILED)
            assert "status -9" in failed.error
            hub.rate = 0
            queued.downloads.retry(added.id)
            await queued.reach(added.id, DownloadState.DONE)

    asyncio.run(steps())
    assert hub.requests("GET", "/cdn/")[-1].range


def test_it_goes_on_after_a_restart(hub: FakeHub, repo: str, split: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000
    ids: list[str] = []

    async def first() -> None:
        async with queue(tmp_path) as queued:
            ids.extend(queued.downloads.add(*page(hub, name)).id for name in (repo, split))
            queued.downloads.pause(ids[1])
            await queued.receive(ids[0], 300_000)

    async def second() -> None:
        async with queue(tmp_path) as queued:
            assert [item.id for item in queued.downloads.downloads] == ids
            assert queued.of(ids[0]).received_bytes >= 300_000
            await queued.reach(ids[0], DownloadState.DONE)
            assert queued.of(ids[1]).state is DownloadState.PAUSED

    asyncio.run(first())
    hub.rate = 0
    asyncio.run(second())
    assert hub.requests("GET", "/cdn/")[-1].range


_APP = """
import asyncio, sys
from pathlib import Path
from playground.models.download_store import DownloadStore
from playground.models.downloads import Downloads
from playground.models.hub_api import repository

async def main():
    downloads = Downloads(lambda: None, store=DownloadStore(Path(sys.argv[1])))
    downloads.start()
    page = await repository(sys.argv[2])
    downloads.add(page, page.models[0])
    while downloads.downloads[0].received_bytes < 300_000:
        await asyncio.sleep(0.01)
    print("moving", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def _app(folder: Path, repo: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _APP, str(folder), repo],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "moving\n"
    process.stdout.close()
    return process


def test_it_goes_on_after_the_app_was_killed(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000
    app = _app(tmp_path, repo)
    fetchers = psutil.Process(app.pid).children()
    app.send_signal(signal.SIGKILL)
    app.wait()
    assert not psutil.wait_procs(fetchers, timeout=10)[1], "the fetcher outlives its app"
    hub.rate = 0

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            (known,) = queued.downloads.downloads
            assert known.state in (DownloadState.QUEUED, DownloadState.ACTIVE)
            assert known.received_bytes >= 200_000
            done = await queued.reach(known.id, DownloadState.DONE)
            assert _is_right(done.path)

    asyncio.run(steps())
    assert hub.requests("GET", "/cdn/")[-1].range


def test_two_apps_keep_their_own_queues(hub: FakeHub, repo: str, split: str, tmp_path: Path) -> None:
    hub.rate = 2_000_000
    app = _app(tmp_path, repo)

    async def beside() -> None:
        async with queue(tmp_path) as queued:
            assert not queued.downloads.downloads
            queued.downloads.add(*page(hub, split))
            same = queued.downloads.add(*page(hub, repo))
            queued.downloads.pause(same.id)

    async def afterwards() -> None:
        async with queue(tmp_path) as queued:
            assert {item.repo for item in queued.downloads.downloads} == {repo, split}
            assert len(queued.downloads.downloads) == 2

    try:
        asyncio.run(beside())
        assert {path.name for path in tmp_path.glob("*.json")} == {"downloads.json", "downloads-2.json"}
        assert repo in (tmp_path / "downloads.json").read_text()
    finally:
        app.kill()
        app.wait()
    asyncio.run(afterwards())
    assert {path.name for path in tmp_path.glob("*.json")} == {"downloads.json"}


def test_two_queues_that_fetch_the_same_file_fetch_it_once(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 3_000_000

    async def steps() -> None:
        async with queue(tmp_path / "a") as one, queue(tmp_path / "b") as other:
            first = one.downloads.add(*page(hub, repo))
            await one.receive(first.id, 100_000)
            second = other.downloads.add(*page(hub, repo))
            waiting = await other.reach(second.id, DownloadState.WAITING)
            assert waiting.error == "Another program is fetching tiny-Q4_K_M.gguf."
            await one.reach(first.id, DownloadState.DONE)
            await other.reach(second.id, DownloadState.DONE)

    asyncio.run(steps())
    assert len(hub.requests("GET", "/cdn/")) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\x00garbage", b"[]", b'{"version": 1}', b"null"])
def test_a_damaged_queue_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "downloads.json").write_bytes(damage)
    store = DownloadStore(tmp_path)
    assert store.open() == []
    assert "damaged" in store.problem
    assert (tmp_path / "downloads.broken").read_bytes() == damage
    store.close()


def test_one_damaged_download_does_not_cost_the_others(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    async def add() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            queued.downloads.pause(added.id)

    asyncio.run(add())
    path = tmp_path / "downloads.json"
    saved = json.loads(path.read_text())
    hostile = {**saved["downloads"][0], "id": "x", "repo": "../../x"}
    saved["downloads"] = [{"id": 7}, hostile, *saved["downloads"]]
    path.write_text(json.dumps(saved))
    store = DownloadStore(tmp_path)
    assert [item.repo for item in store.open()] == ["../../x", repo]
    store.close()

    async def reopen() -> None:
        async with queue(tmp_path) as queued:
            assert [item.repo for item in queued.downloads.downloads] == ["../../x", repo]
            queued.downloads.cancel("x")

    asyncio.run(reopen())


def test_a_data_folder_that_cannot_be_written_is_told(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")

    async def steps() -> None:
        async with queue(tmp_path / "data") as queued:
            assert "cannot be kept" in queued.downloads.problem
            added = queued.downloads.add(*page(hub, repo))
            await queued.reach(added.id, DownloadState.DONE)

    asyncio.run(steps())


def test_what_was_deleted_is_fetched_again(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            done = await queued.reach(added.id, DownloadState.DONE)
            _delete(done.path)
            again = queued.downloads.add(*page(hub, repo))
            assert again.id == added.id
            await queued.until(lambda: _is_right(done.path))
            await queued.reach(added.id, DownloadState.DONE)

    asyncio.run(steps())


def test_a_limit_holds_for_all_together(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    async def steps() -> float:
        async with queue(tmp_path) as queued:
            queued.downloads.limit_bytes_per_s = _SIZE
            began = time.monotonic()
            added = queued.downloads.add(*page(hub, repo))
            await queued.reach(added.id, DownloadState.DONE)
            return time.monotonic() - began

    assert asyncio.run(steps()) > 0.8, "2 MB at 2 MB/s take a second"
