"""Files of repositories as they really look, grouped into what can be fetched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import NotFoundError
from playground.models.hub.grouping import chosen, default_quant, group_files, is_safe, problems
from playground.models.hub.repository import HubFile, Quant, Repository


def _files(*names: str) -> list[HubFile]:
    return [HubFile(name, 1000 + number) for number, name in enumerate(names)]


def _repository(*names: str) -> Repository:
    return Repository("acme/m", "a" * 40, quants=group_files(_files(*names)))


def test_parts_of_a_split_model_are_one_in_their_order() -> None:
    names = [f"Q4_K_M/m-Q4_K_M-0000{number}-of-00003.gguf" for number in (2, 3, 1)]
    (quant,) = group_files(_files(*names))
    assert quant.name == "Q4_K_M"
    assert [file.path for file in quant.files] == sorted(names)
    assert quant.size_bytes == 3003


def test_a_split_with_a_part_missing_is_left_out_and_named() -> None:
    files = _files(
        "m-Q8_0-00001-of-00002.gguf", "m-Q4_0.gguf", "x-00000-of-00000.gguf", "y-00001-of-99999.gguf"
    )
    assert [quant.name for quant in group_files(files)] == ["Q4_0"]
    assert len(problems(files)) == 3
    assert "1 of its 2 parts" in problems(files)[0]


def test_a_name_of_several_models_is_told() -> None:
    files = [HubFile("m-4B-Q8_0.gguf", 4), HubFile("m-9B-Q8_0.gguf", 9), HubFile("mmproj-Q8_0.gguf", 1)]
    (sentence,) = problems(files)
    assert sentence.startswith("Q8_0 names 2 models")
    assert chosen(Repository("acme/m", "a" * 40, quants=group_files(files)), "Q8_0").size_bytes == 9


def test_an_empty_file_is_left_out_and_named() -> None:
    files = [HubFile("m-Q4_0.gguf", 0)]
    assert group_files(files) == ()
    assert "empty" in problems(files)[0]


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("Qwen3.6-27B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL", "model"),
        ("Qwen3.6-27B-MTP-Q4_K_M.gguf", "Q4_K_M", "model"),
        ("model.Q5_K_S.gguf", "Q5_K_S", "model"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4", "model"),
        ("BF16/m-BF16-00001-of-00001.gguf", "BF16", "model"),
        ("UD-IQ1_M/weights.gguf", "UD-IQ1_M", "model"),
        ("mmproj-F16.gguf", "F16", "mmproj"),
        ("m.mmproj-Q8_0.gguf", "Q8_0", "mmproj"),
        ("MTP/mtp-Qwen3.8-27B-Q4_0.gguf", "Q4_0", "mtp"),
        ("mtp-m-Q8_0.gguf", "Q8_0", "mtp"),
        ("imatrix_unsloth.gguf", "unknown", "other"),
        ("eagle3-m-F16.gguf", "F16", "other"),
        ("M-Q4_0.GGUF", "Q4_0", "model"),
    ],
)
def test_each_file_is_known_by_its_name(path: str, name: str, kind: str) -> None:
    (quant,) = group_files(_files(path))
    assert (quant.name, quant.kind) == (name, kind)


def test_what_is_no_gguf_is_no_quantization() -> None:
    assert group_files(_files("README.md", "model.safetensors", "imatrix.dat", "a.gguf.txt")) == ()


def test_the_largest_comes_first() -> None:
    files = [HubFile("a-Q4_0.gguf", 4), HubFile("b-Q8_0.gguf", 8), HubFile("c-Q2_K.gguf", 2)]
    assert [quant.name for quant in group_files(files)] == ["Q8_0", "Q4_0", "Q2_K"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("m-Q8_0.gguf", "m-Q4_K_M.gguf"), "Q4_K_M"),
        (("m-Q8_0.gguf", "m-UD-Q4_K_M.gguf"), "UD-Q4_K_M"),
        (("m-BF16.gguf", "m-Q8_0.gguf"), "Q8_0"),
        (("m-Q2_K.gguf", "m-Q6_K.gguf"), "Q6_K"),
        (("mmproj-Q4_K_M.gguf", "m-Q6_K.gguf"), "Q6_K"),
    ],
)
def test_what_is_fetched_when_nothing_is_named(names: tuple[str, ...], expected: str) -> None:
    found = default_quant(group_files(_files(*names)))
    assert found is not None
    assert found.name == expected
    assert chosen(_repository(*names)) == found


def test_there_is_no_default_without_a_model() -> None:
    assert default_quant(()) is None
    assert default_quant([Quant("F16", (HubFile("mmproj-F16.gguf", 1),), "mmproj")]) is None


def test_a_quantization_is_chosen_by_name() -> None:
    repository = _repository("m-Q8_0.gguf", "m-Q4_K_M.gguf")
    assert chosen(repository, "q8_0").name == "Q8_0"
    with pytest.raises(NotFoundError) as caught:
        chosen(repository, "Q2_K")
    assert "Q8_0" in caught.value.hint
    with pytest.raises(NotFoundError, match="no GGUF"):
        chosen(_repository("README.md"))


@given(st.text(max_size=60))
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    if is_safe(name):
        steps = name.split("/")
        assert not {"", ".", ".."} & set(steps)
        assert "\\" not in name
        assert ":" not in name
        assert name.isprintable()


@pytest.mark.parametrize(
    "name", ["a/b.gguf", "Größe-Q4_0.gguf", "a b/c #1 (x)+[y].gguf", "日本.gguf", ".hidden/x.gguf"]
)
def test_usual_names_are_safe(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize(
    "name", ["", "..", "a/..", "/a", "a/", "a//b", "C:/a", "a\x00", "a\n", " /a", "x" * 300, "\ud800"]
)
def test_other_names_are_not(name: str) -> None:
    assert not is_safe(name)
