"""The built-in prompts."""

from __future__ import annotations

import re

import pytest

from playground.compare.prompts import all_prompts, by_id
from playground.engines.plain import open_fence
from playground.errors import UsageError


def test_there_are_a_dozen_different_ones() -> None:
    prompts = all_prompts()
    assert len(prompts) >= 12
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    assert {"python", "javascript", "sql", "bash"} <= {prompt.language for prompt in prompts}
    assert [prompt.tier for prompt in prompts] == sorted(prompt.tier for prompt in prompts)


@pytest.mark.parametrize("prompt", all_prompts(), ids=lambda prompt: prompt.id)
def test_each_is_well_formed(prompt: object) -> None:
    from playground.compare.prompts import Prompt

    assert isinstance(prompt, Prompt)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", prompt.id)
    assert prompt.text.strip()
    assert open_fence(prompt.completion).startswith(f"```{prompt.language}\n")


def test_an_unknown_one_names_its_neighbours() -> None:
    with pytest.raises(UsageError) as caught:
        by_id("fizzbuz")
    assert "fizzbuzz" in caught.value.hint
