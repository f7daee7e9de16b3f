"""A chat template's self-test: two turns are rendered, and what is wrong with the result is said in one sentence."""

from __future__ import annotations

import itertools

from playground.chat.messages import Message, Role
from playground.engines.template import ChatTemplate
from playground.errors import EngineError

_FIRST, _REPLY, _SECOND = "first-question-7351", "first-answer-7351", "second-question-7351"


def complaint(template: ChatTemplate) -> str:
    """Return a sentence about what the template does wrong, empty when nothing was found."""
    turns = [Message(Role.USER, _FIRST), Message(Role.ASSISTANT, _REPLY), Message(Role.USER, _SECOND)]
    try:
        closed = template.render(turns, {}, open_answer=False)
        opened = template.render(turns, {})
    except EngineError as error:
        return error.message
    places = [opened.find(text) for text in (_FIRST, _REPLY, _SECOND)]
    names = ("the first question of a conversation", "earlier answers", "the last question")
    missing = [name for name, place in zip(names, places, strict=True) if place < 0]
    if missing:
        return f"The model's chat template leaves out {' and '.join(missing)}."
    if places != sorted(places):
        return "The model's chat template puts the turns of a conversation in another order."
    if opened == closed and not _ends_like_an_opening(opened):
        return "The model's chat template does not open an answer, so the model may continue the question instead."
    if opened.partition(_SECOND)[0] != closed.partition(_SECOND)[0]:
        return "The model's chat template changes the conversation when it opens an answer."
    return ""


def _ends_like_an_opening(rendered: str) -> bool:
    """Return whether the last question is followed by most of what leads from the first one to its answer.

    Mistral's templates end a question with ``[/INST]``, and that is all it takes.
    """
    opening = rendered.partition(_FIRST)[2].partition(_REPLY)[0].strip()
    ending = rendered.partition(_SECOND)[2].strip()
    pairs = zip(opening, ending, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return 2 * same > len(opening)
