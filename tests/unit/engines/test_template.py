"""Chat templates: the real ones render, hostile ones end in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.chat.messages import Message, Role
from playground.engines.template import ChatTemplate
from playground.errors import EngineError, ErrorKind

_TEMPLATES = sorted((Path(__file__).parents[2] / "support" / "templates").glob("*.jinja"))
_SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
_TALK = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello there"))


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: path.stem)
def test_real_templates_render_system_and_user(path: Path) -> None:
    text = ChatTemplate(path.read_text(encoding="utf-8"), _SPECIAL).render(_TALK, {})
    assert "Be brief." in text
    assert "Hello there" in text


def test_thinking_can_be_switched_off() -> None:
    source = next(path for path in _TEMPLATES if "Qwen3.5" in path.name).read_text(encoding="utf-8")
    template = ChatTemplate(source, _SPECIAL)
    assert template.knows_thinking
    assert template.render(_TALK, {"enable_thinking": False}).rstrip().endswith("</think>")
    assert template.render(_TALK, {"enable_thinking": True}).rstrip().endswith("<think>")


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ raise_exception('no') }}",
        "{{ messages.nothing.at.all }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    ],
    ids=["loop", "output", "memory", "power", "raise", "undefined", "escape"],
)
def test_hostile_templates_end_in_a_sentence(source: str) -> None:
    with pytest.raises(EngineError) as caught:
        ChatTemplate(source, _SPECIAL).render(_TALK, {})
    assert caught.value.kind is ErrorKind.TEMPLATE
    assert caught.value.message.startswith("The model's chat template cannot be used")


def test_a_template_that_does_not_parse_says_where() -> None:
    with pytest.raises(EngineError, match="line 2"):
        ChatTemplate("ok\n{% if %}", _SPECIAL)
