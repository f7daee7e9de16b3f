"""Chat templates: the real ones render; see test_hostile_templates for the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.chat.messages import Message, Role
from playground.engines.template import ChatTemplate
from playground.errors import EngineError

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


def test_a_template_that_does_not_parse_says_where() -> None:
    with pytest.raises(EngineError, match="line 2"):
        ChatTemplate("ok\n{% if %}", _SPECIAL)
