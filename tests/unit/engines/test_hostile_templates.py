"""Chat templates from strangers: each ends in bounded time and memory, in one sentence, and learns nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import pytest

from playground.chat.messages import Message, Role
from playground.engines import template
from playground.engines.template import ChatTemplate
from playground.errors import EngineError, ErrorKind
from tests.support.hostile_templates import CURIOUS, ENDLESS, GREEDY, MALFORMED, SECRETS

_TALK = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello there"))
_ONLY_LINUX_COUNTS_MEMORY = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="memory is bounded on Linux only"
)


def _cases(sources: dict[str, str]) -> Iterable[object]:
    return [pytest.param(source, id=name) for name, source in sources.items()]


def _refused(source: str) -> str:
    with pytest.raises(EngineError) as caught:
        ChatTemplate(source, {}).render(_TALK, {})
    assert caught.value.kind is ErrorKind.TEMPLATE
    assert caught.value.message.startswith("The model's chat template cannot be used: ")
    assert caught.value.message.isprintable()
    return caught.value.message


@pytest.mark.parametrize("source", _cases(ENDLESS))
def test_an_endless_template_is_interrupted(source: str) -> None:
    assert f"did not end within {template.TIME_LIMIT_S:g} s" in _refused(source)


@_ONLY_LINUX_COUNTS_MEMORY
@pytest.mark.parametrize("source", _cases(GREEDY))
def test_a_greedy_template_is_refused(source: str) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    _refused(source)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.parametrize("source", _cases(MALFORMED))
def test_a_malformed_template_is_refused(source: str) -> None:
    _refused(source)


@pytest.mark.parametrize("source", _cases(CURIOUS))
def test_a_curious_template_learns_nothing(source: str) -> None:
    try:
        text = ChatTemplate(f"[{source}]", {}).render(_TALK, {})
    except EngineError as error:
        assert error.kind is ErrorKind.TEMPLATE
    else:
        assert not any(secret in text for secret in SECRETS), text


def test_what_templates_do_with_numbers_and_json_still_works() -> None:
    source = "{{ (7 + 3 * 2 - 1) // 2 % 4 }} {{ 2.567|round(2) }} {{ '=' * 3 }} {{ value|tojson }} {{ value|tojson(indent=2) }}"
    value = {"a": [1, 2.5, None, True, "é\u2028<"], "b": {}}
    shown = ChatTemplate(source, {}).render(_TALK, {"value": value})
    assert shown.startswith("2 2.57 === ")
    compact = json.dumps(value, ensure_ascii=False)
    assert compact in shown
    assert json.dumps(value, ensure_ascii=False, indent=2) in shown
