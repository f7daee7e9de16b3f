"""The queue of downloads on disk: restarts, killed apps, two apps at once, damaged files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from playground.models.downloads.download import DownloadState
from playground.models.downloads.download_store import DownloadStore
from tests.support.fake_hub import FakeHub
from tests.support.fetching import QUICK, ROOT, content
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


def _is_right(path: str) -> bool:
    return Path(path).exists() and Path(path).read_bytes() == _CONTENT


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
from playground.models.downloads.download_store import DownloadStore
from playground.models.downloads.downloads import Downloads
from playground.models.hub.hub_api import repository

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
    hub.rate = 500_000

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
