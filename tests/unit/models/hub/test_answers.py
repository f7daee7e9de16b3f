"""Answers of any shape become values or a HubError: nothing that the Hub says is taken on trust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import HubError, HubErrorKind
from playground.models.hub.hub_answers import found_models, repository_of, tree_files
from playground.models.hub.repository import HubFile

_COMMIT = "a" * 40
_PAGE = "https://huggingface.co/acme/m"
_KEYS = st.sampled_from(
    [
        "id",
        "sha",
        "gated",
        "tags",
        "gguf",
        "cardData",
        "total",
        "downloads",
        "license",
        "path",
        "size",
        "lfs",
        "oid",
        "type",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("acme/m"),
    lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner),
    max_leaves=20,
)


@given(_JSON)
def test_any_answer_is_a_value_or_a_hub_error(answer: object) -> None:
    for read in (
        lambda: found_models(answer),
        lambda: tree_files(answer, "acme/m"),
        lambda: repository_of(answer, "acme/m", "main", (), _PAGE),
    ):
        try:
            assert read() is not None
        except HubError as error:
            assert error.kind is HubErrorKind.BAD_ANSWER


def test_strange_types_are_left_empty() -> None:
    strange = {
        "id": "acme/m",
        "downloads": 10**30,
        "likes": True,
        "gguf": {"total": -1, "architecture": ["x"]},
    }
    (found,) = found_models([strange, "no row", {"id": 7}])
    assert (found.downloads, found.likes, found.params, found.arch) == (0, 0, 0, "")


def test_texts_are_one_printable_line() -> None:
    (found,) = found_models([{"id": "acme/m", "gguf": {"architecture": "a\n\x1b[2J" + "b" * 9000}}])
    assert found.arch.isprintable()
    assert len(found.arch) <= 200


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "file", "path": "a.gguf"},
        {"type": "file", "path": "a.gguf", "size": -1},
        {"type": "file", "path": "a.gguf", "size": 1.5},
        {"type": "file", "path": "a.gguf", "size": 1, "lfs": {"size": 10**40}},
        {"type": "file", "path": 7, "size": 1},
        "a.gguf",
    ],
)
def test_a_file_without_a_name_or_a_size_is_a_wrong_answer(entry: object) -> None:
    with pytest.raises(HubError, match="no name or no size"):
        tree_files([entry], "acme/m")


def test_what_is_no_sha256_is_none() -> None:
    lfs = {"oid": "../" + "0" * 61, "size": 5}
    assert tree_files([{"type": "file", "path": "a", "size": 1, "lfs": lfs}], "x") == [HubFile("a", 5, "")]


@pytest.mark.parametrize(
    ("card", "licence", "url"),
    [
        ({"license": "mit"}, "mit", ""),
        (
            {"license": "other", "license_name": "own", "license_link": "https://x.org/l"},
            "own",
            "https://x.org/l",
        ),
        ({"license": ["mit", "bsd"], "license_link": "LICENSE"}, "mit, bsd", f"{_PAGE}/blob/main/LICENSE"),
        ({"license": "mit", "license_link": "javascript:alert(1)"}, "mit", ""),
        ({"license": "mit", "license_link": "../../x"}, "mit", ""),
        ({"license": "mit", "license_link": "http://["}, "mit", ""),
        ({}, "gemma", ""),
    ],
)
def test_a_licence_and_where_to_read_it(card: object, licence: str, url: str) -> None:
    answer = {"sha": _COMMIT, "cardData": card, "tags": ["license:gemma"]}
    found = repository_of(answer, "acme/m", "main", (), _PAGE)
    assert (found.licence, found.licence_url) == (licence, url)


def test_what_it_was_made_from() -> None:
    tags = ["base_model:acme/base", "base_model:quantized:acme/base", "base_model:../x"]
    assert repository_of({"sha": _COMMIT, "tags": tags}, "a/b", "main", (), _PAGE).base_models == (
        "acme/base",
    )
    card = {"base_model": ["acme/one", "not a name", 3]}
    answer = {"sha": _COMMIT, "tags": tags, "cardData": card}
    assert repository_of(answer, "a/b", "main", (), _PAGE).base_models == ("acme/one",)
