"""The first words of cards as they are really written, and of some that are meant to hurt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.hub.hub_card import LONGEST_CHARS, READ_BYTES, summary

_PROSE = "A compact model for code that runs on small machines."


@pytest.mark.parametrize(
    "card",
    [
        _PROSE,
        f"---\nlicense: mit\ntags:\n- a: ---\n---\n\n# Title\n\n{_PROSE}\n\nMore of it, which is not wanted here at all.",
        f"\ufeff---\r\nlicense: mit\r\n---\r\n{_PROSE}\r\n",
        f'<div align="center">\n<img src="x.png" alt="{_PROSE * 2}">\n</div>\n\n{_PROSE}',
        f"<!-- {_PROSE}\n\n secret -->\n{_PROSE}",
        f"[![badge](https://x/y.svg)](https://x) ![image](z.png)\n\n{_PROSE}",
        "A **compact** [model](https://x.org/a_b) for `code` that runs on _small_ machines.",
        f"```python\nprint('{_PROSE}', 1)\n```\n\n{_PROSE}",
        f"| a | b |\n|---|---|\n| {_PROSE} | 2 |\n\n{_PROSE}",
        f"- a list of things that is long enough to be taken for prose\n\n{_PROSE}",
        f"<p style='x'>{_PROSE}</p><p>Another paragraph that is not wanted here.</p>",
        f"## Title\n{_PROSE}",
        f"> {_PROSE}",
        "A compact model\nfor code that\nruns on small machines.",
        "Short.\n\n" + _PROSE,
        "A compact model for code that runs on small&nbsp;machines.",
    ],
)
def test_the_first_paragraph_of_prose(card: str) -> None:
    assert summary(card) == _PROSE


@pytest.mark.parametrize(
    "card", ["", "# Title only", "---\nlicense: mit", "<!-- never closed " + _PROSE, "| a |\n" * 9]
)
def test_a_card_without_prose_has_no_summary(card: str) -> None:
    assert summary(card) == ""


def test_identifiers_keep_their_underscores() -> None:
    assert "snake_case_name" in summary(
        "The value snake_case_name of the configuration must be set before use."
    )


def test_a_long_paragraph_is_cut() -> None:
    assert len(summary("word " * 1000)) <= LONGEST_CHARS


@given(st.text(alphabet="<>![]()-*_`#|&;/ap\n\x1b ", max_size=300))
def test_any_text_is_one_printable_line(card: str) -> None:
    found = summary(card)
    assert len(found) <= LONGEST_CHARS
    assert found.isprintable()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["![", "[", "<", "<a ", "<!--", "[](", "![x](", "<p", "&", "*", "_", "> ", "\n\n", "]("]
)
def test_no_text_takes_long(piece: str) -> None:
    summary(piece * (READ_BYTES // len(piece)))
