"""The models of the Hub cache: one for each content, with what is missing, unfinished or not where it should be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.errors import NotFoundError
from playground.models.disk.inventory_values import DiskState, Place
from playground.models.reference import locate, parse, resolve
from tests.support.homes import OLDER_COMMIT, Home, found, gguf_bytes, one, sha256, written


def test_one_blob_in_two_snapshots_is_one_model_by_the_newer_name(own_home: Home) -> None:
    content = gguf_bytes()
    own_home.cached("o/r", "m-Q4_K_M.gguf", content, commit=OLDER_COMMIT, main=False)
    link = own_home.cached("o/r", "m-Q4_K_M.gguf", content)
    assert one().path == str(link)


def test_an_older_revision_keeps_its_path_as_reference(own_home: Home) -> None:
    older = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1), commit=OLDER_COMMIT, main=False)
    newer = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=2))
    assert {m.ref: m.path for m in found()} == {"hf:o/r:Q8_0": str(newer), str(older): str(older)}
    assert resolve(parse("hf:o/r")).path == str(newer)


def test_a_reference_is_never_that_of_another_file_than_it_leads_to(own_home: Home) -> None:
    older = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1), commit=OLDER_COMMIT, main=False)
    broken = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=2)[:-9])
    assert {m.path: m.ref for m in found()} == {str(broken): "", str(older): str(older)}


def test_projectors_and_draft_heads_are_no_models(own_home: Home) -> None:
    own_home.cached("o/r", "mmproj-F16.gguf", gguf_bytes(mark=1))
    own_home.cached("o/r", "mtp-m.gguf", gguf_bytes(mark=2))
    own_home.cached("o/r", "hidden.gguf", gguf_bytes(arch="clip", mark=3))
    own_home.cached("o/r", "adapter.gguf", gguf_bytes(mark=4, general__type="adapter"))
    own_home.cached("o/r", "m-MTP-Q8_0.gguf", gguf_bytes("Whole", mark=5))
    assert [m.name for m in found()] == ["Whole"]


def test_a_split_model_is_one_and_says_what_is_missing(own_home: Home) -> None:
    for number in (1, 3):
        name = f"UD-Q3/m-0000{number}-of-00003.gguf"
        own_home.cached("o/r", name, gguf_bytes("Split", mark=number))
    model = one()
    assert model.state is DiskState.PART_MISSING
    assert model.problem == "Part 2 of 3, m-00002-of-00003.gguf, is missing."
    assert len(model.files) == 2
    assert not model.ref
    own_home.cached("o/r", "UD-Q3/m-00002-of-00003.gguf", gguf_bytes(mark=2))
    whole = one()
    assert whole.state is DiskState.READY
    assert whole.size_bytes == 3 * len(gguf_bytes("Split"))
    assert whole.params == 3 * 64


@pytest.mark.parametrize("end", ["incomplete", "0a1b2c3d.incomplete", "downloadInProgress"])
def test_an_unfinished_download_shows_how_far_it_came(own_home: Home, end: str) -> None:
    content = gguf_bytes("Coming", mark=7)
    path = own_home.repository("o/coming") / "blobs" / f"{sha256(content)}.{end}"
    written(path, content[: len(content) - 128])
    model = one()
    assert (model.state, model.place, model.name, model.repo) == (
        *(DiskState.PARTIAL, Place.HUB),
        *("Coming", "o/coming"),
    )
    assert model.fraction == pytest.approx((len(content) - 128) / len(content))
    assert "did not end" in model.problem
    written(path, content[:40])
    assert (one().name, one().fraction) == ("coming", None)
    written(path, b"\x00" * 64)
    assert not found()  # the beginning of something else


def test_a_cache_without_links_is_read_too(own_home: Home) -> None:
    path = own_home.repository("o/r") / "snapshots" / OLDER_COMMIT / "m-Q4_0.gguf"
    written(path, gguf_bytes())
    assert one().ref == "hf:o/r:Q4_0"


def test_links_out_of_the_cache_and_to_nothing_are_told_apart(own_home: Home) -> None:
    outside = written(own_home.root / "elsewhere" / "x", gguf_bytes("Outside"))
    snapshot = own_home.repository("o/r") / "snapshots" / OLDER_COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "out-Q8_0.gguf").symlink_to(outside)
    (snapshot / "passwords-Q4_0.gguf").symlink_to("/etc/passwd")
    (snapshot / "nothing-Q2_K.gguf").symlink_to("../../blobs/none")
    states = {Path(m.path).stem: (m.state, m.problem) for m in found()}
    assert states["out-Q8_0"] == (DiskState.READY, "")
    assert states["passwords-Q4_0"][0] is DiskState.BROKEN
    assert states["nothing-Q2_K"] == (DiskState.BROKEN, "It is a link to a file that is not there.")


def test_a_cache_of_llama_cpp_may_be_laid_out_as_the_hub_s(
    own_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes())
    other = own_home.root / "other"
    shutil.copytree(own_home.hub, other, symlinks=True)
    shutil.rmtree(own_home.hub)
    monkeypatch.setenv("LLAMA_CACHE", str(other))
    model = one()
    assert (model.place, model.repo) == (Place.LLAMA_CPP, "o/r")
    assert model.ref == model.path == str(other / link.relative_to(own_home.hub))


def test_a_name_without_its_prefix_is_told_how_to_be_written(own_home: Home) -> None:
    assert own_home
    for text, words in {
        "o/r:Q8_0": "write hf:o/r:Q8_0",
        "o/r": "write hf:o/r",
        "a b": "Write starter",
    }.items():
        with pytest.raises(NotFoundError) as caught:
            locate(parse(text))
        assert words in caught.value.hint
