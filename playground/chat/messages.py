"""Messages and conversations as frozen values. Knows no other room."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(msgspec.Struct, frozen=True):
    """One turn. ``reasoning`` is what the model thought before its answer, ``text`` the answer itself.

    ``completion`` replaces ``text`` in the plain prompt for a base model, which continues a text instead of
    answering one.
    """

    role: Role
    text: str
    reasoning: str = ""
    completion: str | None = None


class Conversation(msgspec.Struct, frozen=True):
    """The turns of one lane, oldest first, without the system prompt."""

    system: str = ""
    turns: tuple[Message, ...] = ()

    def messages(self) -> tuple[Message, ...]:
        """Return all messages, the system prompt first when there is one."""
        head = (Message(Role.SYSTEM, self.system),) if self.system.strip() else ()
        return head + self.turns

    def with_user(self, text: str, completion: str | None = None) -> Conversation:
        """Return the conversation with one more user turn."""
        return self._with(Message(Role.USER, text, completion=completion))

    def with_answer(self, text: str, reasoning: str = "") -> Conversation:
        """Return the conversation with one more answer."""
        return self._with(Message(Role.ASSISTANT, text, reasoning))

    def without_last_answer(self) -> Conversation:
        """Return the conversation up to and including its last user turn, so that it can be answered again."""
        turns = self.turns
        while turns and turns[-1].role is not Role.USER:
            turns = turns[:-1]
        return msgspec.structs.replace(self, turns=turns)

    def _with(self, message: Message) -> Conversation:
        return msgspec.structs.replace(self, turns=(*self.turns, message))
