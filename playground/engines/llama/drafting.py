"""Speculative decoding: who proposes the next tokens. The model itself decides which of them it would have written."""

from __future__ import annotations

from typing import Any, Protocol

from playground.engines.llama.context import Batch, Context, NoRoomError
from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.engines.llama.sequence import Sequence
from playground.errors import EngineError, ErrorKind

_COMPARED_TOKENS = 2048  # llama.cpp's own check allows a few differences in unused tokens as well


class Drafter(Protocol):
    """What the scheduler needs of whoever drafts. ``number`` is a sequence's."""

    def propose(self, tokens: list[int], number: int, most: int) -> list[int]:
        """Return up to ``most`` tokens that may follow ``tokens``."""

    def follow(self, context: Context, batch: Batch) -> None:
        """Take notice of a batch that the model has evaluated."""

    def accepted(self, number: int, count: int) -> None:
        """Take notice of how many of the proposed tokens stay."""

    def copied(self, source: int, target: int) -> None:
        """Take notice that a sequence is now what another one is."""

    def set_threads(self, threads: int) -> None:
        """Use this many threads."""


class Greedy:
    """A sampler that takes the likeliest token."""

    def __init__(self) -> None:
        self._chain = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        L.llama_sampler_chain_add(self._chain, L.llama_sampler_init_greedy())

    def draw(self, native: Any, index: int) -> int:  # noqa: ANN401 -- an opaque pointer
        """Return the likeliest token of the logits at ``index``."""
        return int(L.llama_sampler_sample(self._chain, native, index))


class ModelDrafter:
    """Another model with the same vocabulary, in a context of its own with as many sequences."""

    def __init__(self, context: Context, tokens_at_once: int) -> None:
        self._context = context
        self._most = tokens_at_once
        self._batch = Batch(512)
        self._sequences = [Sequence(context, number) for number in range(context.sequences)]
        self._greedy = Greedy()

    def propose(self, tokens: list[int], number: int, most: int) -> list[int]:
        """Return what this model would write, greedily; nothing when its context is full."""
        sequence = self._sequences[number]
        most = min(most, self._most, self._context.n_ctx - len(tokens))
        if most <= 0:
            return []
        sequence.reuse(tokens)
        drafts: list[int] = []
        pending = tokens[len(sequence.tokens) :]
        try:
            while len(drafts) < most:
                index = self._evaluate(sequence, pending)
                drafts.append(self._greedy.draw(self._context.native, index))
                pending = drafts[-1:]
                if L.llama_vocab_is_eog(self._context.model.vocab, drafts[-1]):
                    break
        except NoRoomError:
            sequence.clear()
        return drafts

    def follow(self, context: Context, batch: Batch) -> None:
        """Do nothing: this model reads the tokens when it is asked to go on."""

    def accepted(self, number: int, count: int) -> None:
        """Do nothing: the next proposal rolls back by itself."""

    def copied(self, source: int, target: int) -> None:
        """Share what was read of the prompt."""
        self._sequences[target].copy_from(self._sequences[source])

    def set_threads(self, threads: int) -> None:
        """Use this many threads."""
        self._context.set_threads(threads)

    def _evaluate(self, sequence: Sequence, tokens: list[int]) -> int:
        index = 0
        for start in range(0, len(tokens), self._batch.capacity):
            part = tokens[start : start + self._batch.capacity]
            self._batch.clear()
            for offset, token in enumerate(part):
                last = start + offset == len(tokens) - 1
                index = self._batch.add(
                    token, len(sequence.tokens) + offset, sequence.number, wants_logits=last
                )
            self._context.evaluate(self._batch)
            sequence.tokens.extend(part)
        return index


def refuse_other_vocabulary(model: Model, draft: Model) -> None:
    """Raise EngineError when two models do not share their vocabulary: drafts would be other words."""
    same = L.llama_vocab_type(model.vocab) == L.llama_vocab_type(draft.vocab)
    same = same and abs(model.n_vocab - draft.n_vocab) <= 128
    numbers = range(0, min(model.n_vocab, draft.n_vocab), max(1, model.n_vocab // _COMPARED_TOKENS))
    if not same or any(_text(model, n) != _text(draft, n) for n in numbers):
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"{draft.path.name} cannot draft for {model.path.name}: it has another vocabulary.",
            hint="Choose a smaller model of the same family, or switch drafting off.",
        )


def _text(model: Model, token: int) -> bytes:
    return L.llama_vocab_get_text(model.vocab, token) or b""
