"""Lists and pairs as people type them: what is shown is read back, what means nothing is said."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.chat.options import LoadOptions, Sampling
from playground.errors import UsageError
from playground.ui import settings_text as text

_finite = st.floats(-100, 100).map(lambda value: float(f"{value:g}"))
_strings = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), min_size=1
)


@given(st.lists(_strings))
def test_stop_strings_come_back(values: list[str]) -> None:
    assert text.lines(text.shown_lines(values)) == tuple(values)


@given(st.lists(st.tuples(_strings.filter(str.strip), _finite)))
def test_biases_come_back(values: list[tuple[str, float]]) -> None:
    assert text.biases(text.shown_biases(values)) == tuple(values)


@given(st.lists(_finite))
def test_numbers_come_back(values: list[float]) -> None:
    assert text.numbers(text.shown_numbers(values)) == tuple(values)


def test_names_are_separated_by_commas_or_spaces() -> None:
    assert text.names(" CUDA0,  rpc://10.0.0.2:50052 ") == ("CUDA0", "rpc://10.0.0.2:50052")
    assert text.names("  ") == ()


@pytest.mark.parametrize(
    ("read", "typed", "said"),
    [
        (text.numbers, "a,b", "“a” is not a number"),
        (text.numbers, "nan", "“nan” is not a number"),
        (text.biases, "no sign", "“no sign”"),
        (text.biases, " foo = much", "“much” is not a number"),
        (text.json_schema, "{", "not JSON"),
        (text.json_schema, "[]", "object"),
    ],
)
def test_what_means_nothing_is_said(read: object, typed: str, said: str) -> None:
    assert callable(read)
    with pytest.raises(UsageError, match=said):
        read(typed)


def test_limits_come_from_the_options() -> None:
    assert text.limits(Sampling, "temperature") == (0, 10)
    assert text.limits(Sampling, "seed") == (0, 0xFFFFFFFE)
    assert text.limits(LoadOptions, "n_ctx")[0] == 8


def test_a_value_beyond_its_limit_is_named() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"tensor_split": [3, 200]}, LoadOptions)
    assert text.limit_words(caught.value) == ("tensor_split", "it must be at most 100")


def test_the_order_of_the_samplers_is_the_documented_one() -> None:
    assert text.sampling_order().startswith("logit bias, top-k, DRY, penalties")
    assert "`" not in text.sampling_order()
