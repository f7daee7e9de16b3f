"""Names and addresses of models as people write and copy them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UsageError
from playground.models.hub.hub_reference import HubReference, is_repo, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme/m-GGUF", HubReference("acme/m-GGUF")),
        ("hf:acme/m.1-GGUF:UD-Q4_K_XL", HubReference("acme/m.1-GGUF", "UD-Q4_K_XL")),
        ("acme/m:Q8_0", HubReference("acme/m", "Q8_0")),
        ("https://huggingface.co/acme/m", HubReference("acme/m")),
        ("https://huggingface.co/acme/m/?library=x#top", HubReference("acme/m")),
        ("http://www.huggingface.co/acme/m/", HubReference("acme/m")),
        ("hf.co/acme/m:Q4_K_M", HubReference("acme/m", "Q4_K_M")),
        ("huggingface.co/acme/m", HubReference("acme/m")),
        ("https://hf.co/acme/m/tree/v1.0", HubReference("acme/m", "", "v1.0")),
        ("https://hf.co/acme/m/tree/refs%2Fpr%2F1", HubReference("acme/m", "", "refs/pr/1")),
        ("https://hf.co/acme/m/discussions/3", HubReference("acme/m")),
        ("https://hf.co/acme/m/blob/main/a/m-Q6_K.gguf", HubReference("acme/m", "Q6_K", "main")),
        ("https://hf.co/acme/m/resolve/main/m.gguf?download=true", HubReference("acme/m", "", "main")),
        ("https://mirror.example/acme/m", HubReference("acme/m")),
    ],
)
def test_what_a_reference_names(text: str, expected: HubReference) -> None:
    assert parse(text, "mirror.example") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "a/b/c",
        "acme/..",
        "../m",
        "acme/m:Q4 0",
        "https://example.org/acme/m",
        "https://huggingface.co.evil.org/acme/m",
        "https://huggingface.co@evil.org/acme/m",
        "https://huggingface.co/datasets/acme/m",
        "https://huggingface.co/acme",
        "https://hf.co/acme/%2e%2e",
        "https://hf.co/acme/m/tree/..%2F..",
        "https://[",
        "file:///acme/m",
    ],
)
def test_what_names_nothing_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, "mirror.example")


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    try:
        assert is_repo(parse(text).repo)
    except UsageError as error:
        assert error.message.isprintable()


@pytest.mark.parametrize(
    "name", ["a/b\n", "a/b/", "a--b/c", "a/.b", "a/b..c", "é/b", "a/" + "b" * 200, "-a/b"]
)
def test_what_the_hub_itself_refuses_is_no_repository(name: str) -> None:
    assert not is_repo(name)
