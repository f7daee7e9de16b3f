"""The Library's services in processes of their own: the Hub's library reads its settings when it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.models.downloads.download import Download, DownloadState, FileProgress
from playground.models.downloads.download_store import DownloadStore
from playground.models.hub.repository import HubFile

_SCRIPT = """
import asyncio
from playground.app_library import AppLibrary
from playground.engines.pool import EnginePool

async def steps():
    library = AppLibrary(EnginePool(1))
    ended = asyncio.Event()
    def watch():
        if library.downloads()[0].state == "failed":
            ended.set()
    library.start(watch)
    print(library.rules().folder)
    print(library.disk_free_bytes() > 0)
    await asyncio.wait_for(ended.wait(), 30)
    print(library.downloads()[0].error)
    await library.close()

asyncio.run(steps())
"""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HF_ENDPOINT", "http://[bad", "HF_ENDPOINT holds no web address."),
        ("HF_HUB_ETAG_TIMEOUT", "soon", "A setting of the Hub in the environment is wrong:"),
    ],
)
def test_settings_of_the_hub_that_are_wrong_keep_the_library_going(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    file = HubFile("m-Q4_0.gguf", 1000, "0" * 64)
    store = DownloadStore(tmp_path / "home" / "data")
    store.open()
    store.save(
        [Download("one", "o/r", "1" * 40, "main", "Q4_0", (FileProgress(file),), DownloadState.ACTIVE)]
    )
    store.close()
    settings = {
        name: value,
        "PLAYGROUND_HOME": str(tmp_path / "home"),
        "HF_HUB_CACHE": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        check=False,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    folder, has_room, error = done.stdout.splitlines()
    assert (folder, has_room) == (str(tmp_path / "cache"), "True")
    assert error.startswith(words)
