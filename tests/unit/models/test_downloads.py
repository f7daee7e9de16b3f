"""The queue of downloads: order, pause, resume, cancel, retry, shards, limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from playground.models.downloads.cache_layout import CachedFile
from playground.models.downloads.download import DownloadState
from playground.models.hub import hub as hub_room
from tests.support.fake_hub import FakeHub, Fault
from tests.support.fetching import QUICK, content, look
from tests.support.queued import fresh_name, page, queue

_SIZE = 2_000_000
_CONTENT = content(_SIZE)
_SHARDS = [f"big-Q4_K_M-{number:05}-of-00003.gguf" for number in (1, 2, 3)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    with FakeHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def repo(hub: FakeHub) -> str:
    name = fresh_name()
    hub.add(name, {"tiny-Q4_K_M.gguf": _CONTENT})
    return name


@pytest.fixture
def split(hub: FakeHub) -> str:
    name = fresh_name()
    hub.add(name, {shard: content(400_000, seed) for seed, shard in enumerate(_SHARDS)})
    return name


def _place(hub: FakeHub, repo: str) -> CachedFile:
    held = hub.repos[repo]
    name, file = next(iter(held.files.items()))
    return CachedFile(hub_room.cache_folder(), repo, held.sha, name, file.sha256)


def _is_right(path: str) -> bool:
    return Path(path).exists() and Path(path).read_bytes() == _CONTENT


async def _no_fetcher_runs() -> None:
    while psutil.Process().children():  # noqa: ASYNC110 -- nothing tells of it
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # until the queue has heard of it


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
            await _no_fetcher_runs()
            assert queued.of(added.id).state is DownloadState.PAUSED
            kept = _place(hub, repo).part.stat().st_size
            assert kept >= 300_000
            hub.rate = 0
            queued.seen.clear()
            queued.downloads.resume_all()
            done = await queued.reach(added.id, DownloadState.DONE)
            assert _is_right(done.path)
            assert hub.requests("GET", "/cdn/")[-1].range == f"bytes={kept}-"
            assert DownloadState.VERIFYING in queued.states(added.id)

    asyncio.run(steps())


def test_all_are_paused_and_more_run_at_once(hub: FakeHub, repo: str, split: str, tmp_path: Path) -> None:
    hub.rate = 300_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            ids = [queued.downloads.add(*page(hub, name)).id for name in (repo, split)]
            await queued.receive(ids[0], 30_000)
            assert queued.of(ids[1]).state is DownloadState.QUEUED
            queued.downloads.parallel = 9
            assert queued.downloads.parallel == 4
            await queued.receive(ids[1], 30_000)
            queued.downloads.pause_all()
            assert {item.state for item in queued.downloads.downloads} == {DownloadState.PAUSED}
            queued.downloads.cancel(ids[0])
            queued.downloads.retry(ids[1])
            queued.downloads.forget(ids[1])
            assert [item.state for item in queued.downloads.downloads] == [DownloadState.PAUSED]
            for nothing in (queued.downloads.pause, queued.downloads.resume, queued.downloads.cancel):
                nothing("no such id")

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
                await _no_fetcher_runs()
                assert _place(hub, repo).part.exists() is keep
            assert not _place(hub, repo).folder.exists(), "empty folders stay"

    asyncio.run(steps())


def test_few_run_at_once_and_in_order(hub: FakeHub, tmp_path: Path) -> None:
    names = [fresh_name() for _ in range(4)]
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
            assert failed.kind == "corrupt"
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
            assert (failed.kind, failed.url) == ("gated", f"{hub.url}/{repo}")
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


def test_the_offline_switch_ends_what_is_under_way(hub: FakeHub, repo: str, tmp_path: Path) -> None:
    hub.rate = 1_000_000

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(*page(hub, repo))
            await queued.receive(added.id, 300_000)
            hub_room.set_offline(True)
            failed = await queued.reach(added.id, DownloadState.FAILED)
            await _no_fetcher_runs()
            assert (failed.kind, failed.error) == ("offline", "The app is offline, so the Hub was not asked.")
            assert failed.hint == "Switch offline mode off."
            assert _place(hub, repo).part.stat().st_size >= 200_000
            asked = len(hub.log)
            queued.downloads.retry(added.id)
            await queued.reach(added.id, DownloadState.ACTIVE)
            await queued.reach(added.id, DownloadState.FAILED)
            assert len(hub.log) == asked
            hub_room.set_offline(False)
            queued.downloads.retry(added.id)
            assert _is_right((await queued.reach(added.id, DownloadState.DONE)).path)

    try:
        asyncio.run(steps())
    finally:
        hub_room.set_offline(False)


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


def test_a_model_that_does_not_fit_the_disk_is_not_begun(hub: FakeHub, split: str, tmp_path: Path) -> None:
    repository, quant = page(hub, split)
    last = replace(quant.files[-1], size_bytes=10**16)
    quant = replace(quant, files=(*quant.files[:-1], last))

    async def steps() -> None:
        async with queue(tmp_path) as queued:
            added = queued.downloads.add(repository, quant)
            failed = await queued.reach(added.id, DownloadState.FAILED)
            assert f"{split} Q4_K_M needs" in failed.error
            assert not hub.log

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
