"""Figures and names of the Library, without a widget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import HubErrorKind, ModelError
from playground.models.hub.repository import Query
from playground.ui.library import search_words, words
from playground.ui.library.trouble import trouble_of
from tests.support import library_models as made
from tests.support.scripted_library import hub_error


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (words.tenths(15_740_000_000), "15.7"),
        (words.rough(312_400_000_000), "312 GB"),
        (words.rough(99_400_000_000), "99.4 GB"),
        (words.of_size(9_040_000_000, 14_400_000_000), "9.04 of 14.40 GB"),
        (words.of_size(3_000_000, 300_000_000), "3 of 300 MB"),
        (words.params(27_000_000_000), "27B"),
        (words.params(3_600_000_000), "3.6B"),
        (words.params(4_000_000_000), "4B"),
        (words.params(999_885_952), "1B"),
        (words.params(268_000_000), "268M"),
        (words.params(0), ""),
        (words.count(4_120_000), "4.1M"),
        (words.count(880_400), "880k"),
        (words.count(12), "12"),
        (words.duration(58.2), "58 s"),
        (words.duration(114), "1 min 54 s"),
        (words.duration(7500), "2 h 5 min"),
        (words.duration(3 * 86_400), "3 days"),
        (words.about(20), "less than a minute"),
        (words.about(355), "about 6 min"),
        (words.about(7 * 3600), "about 7 h"),
        (words.speed(48_230_000), "48.2 MB/s"),
        (words.speed(640_000), "640 kB/s"),
        (words.speed(0), "0 B/s"),
        (words.context(262_144), "256k"),
        (words.plural(1, "model"), "1 model"),
        (words.plural(14, "model"), "14 models"),
        (words.short_name("unsloth/Qwen3.6-27B-GGUF"), "Qwen3.6-27B"),
        (words.licence("MIT"), ("MIT", "use, change and sell freely")),
        (words.licence("apple-amlr"), ("apple-amlr", "")),
    ],
)
def test_figures_read_as_a_person_writes_them(got: object, wanted: object) -> None:
    assert got == wanted


@given(st.integers(min_value=0, max_value=4_000_000))
def test_contexts_rise_to_the_models_own(most: int) -> None:
    steps = words.contexts_up_to(most)
    assert list(steps) == sorted(set(steps))
    assert steps[-1] == (most or words.CONTEXTS[4])


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("https://huggingface.co/unsloth/Qwen3.6-27B-GGUF/tree/main", "unsloth/Qwen3.6-27B-GGUF"),
        ("huggingface.co/unsloth/Qwen3.6-27B-GGUF?x=1", "unsloth/Qwen3.6-27B-GGUF"),
        ("  hf:unsloth/Qwen3.6-27B-GGUF:Q4_K_M ", "unsloth/Qwen3.6-27B-GGUF"),
        ("qwen coder", ""),
        ("https://example.org/unsloth/Qwen", ""),
        ("unsloth/Qwen3.6", ""),
    ],
)
def test_addresses_are_told_from_words(text: str, repository: str) -> None:
    assert search_words.address(text) == repository


def test_an_author_is_taken_out_of_the_words() -> None:
    query = search_words.with_text(Query(sort="likes"), " coder  author:unsloth 30B ")
    assert (query.words, query.author, query.sort) == ("coder 30B", "unsloth", "likes")


@pytest.mark.parametrize(
    ("params", "free", "words_"), [(8, 22.4, "Likely fits"), (35, 22.4, "Likely tight"), (120, 22.4, "Likely too big"), (0, 22.4, ""), (8, 0, "")]
)  # fmt: skip
def test_what_is_only_likely_says_so(params: int, free: float, words_: str) -> None:
    found = made.many(params + 1)[params]
    assert search_words.likely(found, made.bytes_of(free)).pill == (words_, "plain")


def test_every_kind_of_trouble_has_a_title_and_a_next_step() -> None:
    titles = set()
    for kind in HubErrorKind:
        trouble = trouble_of(hub_error(kind, "https://huggingface.co/a/b"))
        titles.add(trouble.title)
        assert trouble.text == "The Hub cannot be reached. Check the connection."
        assert bool(trouble.url) == (kind is HubErrorKind.GATED)
        assert trouble.wants_token == (kind.value in ("gated", "token", "rate_limited"))
    assert len(titles) == len(HubErrorKind)
    assert trouble_of(ModelError("No.")).can_retry
