"""Deleting models: what may go goes with all its names and parts, nothing else does, and the bytes are counted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from playground.errors import ModelError
from playground.models.disk import folders
from playground.models.disk.inventory_values import DiskModel, DiskState, Place
from playground.models.disk.removal import expected_freed_bytes, remove
from tests.support.homes import COMMIT, OLDER_COMMIT, Home, found, gguf_bytes, sha256, written

_ROOT = Path(__file__).parents[3]
_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if _IS_ROOT else []


def _left(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    }


def _removed(models: list[DiskModel]) -> int:
    """Delete, and check that what was foretold was freed."""
    expected = expected_freed_bytes(models)
    freed = remove(models)
    assert freed == expected
    return freed


# -- the Hub cache


def test_one_quantization_goes_with_its_blob_and_the_others_stay(own_home: Home) -> None:
    content = gguf_bytes(mark=1)
    own_home.cached("o/r", "m-Q8_0.gguf", content)
    other = own_home.cached("o/r", "m-Q2_K.gguf", gguf_bytes(mark=2))
    assert _removed(found(ref="hf:o/r:Q8_0")) == len(content)
    assert [m.path for m in found()] == [str(other)]
    assert not (own_home.repository("o/r") / "blobs" / sha256(content)).exists()


def test_all_revisions_of_a_file_go(own_home: Home) -> None:
    content = gguf_bytes()
    own_home.cached("o/r", "m-Q8_0.gguf", content, commit=OLDER_COMMIT, main=False)
    own_home.cached("o/r", "m-Q8_0.gguf", content)
    own_home.cached("o/r", "README.md", b"words")
    assert _removed(found()) == len(content)
    assert not found()
    assert any(name.endswith("README.md") for name in _left(own_home.hub))


def test_the_last_model_takes_its_repository_along(own_home: Home) -> None:
    for number in (1, 2):
        own_home.cached("o/r", f"m-0000{number}-of-00002.gguf", gguf_bytes(mark=number))
    assert _removed(found()) == 2 * len(gguf_bytes())
    assert not own_home.repository("o/r").exists()


def test_a_repository_of_the_same_commit_stays(own_home: Home) -> None:
    """A copied repository has it; the Hub's own library takes a commit for one of either."""
    for mark, repo in enumerate("abcdef"):
        own_home.cached(f"o/{repo}", "m-Q8_0.gguf", gguf_bytes(repo, mark=mark))
    _removed(found(repo="o/c"))
    assert [m.repo for m in found()] == [f"o/{repo}" for repo in "abdef"]
    assert not own_home.repository("o/c").exists()


def test_a_download_that_goes_on_beside_it_keeps_the_repository(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1))
    going = written(own_home.repository("o/r") / "blobs" / f"{'c' * 64}.incomplete", gguf_bytes(mark=2)[:-50])
    _removed(found(state=DiskState.READY))
    [partial] = found()
    assert (partial.path, partial.state) == (str(going), DiskState.PARTIAL)
    assert _removed([partial]) == len(gguf_bytes()) - 50
    assert not going.exists()


def test_content_that_repositories_share_is_freed_with_the_last_of_them(own_home: Home) -> None:
    from huggingface_hub.utils._shared_blobs import publish_blob_to_shared_store

    content = gguf_bytes()
    for repo in ("o/first", "o/second"):
        blob = own_home.cached(repo, "m-Q8_0.gguf", content).resolve()
        assert publish_blob_to_shared_store(
            blob_path=str(blob),
            xet_hash="ab" * 32,
            cache_dir=own_home.hub,
            expected_size=len(content),
        )
        assert blob.is_symlink()
    [first] = found()
    assert _removed([first]) == 0
    [second] = found()
    assert {first.repo, second.repo} == {"o/first", "o/second"}
    assert _removed([second]) == len(content)
    assert not any(name.endswith("ab" * 32) for name in _left(own_home.hub))


def test_a_repository_with_a_link_to_nothing_is_emptied_too(own_home: Home) -> None:
    content = gguf_bytes(mark=1)
    own_home.cached("o/r", "m-Q8_0.gguf", content, commit=OLDER_COMMIT, main=False)
    own_home.cached("o/r", "m-Q8_0.gguf", content)
    other = own_home.cached("o/r", "m-Q2_K.gguf", gguf_bytes(mark=2))
    dangling = own_home.repository("o/r") / "snapshots" / COMMIT / "gone-Q4_0.gguf"
    dangling.symlink_to(f"../../blobs/{'d' * 64}")
    assert _removed(found(ref="hf:o/r:Q8_0")) == len(content)
    assert _removed(found(state=DiskState.BROKEN)) == 0
    assert not os.path.lexists(dangling)
    assert [m.path for m in found()] == [str(other)]
    assert not any("m-Q8_0" in name or sha256(content) in name for name in _left(own_home.hub))


def test_a_link_out_of_the_cache_goes_and_what_it_points_to_stays(own_home: Home) -> None:
    """The Hub's own library would delete the file."""
    outside = written(own_home.root / "elsewhere" / "m.gguf", gguf_bytes())
    link = own_home.repository("o/r") / "snapshots" / COMMIT / "m-Q8_0.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    assert _removed(found()) == 0
    assert not os.path.lexists(link)
    assert outside.read_bytes() == gguf_bytes()


@pytest.mark.parametrize("moved", ["", "blobs", "snapshots"])
def test_a_repository_that_was_moved_out_behind_a_link_is_refused(own_home: Home, moved: str) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes())
    folder = own_home.repository("o/r") / moved
    elsewhere = own_home.root / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    [model] = found()
    before = _left(own_home.root)
    with pytest.raises(ModelError, match=r"outside|not lie"):
        remove([model])
    assert _left(own_home.root) == before


def test_a_cache_without_links_is_emptied(own_home: Home) -> None:
    path = written(own_home.repository("o/r") / "snapshots" / COMMIT / "m-Q8_0.gguf", gguf_bytes())
    other = written(path.with_name("m-Q2_K.gguf"), gguf_bytes(mark=2))
    assert _removed(found(path=str(path))) == len(gguf_bytes())
    assert [m.path for m in found()] == [str(other)]


def test_a_cache_behind_a_link_is_the_cache(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes())
    elsewhere = own_home.root / "elsewhere"
    own_home.hub.rename(elsewhere)
    own_home.hub.symlink_to(elsewhere)
    assert _removed(found()) == len(gguf_bytes())
    assert not found()


# -- the app's own and added folders


def test_all_parts_of_a_model_in_an_added_folder_go(own_home: Home) -> None:
    mine = own_home.root / "mine"
    for number in (1, 2, 4):
        written(mine / "a" / f"m-0000{number}-of-00004.gguf", gguf_bytes(mark=number))
    written(mine / "a" / "notes.txt", b"mine")
    folders.add(mine)
    assert _removed(found(state=DiskState.PART_MISSING)) == 3 * len(gguf_bytes())
    assert _left(mine) == {"a/notes.txt"}


def test_the_app_s_own_copies_go(own_home: Home) -> None:
    written(own_home.app / "copy.gguf", gguf_bytes())
    assert _removed(found(place=Place.APP)) == len(gguf_bytes())
    assert not _left(own_home.app)


def test_an_added_folder_may_be_a_hub_cache(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1))
    other = own_home.cached("o/r", "m-Q2_K.gguf", gguf_bytes(mark=2))
    mine = own_home.root / "second disk"
    own_home.hub.rename(mine)
    folders.add(mine)
    first, second = sorted(found(), key=lambda model: model.path, reverse=True)
    assert (first.place, first.repo, first.ref) == (Place.FOLDER, "o/r", first.path)
    assert _removed([first]) == len(gguf_bytes())
    assert [m.path for m in found()] == [second.path]
    assert second.path.endswith(other.name)


def test_of_a_link_only_the_link_goes_and_a_second_name_frees_nothing(own_home: Home) -> None:
    mine = own_home.root / "mine"
    mine.mkdir()
    outside = written(own_home.root / "elsewhere" / "m.gguf", gguf_bytes(mark=1))
    (mine / "link.gguf").symlink_to(outside)
    twice = written(own_home.root / "elsewhere" / "twice.gguf", gguf_bytes(mark=2))
    (mine / "second.gguf").hardlink_to(twice)
    folders.add(mine)
    assert _removed(found()) == 0
    assert not _left(mine)
    assert outside.exists()
    assert twice.exists()


def test_what_lies_behind_a_linked_folder_is_refused(own_home: Home) -> None:
    mine = own_home.root / "mine"
    mine.mkdir()
    outside = written(own_home.root / "elsewhere" / "m.gguf", gguf_bytes())
    (mine / "behind").symlink_to(outside.parent)
    folders.add(mine)
    with pytest.raises(ModelError, match="does not lie in an added folder"):
        remove(found())
    assert outside.exists()


# -- what never goes


def test_files_of_other_programs_are_refused_by_name(own_home: Home) -> None:
    written(own_home.lm_studio / "p" / "r" / "lm.gguf", gguf_bytes("In LM Studio", mark=1))
    written(own_home.jan / "models" / "j" / "j.gguf", gguf_bytes(mark=2))
    written(own_home.gpt4all / "g.gguf", gguf_bytes(mark=3))
    written(own_home.llama_cpp / "l.gguf", gguf_bytes(mark=4))
    own_home.in_ollama("o:1b", gguf_bytes(mark=5))
    folders.add(own_home.root)  # does not make them the user's
    models = found()
    assert len(models) == 5
    before = _left(own_home.root)
    for model in models:
        with pytest.raises(ModelError, match="belongs to") as caught:
            remove([model])
        assert caught.value.hint.startswith("Delete it in ")
        as_mine = msgspec.structs.replace(model, place=Place.FOLDER)  # a list that is wrong
        with pytest.raises(ModelError, match="belongs to"):
            remove([as_mine])
    assert _left(own_home.root) == before


def test_a_wrong_list_deletes_nothing_elsewhere(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes())
    [model] = found()
    precious = written(own_home.root / "precious.txt", b"words")
    for path in (precious, own_home.hub / ".." / ".." / ".." / "precious.txt"):
        for place in (Place.HUB, Place.APP, Place.FOLDER):
            wrong = msgspec.structs.replace(model, place=place, path=str(path), files=(str(path),))
            with pytest.raises(ModelError, match="does not lie in"):
                remove([wrong])
    assert precious.exists()


def test_nothing_goes_when_one_of_several_may_not(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes("Mine", mark=1))
    written(own_home.gpt4all / "g.gguf", gguf_bytes(mark=2))
    with pytest.raises(ModelError, match="belongs to GPT4All"):
        remove(found())
    assert len(found()) == 2


def test_a_model_in_use_is_refused_by_whatever_path_it_is_used(own_home: Home) -> None:
    link = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes("Busy"))
    for used in (link, link.resolve()):
        with pytest.raises(ModelError, match="Busy is loaded"):
            remove(found(), in_use={str(used)})
    assert remove(found(), in_use={"/other.gguf"}) == len(gguf_bytes())


def _remove_as_anybody(home: Home, place: str) -> subprocess.CompletedProcess[str]:
    """Delete all models of a place in a process that may be refused, as root may not."""
    code = (
        "from playground.errors import ModelError; from playground.models.disk import inventory, removal\n"
        f"models = [m for m in inventory.scan().models if m.place == {place!r}]\n"
        "assert models\n"
        "try: print(removal.remove(models))\n"
        "except ModelError as error: print(error.sentence())"
    )
    return subprocess.run(
        [*_AS_ANYBODY, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env={**os.environ, **home.environment()},
        timeout=60,
        check=False,
    )


_REFUSED = pytest.mark.skipif(
    os.name != "posix" or (_IS_ROOT and not shutil.which("setpriv")), reason="no way to be refused"
)


@_REFUSED
def test_another_repository_that_may_not_be_read_hinders_nothing(own_home: Home) -> None:
    own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1))
    own_home.cached("o/closed", "m-Q8_0.gguf", gguf_bytes(mark=2))
    closed = own_home.repository("o/closed") / "snapshots"
    closed.chmod(0)
    try:
        done = _remove_as_anybody(own_home, "hub")
    finally:
        closed.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(len(gguf_bytes()))
    assert [m.repo for m in found()] == ["o/closed"]


@_REFUSED
@pytest.mark.parametrize("where", ["hub", "mine"])
def test_a_folder_that_refuses_is_told_in_a_sentence(own_home: Home, where: str) -> None:
    link = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes("Fixed", mark=1))
    mine = written(own_home.root / "mine" / "m.gguf", gguf_bytes("Fixed", mark=2)).parent
    folders.add(mine)
    closed = {"hub": [link.parent, link.resolve().parent], "mine": [mine]}[where]
    for folder in closed:
        folder.chmod(0o500)
    place = {"hub": "hub", "mine": "folder"}[where]
    try:
        done = _remove_as_anybody(own_home, place)
    finally:
        for folder in closed:
            folder.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "Permission denied. Check the permissions" in done.stdout
    assert len(found()) == 2
