"""Every fault of a server: it ends in a verified file, or in one clear sentence with the part kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.models.downloads.fetch_messages import Checking
from tests.support import fetching
from tests.support.fake_hub import FakeHub, Fault
from tests.support.fetching import NAME, content, fetch, job

_CDN = "/cdn/"
_SIZE = 3_000_000
_CONTENT = content(_SIZE)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add(fetching.REPO, {NAME: _CONTENT, "README.md": b"# hi\n", "sub/config.json": b"{}"})
        yield running


def _part(cache: Path, hub: FakeHub) -> Path:
    sha256 = hub.repos[fetching.REPO].files[NAME].sha256
    return cache / "models--acme--tiny-GGUF" / "blobs" / f"{sha256}.incomplete"


def _no_token_left_the_hub(hub: FakeHub) -> bool:
    return not [entry for entry in hub.log if entry.origin == "cdn" and "authorization" in entry.headers]


_OVERCOME = {
    "closed midway": [Fault("truncate", _CDN, after=1_000_000)],
    "closed midway ten times": [Fault("truncate", _CDN, after=200_000, times=10)],
    "reset midway": [Fault("reset", _CDN, after=1_000_000)],
    "reset at once": [Fault("reset", _CDN)],
    "stalled": [Fault("stall", _CDN, after=1_500_000)],
    "stalled before the first byte": [Fault("stall", _CDN)],
    "no answer": [Fault("hang", _CDN)],
    "500": [Fault("status", _CDN, status=500)],
    "503 twice": [Fault("status", _CDN, status=503, times=2)],
    "429": [Fault("status", _CDN, status=429)],
    "429 with seconds": [Fault("status", _CDN, status=429, headers={"Retry-After": "1"})],
    "429 with a date": [
        Fault("status", _CDN, status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    ],
    "429 with a window": [Fault("status", _CDN, status=429, headers={"ratelimit": '"api";r=0;t=1'})],
    "the signature expired": [Fault("status", _CDN, status=403)],
    "401 at the CDN": [Fault("status", _CDN, status=401)],
    "gone from the CDN": [Fault("status", _CDN, status=404)],
    "too short a Content-Length": [Fault("short_length", _CDN)],
    "too long a Content-Length": [Fault("long_length", _CDN)],
    "no Content-Length": [Fault("no_length", _CDN)],
    "more than the file": [Fault("more", _CDN)],
    "packed": [Fault("gzip", _CDN)],
    "a flipped bit": [Fault("flip", _CDN, after=2_000_001)],
    "a redirect to itself": [Fault("loop", _CDN)],
    "a page that is not the file": [Fault("html", _CDN)],
    "416 on resuming": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("status", _CDN, status=416, on_range=True),
    ],
    "the range is ignored": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("ignore_range", _CDN, on_range=True),
    ],
    "a wrong range": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("wrong_range", _CDN, on_range=True),
    ],
    "416 until the whole file is asked for": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("status", _CDN, status=416, on_range=True, times=2),
    ],
    "a wrong total": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("wrong_total", _CDN, on_range=True),
    ],
    "no Content-Range": [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("no_range", _CDN, on_range=True),
    ],
    "HEAD 503": [Fault("status", "/resolve/", method="HEAD", status=503)],
    "HEAD 429": [Fault("status", "/resolve/", method="HEAD", status=429, headers={"Retry-After": "0"})],
    "HEAD without answer": [Fault("hang", "/resolve/", method="HEAD")],
    "HEAD reset": [Fault("reset", "/resolve/", method="HEAD")],
}


@pytest.mark.parametrize("faults", _OVERCOME.values(), ids=_OVERCOME.keys())
def test_a_passing_fault_is_overcome(hub: FakeHub, tmp_path: Path, faults: list[Fault]) -> None:
    hub.faults += [Fault(**vars(fault)) for fault in faults]
    ended = fetch(job(hub, tmp_path), {"HF_TOKEN": "hf_secret"})
    assert ended.done.read_bytes() == _CONTENT, ended
    assert all(fault.times == 0 for fault in hub.faults), "the fault did not strike"
    assert _no_token_left_the_hub(hub)
    assert not _part(tmp_path, hub).exists()


def test_what_is_here_is_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("reset", _CDN, after=1_000_000, times=2))
    fetch(job(hub, tmp_path))
    starts = [int(entry.range.removeprefix("bytes=").rstrip("-") or 0) for entry in hub.requests("GET", _CDN)]
    assert starts[0] == 0
    assert len(starts) == 3
    assert starts[0] < starts[1] < starts[2]


def test_an_expired_address_is_asked_for_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults += [
        Fault("truncate", _CDN, after=1_000_000),
        Fault("status", _CDN, status=403, on_range=True),
    ]
    ended = fetch(job(hub, tmp_path))
    assert ended.done.read_bytes() == _CONTENT
    assert len(hub.requests("HEAD")) == 2
    signatures = [entry.query for entry in hub.requests("GET", _CDN)]
    assert signatures[0] == signatures[1] != signatures[2]


_LASTING = {
    "closed at once": (Fault("truncate", _CDN, times=-1, after=0), "download", "network"),
    "cut off again and again": (Fault("reset", _CDN, times=-1, after=0), "hub", "server"),
    "stalled for ever": (Fault("hang", _CDN, times=-1), "hub", "timeout"),
    "503 for ever": (Fault("status", _CDN, times=-1), "hub", "server"),
    "429 for ever": (
        Fault("status", _CDN, status=429, headers={"Retry-After": "0"}, times=-1),
        "hub",
        "rate_limited",
    ),
    "403 for ever": (Fault("status", _CDN, status=403, times=-1), "hub", "server"),
    "a bit is always flipped": (Fault("flip", _CDN, after=77, times=-1), "download", "corrupt"),
    "always too much": (Fault("more", _CDN, times=-1), "download", "lying"),
    "always packed": (Fault("gzip", _CDN, times=-1), "download", "lying"),
    "always another page": (Fault("html", _CDN, times=-1), "download", "lying"),
    "always too short": (Fault("short_length", _CDN, times=-1), "download", "lying"),
    "redirects without end": (Fault("loop", _CDN, times=-1), "hub", "bad_answer"),
    "another size": (Fault("wrong_size", "/resolve/", method="HEAD", times=-1), "download", "lying"),
    "another hash": (Fault("wrong_hash", "/resolve/", method="HEAD", times=-1), "download", "lying"),
    "no commit": (Fault("no_commit", "/resolve/", method="HEAD", times=-1), "hub", "bad_answer"),
    "no hash": (Fault("no_etag", "/resolve/", method="HEAD", times=-1), "hub", "bad_answer"),
    "the Hub is in trouble": (Fault("status", "/resolve/", method="HEAD", times=-1), "hub", "server"),
}


@pytest.mark.parametrize(("fault", "room", "kind"), _LASTING.values(), ids=_LASTING.keys())
def test_a_lasting_fault_is_one_sentence(
    hub: FakeHub, tmp_path: Path, fault: Fault, room: str, kind: str
) -> None:
    hub.faults.append(Fault(**vars(fault)))
    ended = fetch(job(hub, tmp_path))
    assert ended.status == 1
    assert (ended.failed.room, ended.failed.kind) == (room, kind), ended
    assert ended.failed.message.endswith(".")
    assert ended.failed.hint
    assert not list(tmp_path.rglob("snapshots/*/*"))


def test_a_server_that_always_starts_over_is_left_in_the_end(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("restart", _CDN, after=1_000_000, times=-1))
    ended = fetch(job(hub, tmp_path))
    assert ended.failed.kind == "network"
    assert len(hub.requests("GET", _CDN)) < 10


def test_the_part_outlives_a_lasting_fault(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults += [Fault("truncate", _CDN, after=1_000_000), Fault("status", _CDN, times=-1)]
    assert fetch(job(hub, tmp_path)).status == 1
    part = _part(tmp_path, hub)
    assert part.read_bytes() == _CONTENT[: part.stat().st_size]
    assert part.stat().st_size >= 1_000_000
    hub.faults.clear()
    hub.log.clear()
    ended = fetch(job(hub, tmp_path))
    assert ended.done.read_bytes() == _CONTENT
    assert isinstance(ended.events[0], Checking)
    assert hub.requests("GET", _CDN)[0].range


def test_a_wrong_part_is_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    part = _part(tmp_path, hub)
    part.parent.mkdir(parents=True)
    for wrong in (b"x" * 1000, b"x" * _SIZE, b"x" * (_SIZE + 7)):
        part.write_bytes(wrong)
        path = fetch(job(hub, tmp_path)).done
        assert path.read_bytes() == _CONTENT
        path.resolve().unlink()


def test_a_wrong_file_in_the_cache_is_replaced(hub: FakeHub, tmp_path: Path) -> None:
    path = fetch(job(hub, tmp_path)).done
    path.resolve().write_bytes(b"x" * _SIZE)
    assert fetch(job(hub, tmp_path)).done.read_bytes() == _CONTENT
    hub.log.clear()
    assert fetch(job(hub, tmp_path)).done == path
    assert not hub.log, "a file that is here needs no network"


@pytest.mark.parametrize(("token", "kind"), [("", "gated"), ("hf_wrong", "gated"), ("hf_bad", "token")])
def test_a_gated_model_says_what_to_do(hub: FakeHub, tmp_path: Path, token: str, kind: str) -> None:
    hub.add("acme/gated", {NAME: _CONTENT}, gated="auto", tokens=["hf_right"])
    hub.known_tokens = {"hf_right", "hf_wrong"}
    wanted = job(hub, tmp_path, repo="acme/gated")
    ended = fetch(wanted, {"HF_TOKEN": token})
    assert ended.failed.kind == kind
    assert ended.failed.url
    assert token not in f"{ended}" or not token
    assert len(hub.requests("HEAD")) == 1, "asking again is no use"
    assert fetch(wanted, {"HF_TOKEN": "hf_right"}).done.read_bytes() == _CONTENT
    assert _no_token_left_the_hub(hub)


def test_a_server_that_is_not_there(hub: FakeHub, tmp_path: Path) -> None:
    wanted = job(hub, tmp_path)
    hub.stop()
    assert fetch(wanted).failed.kind == "offline"
    assert fetch(wanted, {"HF_HUB_OFFLINE": "1"}).failed.kind == "offline"


def test_a_repository_that_is_not_there(hub: FakeHub, tmp_path: Path) -> None:
    wanted = job(hub, tmp_path)
    del hub.repos[fetching.REPO]
    assert fetch(wanted).failed.kind == "not_found"


def test_a_model_that_moved_is_found(hub: FakeHub, tmp_path: Path) -> None:
    wanted = job(hub, tmp_path)
    hub.add("new/name", {NAME: _CONTENT}, sha=wanted.commit)
    del hub.repos[fetching.REPO]
    hub.moved[fetching.REPO] = "new/name"
    assert fetch(wanted).done.read_bytes() == _CONTENT


def test_a_hub_that_sends_files_itself(hub: FakeHub, tmp_path: Path) -> None:
    hub.redirect = False
    assert fetch(job(hub, tmp_path)).done.read_bytes() == _CONTENT


def test_small_texts_are_checked_by_their_git_hash(hub: FakeHub, tmp_path: Path) -> None:
    assert fetch(job(hub, tmp_path, "README.md")).done.read_bytes() == b"# hi\n"
    hub.faults.append(Fault("flip", "config.json", after=1, times=-1))
    assert fetch(job(hub, tmp_path, "sub/config.json")).failed.kind == "corrupt"
