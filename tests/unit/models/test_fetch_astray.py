"""The fetcher and what leads astray: links out of the cache, names and branches that climb, odd but honest names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from playground.errors import DownloadError
from playground.models.downloads.cache_layout import CachedFile
from tests.support.fake_hub import FakeHub
from tests.support.fetching import NAME, REPO, content, fetch, job

_CONTENT = content(3_000_000)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add(REPO, {NAME: _CONTENT, "sub/other-F16.gguf": b"GGUF other", "README.md": b"# hi"})
        yield running


def _entry(hub: FakeHub, cache: Path, name: str = NAME) -> CachedFile:
    repo = hub.repos[REPO]
    return CachedFile(cache, REPO, repo.sha, name, repo.files[name].etag)


def _attacks() -> dict[str, Callable[[CachedFile, Path], None]]:
    def folder(name: str) -> Callable[[CachedFile, Path], None]:
        def attack(entry: CachedFile, outside: Path) -> None:
            link = entry.cache / name.format(commit=entry.commit)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(outside)

        return attack

    def file(
        which: Callable[[CachedFile], Path], *, is_hard: bool = False
    ) -> Callable[[CachedFile, Path], None]:
        def attack(entry: CachedFile, outside: Path) -> None:
            which(entry).parent.mkdir(parents=True)
            if is_hard:
                os.link(outside / "precious", which(entry))
            else:
                which(entry).symlink_to(outside / "precious")

        return attack

    home = "models--acme--tiny-GGUF"
    return {
        "repository": folder(home),
        "blobs": folder(f"{home}/blobs"),
        "snapshots": folder(f"{home}/snapshots"),
        "commit": folder(home + "/snapshots/{commit}"),
        "refs": folder(f"{home}/refs"),
        "locks": folder(".locks"),
        "locks of the repository": folder(f".locks/{home}"),
        "part": file(lambda entry: entry.part),
        "part as a hard link": file(lambda entry: entry.part, is_hard=True),
        "lock": file(lambda entry: entry.lock),
    }


@pytest.mark.parametrize("attack", _attacks().values(), ids=_attacks().keys())
def test_links_that_lead_out_of_the_cache_are_refused(
    hub: FakeHub, tmp_path: Path, attack: Callable[[CachedFile, Path], None]
) -> None:
    outside, cache = tmp_path / "outside", tmp_path / "cache"
    outside.mkdir()
    cache.mkdir()
    (outside / "precious").write_bytes(b"precious")
    attack(_entry(hub, cache), outside)
    ended = fetch(job(hub, cache))
    assert ended.failed.kind == "permission", ended
    assert (outside / "precious").read_bytes() == b"precious"
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_links_in_place_of_files_are_replaced_not_followed(hub: FakeHub, tmp_path: Path) -> None:
    outside, cache = tmp_path / "outside", tmp_path / "cache"
    outside.write_bytes(b"precious")
    entry = _entry(hub, cache)
    ref = entry.folder / "refs" / "main"
    for path in (entry.blob, entry.snapshot, ref):
        path.parent.mkdir(parents=True)
        path.symlink_to(outside)
    assert fetch(job(hub, cache)).done.read_bytes() == _CONTENT
    assert outside.read_bytes() == b"precious"
    assert ref.read_text() == entry.commit
    assert not ref.is_symlink()


def test_a_cache_that_is_itself_a_link_is_fine(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "disk")
    assert fetch(job(hub, tmp_path / "cache")).done.read_bytes() == _CONTENT


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "a/../../x",
        "a//x",
        "./x",
        "a\\..\\x",
        "C:x",
        "x\0y",
        "x\ny",
        "",
        "a/",
        "x" * 250,
        "..",
    ],
)
def test_names_that_lead_astray_are_refused(hub: FakeHub, tmp_path: Path, name: str) -> None:
    wanted = msgspec.structs.replace(job(hub, tmp_path / "cache"), path=name)
    ended = fetch(wanted)
    assert ended.failed.kind == "lying"
    assert not list(tmp_path.iterdir())
    assert not hub.log


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("repo", "../../x"),
        ("repo", "a/b/c"),
        ("repo", "a/.."),
        ("repo", "a--b/c"),
        ("commit", "main"),
        ("commit", "../" + "a" * 37),
        ("sha256", "../x"),
    ],
)
def test_other_things_that_lead_astray_are_refused(tmp_path: Path, field: str, wrong: str) -> None:
    good = {"repo": "a/b", "commit": "a" * 40, "path": "x.gguf", "sha256": "b" * 64, field: wrong}
    with pytest.raises(DownloadError, match="cannot be stored safely"):
        CachedFile(tmp_path, good["repo"], good["commit"], good["path"], good["sha256"])


@pytest.mark.parametrize("branch", ["../x", "a/../../x", "/x", "", "a\0"])
def test_a_branch_that_leads_astray_is_refused(hub: FakeHub, tmp_path: Path, branch: str) -> None:
    ended = fetch(msgspec.structs.replace(job(hub, tmp_path / "cache"), branch=branch))
    assert ended.failed.kind == "lying"
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_odd_names_are_stored(hub: FakeHub, tmp_path: Path) -> None:
    names = ["tiny Q4 ü+%20&#.gguf", "深い/模型-Q8_0.gguf", "-rf.gguf"]
    hub.add(REPO, {name: name.encode() for name in names})
    for name in names:
        assert fetch(job(hub, tmp_path, name)).done.read_bytes() == name.encode()
