"""The sha256 of files: read once, remembered while they stay as they are, and what it should be by their names."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from playground.errors import ModelError, NotFoundError
from playground.models.disk import checksum
from tests.support.homes import Home, gguf_bytes, sha256, written


def _read(path: Path, *, again: bool = False) -> tuple[str, int]:
    """Return a file's sha256 and how often it was told of progress."""
    told: list[int] = []
    found = checksum.file_sha256(path, told.append, again=again)
    assert told == sorted(told)
    return found, len(told)


def test_a_file_is_read_once_and_again_when_it_changed_or_is_asked_for(own_home: Home) -> None:
    content = os.urandom(5 << 19)
    path = written(own_home.root / "m.gguf", content)
    assert _read(path) == (sha256(content), 3)
    assert _read(path) == (sha256(content), 0)
    assert _read(path, again=True) == (sha256(content), 3)
    written(path, content[:-1])
    assert _read(path) == (sha256(content[:-1]), 3)
    written(path, content[:-2] + b"!")
    os.utime(path, ns=(1, 1))
    assert _read(path) == (sha256(content[:-2] + b"!"), 3)


def test_a_cancel_ends_it_and_nothing_is_remembered(own_home: Home) -> None:
    path = written(own_home.root / "m.gguf", os.urandom(3 << 20))
    cancel = threading.Event()
    with pytest.raises(checksum.HashingStoppedError):
        checksum.file_sha256(path, lambda _done: cancel.set(), cancel=cancel)
    assert _read(path)[1] == 3


def test_a_file_that_changes_meanwhile_is_told(own_home: Home) -> None:
    path = written(own_home.root / "m.gguf", bytes(3 << 20))
    with pytest.raises(ModelError, match="changed while"):
        checksum.file_sha256(path, lambda _done: os.truncate(path, 2 << 20))


def test_what_is_no_file_is_told(own_home: Home) -> None:
    os.mkfifo(own_home.root / "pipe")
    with pytest.raises(NotFoundError):
        checksum.file_sha256(own_home.root / "none")
    for name in (".", "pipe", "a\0b"):
        with pytest.raises(ModelError) as caught:
            checksum.file_sha256(own_home.root / name)
        assert caught.value.message.endswith(".")


def test_blobs_are_named_by_what_they_should_be(own_home: Home) -> None:
    content = gguf_bytes()
    link = own_home.cached("o/r", "deep/er/m.gguf", content)
    assert checksum.expected_sha256(link) == sha256(content)
    assert checksum.expected_sha256(link.resolve()) == sha256(content)
    assert checksum.expected_sha256(own_home.in_ollama("m:1", content)) == sha256(content)
    plain = written(own_home.root / "blobs" / ("a" * 64), content)
    assert checksum.expected_sha256(plain) == ""
    elsewhere = link.with_name("elsewhere.gguf")
    elsewhere.symlink_to(plain)
    assert checksum.expected_sha256(elsewhere) == ""


def test_a_blob_in_the_store_that_repositories_share_keeps_its_own_name(own_home: Home) -> None:
    """The store names its files by another hash of the same length."""
    content = gguf_bytes()
    link = own_home.cached("o/r", "m.gguf", content)
    blob = link.resolve()
    shared = own_home.hub / "blobs" / "ab" / ("ab" * 32)
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(f"../../blobs/ab/{shared.name}")
    assert checksum.expected_sha256(link) == sha256(content)
    assert checksum.expected_sha256(shared) == ""
