"""The folders that the user added: kept, taken off, refused in words, and a damaged list set aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground import config
from playground.errors import ModelError
from playground.models.disk import folders, inventory
from tests.support.homes import Home, written


def _list() -> Path:
    return config.folders().config / "folders.json"


@pytest.mark.parametrize("name", ["models", "mit Leerzeichen ü", "a\nb", os.fsdecode(b"\xff")])
def test_a_folder_is_kept_once_until_it_is_taken_off(own_home: Home, name: str) -> None:
    folder = own_home.root / name
    folder.mkdir()
    other = own_home.root / "other"
    other.mkdir()
    assert folders.add(folder) == folder
    folders.add(other)
    folders.add(folder / ".." / name)
    assert folders.added() == folders.AddedFolders((folder, other))
    folders.remove(folder)
    folders.remove(folder)
    assert folders.added().paths == (other,)
    assert folder.is_dir()


def test_a_folder_below_the_home_may_be_written_short(own_home: Home) -> None:
    (own_home.root / "models").mkdir()
    assert folders.add(Path("~/models")) == own_home.root / "models"


@pytest.mark.parametrize(
    ("name", "words"),
    [("none", "There is no folder"), ("file", "is not a folder"), ("a\0b", "cannot be read")],
)
def test_what_is_no_readable_folder_is_refused(own_home: Home, name: str, words: str) -> None:
    written(own_home.root / "file", b"")
    with pytest.raises(ModelError, match=words) as caught:
        folders.add(own_home.root / name)
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    assert not _list().exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"folders": 3}', b"\xff" * 9, b"[" * 99_999])
def test_a_damaged_list_is_set_aside_and_told(own_home: Home, content: bytes) -> None:
    written(_list(), content)
    [note] = inventory.scan().notes
    assert "damaged" in note
    assert _list().with_name("folders.json.damaged").read_bytes() == content
    assert folders.added() == folders.AddedFolders()
    folders.add(own_home.root)
    assert folders.added().paths == (own_home.root,)


@pytest.mark.usefixtures("own_home")
def test_lines_that_are_no_paths_are_left_out() -> None:
    written(_list(), b'{"folders": [3, null, "relative", "/a\\u0000b", "/good"]}')
    assert folders.added().paths == (Path("/good"),)
    assert inventory.scan().notes == ("/good was added and is not there.",)


def test_a_list_that_cannot_be_written_is_told(own_home: Home) -> None:
    written(own_home.root / "playground" / "config", b"a file where the folder should be")
    with pytest.raises(ModelError, match="cannot be written"):
        folders.add(own_home.root)
