"""The header of a model at the Hub whose vocabulary has 262,144 words: requests, bytes and time.

Run: python -m tests.benchmarks.remote_header [rounds] [--reference]

A fake Hub on loopback, with its files at another origin, as the real one has them. Remote: the whole question, client
and redirect included, against the same two requests by the standard library, in alternating pairs. Local: what it takes
to read the architecture from the first bytes, against all of the header; ``--reference`` adds the reference reader.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playground.models.gguf import parse_beginning, read_header
from playground.models.hub import hub_api
from tests.benchmarks import result
from tests.support.fake_hub import FakeHub
from tests.support.remote_models import VOCABULARY, model_bytes

_FIRST_BYTES = 64 << 10


def main() -> None:
    """Print the figures."""
    parser = result.arguments(__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=21)
    parser.add_argument("--reference", action="store_true", help="the reference reader, too: 10 s")
    given = parser.parse_args()
    raw = model_bytes(vocabulary=VOCABULARY)
    with tempfile.TemporaryDirectory() as folder, FakeHub() as hub:
        os.environ["HF_HOME"], os.environ["HF_ENDPOINT"] = folder, hub.url
        path = Path(folder) / "m.gguf"
        path.write_bytes(raw)
        figures = {
            "header_bytes": len(raw),
            **_remote(hub, raw, given.rounds),
            **_local(path, raw, given.rounds),
        }
        if given.reference:
            figures["reference_reader_s"] = round(_seconds(lambda: _reference(path)), 2)
    assert __spec__ is not None
    result.write("header of a remote model", __spec__.name, figures)


def _remote(hub: FakeHub, raw: bytes, rounds: int) -> dict[str, object]:
    repo = hub.add("acme/m", {"m.gguf": raw})
    url = f"{hub.url}/acme/m/resolve/{repo.sha}/m.gguf"

    async def ours() -> list[tuple[float, float]]:
        pairs = []
        for _ in range(rounds):
            started = time.perf_counter()
            await hub_api.header("acme/m", repo.sha, "m.gguf", len(raw))
            ours_s = time.perf_counter() - started
            pairs.append((ours_s, await asyncio.to_thread(_seconds, lambda: _bare(url))))
        return pairs

    asyncio.run(hub_api.header("acme/m", repo.sha, "m.gguf"))  # the imports
    hub.log.clear()
    asyncio.run(hub_api.header("acme/m", repo.sha, "m.gguf"))
    asked = {"requests": len(hub.log), "fetched_bytes": sum(entry.sent for entry in hub.log)}
    pairs = asyncio.run(ours())
    return {
        **asked,
        "remote_ms": round(1000 * median(pair[0] for pair in pairs), 2),
        "remote_ratio": result.ratio(pairs),
    }


def _local(path: Path, raw: bytes, rounds: int) -> dict[str, object]:
    pairs = []
    for round_ in range(rounds):
        os.utime(path, ns=(round_, round_))  # what was read before is not read again
        arch = _seconds(lambda: parse_beginning("m.gguf", raw[:_FIRST_BYTES], len(raw)))
        pairs.append((arch, _seconds(lambda: read_header(path))))
    return {
        "parse_ms": round(1000 * median(pair[0] for pair in pairs), 3),
        "whole_header_ms": round(1000 * median(pair[1] for pair in pairs), 1),
        "parse_ratio": result.ratio(pairs),
    }


def _bare(url: str) -> None:
    request = urllib.request.Request(url, headers={"Range": f"bytes=0-{_FIRST_BYTES - 1}"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def _reference(path: Path) -> None:
    import gguf

    gguf.GGUFReader(path)


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
