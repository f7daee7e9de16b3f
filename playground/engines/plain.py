"""The prompt for a base model: a text to continue, not a conversation. Pure functions.

A user turn's ``completion`` is a Markdown text that may end inside an open code fence. The model continues it;
what it writes makes sense only together with that open fence, so the fence and what follows it become the
answer's prefix, and the closing fence ends the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from playground.chat.messages import Message, Role

_FENCE = re.compile(r"^(`{3,}|~{3,})[^`\n]*$", re.MULTILINE)


class PlainPrompt(msgspec.Struct, frozen=True):
    """``text`` goes to the model, ``prefix`` in front of its answer, ``stop`` ends the answer."""

    text: str
    prefix: str
    stop: tuple[str, ...]


def plain_prompt(messages: Sequence[Message]) -> PlainPrompt:
    """Return the text to continue for a conversation that ends with a user turn."""
    parts: list[str] = []
    prefix = ""
    for message in messages:
        if message.role is Role.ASSISTANT:
            parts.append(_closed(message.text.removeprefix(prefix)) if prefix else message.text)
            prefix = ""
            continue
        text = message.text if message.completion is None else message.completion
        prefix = open_fence(text)
        parts.append(("\n\n" if parts else "") + text)
    fence = re.match(r"[`~]+", prefix)
    return PlainPrompt("".join(parts), prefix, (f"\n{fence[0]}",) if fence else ())


def open_fence(text: str) -> str:
    """Return the text from its last, still open code fence on; empty when no fence is open."""
    start: int | None = None
    mark = ""
    for match in _FENCE.finditer(text):
        if start is None:
            start, mark = match.start(), match[1]
        elif match[0].strip() == match[1] and match[1].startswith(mark):
            start = None
    return "" if start is None else text[start:]


def _closed(answer: str) -> str:
    return answer.rstrip("\n") + "\n```"
