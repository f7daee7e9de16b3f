"""The self-test of chat templates: each complaint, and none about templates that work."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.engines.template import ChatTemplate
from playground.engines.template_check import complaint

TEMPLATES = sorted((Path(__file__).parents[2] / "support" / "templates").glob("*.jinja"))
TURN = "<|{{ message.role }}|>{{ message.content }}<|end|>"
ALL_TURNS = f"{{% for message in messages %}}{TURN}{{% endfor %}}"
INSTRUCTIONS = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]"
    "{% else %}{{ m.content }}</s>{% endif %}{% endfor %}"
)
OPENING = "{% if add_generation_prompt %}<|assistant|>{% endif %}"


def _complaint(source: str) -> str:
    return complaint(ChatTemplate(source, {"bos_token": "<s>", "eos_token": "</s>"}))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_that_publishers_ship_work(path: Path) -> None:
    assert _complaint(path.read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    "source",
    [
        ALL_TURNS + OPENING,
        INSTRUCTIONS,
        ALL_TURNS + OPENING.replace("|assistant|>", "|assistant|><think>\n"),
        ALL_TURNS + "{% if add_generation_prompt %}<|assistant|>{% else %}{{ eos_token }}{% endif %}",
    ],
)
def test_usual_ways_to_open_an_answer_are_fine(source: str) -> None:
    assert _complaint(source) == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f"{{% set message = messages[-1] %}}{TURN}{OPENING}", "leaves out the first question"),
        (f"{{% set message = messages[-1] %}}{TURN}{OPENING}", "of a conversation and earlier answers."),
        (
            f"{{% for message in messages if message.role == 'user' %}}{TURN}{{% endfor %}}{OPENING}",
            "leaves out earlier answers.",
        ),
        (
            f"{{% for message in messages[:2] %}}{TURN}{{% endfor %}}{OPENING}",
            "leaves out the last question.",
        ),
        (f"{{% for message in messages | reverse %}}{TURN}{{% endfor %}}{OPENING}", "in another order."),
        (ALL_TURNS, "does not open an answer"),
        (
            f"{{% if add_generation_prompt %}}<|open|>{{% endif %}}{ALL_TURNS}{OPENING}",
            "changes the conversation when it opens an answer.",
        ),
        ("{{ raise_exception('no luck') }}", "cannot be used: no luck."),
        ("{{ nothing.at.all }}", "cannot be used"),
        ("", "leaves out"),
    ],
)
def test_what_is_wrong_is_said(source: str, words: str) -> None:
    found = _complaint(source)
    assert words in found
    assert found.startswith("The model's chat template ")
    assert found.endswith(".")
