"""Stop strings, reasoning and plain prompts: the text does not depend on how it was cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from playground.chat.messages import Message, Role
from playground.engines.plain import open_fence, plain_prompt
from playground.engines.reasoning import TAGS, HarmonySplitter, Splitter, TagSplitter, splitter_for
from playground.engines.stops import StopStrings


def _cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def _split(splitter: Splitter, pieces: list[str]) -> tuple[str, str]:
    parts = [splitter.feed(piece) for piece in pieces] + [splitter.finish()]
    return "".join(a for a, _ in parts), "".join(r for _, r in parts)


@given(st.text("ab`\n", max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_stop_strings_end_the_text_at_the_first_one(text: str, places: list[int]) -> None:
    stops = StopStrings(("\n```", "ba"))
    shown = "".join(stops.feed(piece) for piece in _cut(text, places)) + stops.finish()
    found = [place for place in (text.find("\n```"), text.find("ba")) if place >= 0]
    assert shown == (text[: min(found)] if found else text)
    assert stops.hit == bool(found)


@given(st.lists(st.integers(0, 60), max_size=10))
def test_think_tags_may_be_cut_anywhere(places: list[int]) -> None:
    text = "<think>\nfirst < second\n</think>\n\nThe <b> answer </think> stays"
    assert _split(TagSplitter(), _cut(text, places)) == ("The <b> answer </think> stays", "first < second")


@given(st.sampled_from(TAGS), st.lists(st.integers(0, 60), max_size=10), st.booleans())
def test_every_notation_is_known(tags: tuple[str, str], places: list[int], opened: bool) -> None:
    opening, closing = tags
    text = f"{'' if opened else opening}\nwhy\n{closing}\n\nso"
    splitter = splitter_for(f"a prompt {opening}\n" if opened else "a prompt", harmony=False)
    assert splitter.in_reasoning == opened
    assert splitter.may_open != opened
    assert _split(splitter, _cut(text, places)) == ("so", "why")
    assert splitter.in_answer
    assert not splitter.may_open


@given(st.lists(st.integers(0, 60), max_size=10))
def test_reasoning_that_the_prompt_opened_ends_at_its_tag(places: list[int]) -> None:
    assert _split(TagSplitter("<think>"), _cut("why\n</think>\n\nso", places)) == ("so", "why")


@given(st.lists(st.integers(0, 120), max_size=12))
def test_harmony_channels_are_told_apart(places: list[int]) -> None:
    text = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>"
    assert _split(HarmonySplitter(), _cut(text, places)) == ("yes", "hm")


def test_an_answer_without_tags_is_only_an_answer() -> None:
    assert _split(TagSplitter(), ["Hello <", "world"]) == ("Hello <world", "")


def test_an_open_fence_becomes_the_prefix() -> None:
    first = Message(Role.USER, "chat", completion="Text.\n\n```python\ndef f():\n")
    prompt = plain_prompt([first])
    assert prompt.text.endswith("def f():\n")
    assert prompt.prefix == "```python\ndef f():\n"
    assert prompt.stop == ("\n```",)


def test_a_follow_up_repeats_the_answer_once() -> None:
    turns = [
        Message(Role.USER, "chat", completion="Text.\n\n```python\ndef f():\n"),
        Message(Role.ASSISTANT, "```python\ndef f():\n    return 1"),
        Message(Role.USER, "And now?"),
    ]
    assert plain_prompt(turns).text == "Text.\n\n```python\ndef f():\n    return 1\n```\n\nAnd now?"


def test_closed_fences_leave_nothing_open() -> None:
    assert open_fence("```a\nx\n```\n") == ""
    assert open_fence("```a\nx\n```\n~~~b\ny\n") == "~~~b\ny\n"
