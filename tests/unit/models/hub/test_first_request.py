"""The first request of a process: what its client imports late is imported in a thread, not in the window's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.fake_hub import FakeHub

_SCRIPT = """
import asyncio, json, sys, threading
from playground.models.hub import hub_api
from playground.models.hub.repository import Query

found = []

class Seen:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            found.append(name)

async def ask():
    await asyncio.to_thread(int)  # the loop's threads import something, too
    sys.meta_path.insert(0, Seen())
    await hub_api.search(Query(words="tiny"))
    await hub_api.repository("acme/tiny-GGUF")

asyncio.run(ask())
print(json.dumps(found))
"""


def test_it_imports_nothing_in_the_thread_that_asks(tmp_path: Path) -> None:
    with FakeHub() as hub:
        hub.add("acme/tiny-GGUF", {"tiny-Q4_K_M.gguf": b"GGUF", "README.md": b"# Tiny"})
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path)}
        command = [sys.executable, "-c", _SCRIPT]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert hub.requests("GET", "/api/models")
    assert json.loads(done.stdout) == []
