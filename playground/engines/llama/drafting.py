"""Speculative decoding: who proposes the next tokens. The model itself decides which of them it would have written."""

from __future__ import annotations

from typing import Any, Protocol

from playground.engines.llama.abort import AbortFlag
from playground.engines.llama.context import AbortedError, Batch, Context, NoRoomError
from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.engines.llama.sequence import Sequence
from playground.errors import EngineError, ErrorKind

_COMPARED_TOKENS = 2048  # llama.cpp's own check allows a few differences in unused tokens as well
_WORTH_SHARING = 32  # tokens that another sequence has read and this one has not
_REST = 64  # proposals that are left out after the draft's context had no room


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
    """Another model with the same vocabulary, in a context of its own.

    The context has a sequence for each of the answering model's, and for a recurrent model one more: its state
    cannot be taken back token by token, so drafts are written in a copy. ``n_vocab``: tokens that the answering model knows; a few more of the draft's are never proposed.
    """

    def __init__(self, context: Context, tokens_at_once: int, n_vocab: int, abort: AbortFlag) -> None:
        abort.attach(context.native)
        self._context = context
        self._most = tokens_at_once
        self._n_vocab = n_vocab
        self._rest = 0
        self._batch = Batch(512)
        self._sequences = [Sequence(context, number) for number in range(context.sequences)]
        self._copy = self._sequences.pop() if context.model.is_recurrent else None
        self._greedy = Greedy()

    def propose(self, tokens: list[int], number: int, most: int) -> list[int]:
        """Return what this model would write, greedily; nothing when its context is full."""
        sequence = self._sequences[number]
        most = min(most, self._most, self._context.n_ctx - len(tokens))
        self._rest = max(self._rest - 1, 0)
        if most <= 0 or self._rest:
            return []
        self._share(sequence, tokens)
        sequence.reuse(tokens)
        drafts: list[int] = []
        try:
            self._write(sequence, self._read(sequence, tokens), drafts, most)
        except AbortedError:
            sequence.settle()
        except NoRoomError:
            for each in self._sequences:
                each.clear()
            self._rest = _REST
        if self._copy is not None:
            self._copy.clear()
        return drafts

    def follow(self, context: Context, batch: Batch) -> None:
        """Do nothing: this model reads the tokens when it is asked to go on."""

    def accepted(self, number: int, count: int) -> None:
        """Do nothing: the next proposal rolls back by itself."""

    def copied(self, source: int, target: int) -> None:
        """Do nothing: the next proposal shares what was read by itself."""

    def set_threads(self, threads: int) -> None:
        """Use this many threads."""
        self._context.set_threads(threads)

    def _share(self, sequence: Sequence, tokens: list[int]) -> None:
        """Begin with what was read for another answer of the same prompt: its cells serve both."""
        own = sequence.usable(tokens)
        if len(tokens) - own <= _WORTH_SHARING:
            return
        best = max(self._sequences, key=lambda each: each.usable(tokens))
        if best.usable(tokens) > own + _WORTH_SHARING:
            sequence.copy_from(best)

    def _read(self, sequence: Sequence, tokens: list[int]) -> int:
        """Evaluate what is new and return the index of its last logits."""
        pending = tokens[len(sequence.tokens) :]
        if len(pending) > _WORTH_SHARING:
            self._evaluate(sequence, pending[:-1])
            sequence.checkpoint()
            pending = pending[-1:]
        return self._evaluate(sequence, pending)

    def _write(self, sequence: Sequence, index: int, drafts: list[int], most: int) -> None:
        if self._copy is not None:
            self._copy.copy_from(sequence)
            sequence = self._copy
        while True:
            token = self._greedy.draw(self._context.native, index)
            if token >= self._n_vocab:
                return
            drafts.append(token)
            if len(drafts) == most or L.llama_vocab_is_eog(self._context.model.vocab, token):
                return
            index = self._evaluate(sequence, [token])

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
            sequence.took(part)
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
