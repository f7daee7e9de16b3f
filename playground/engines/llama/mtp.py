"""Drafting with a model's own prediction layers (multi-token prediction).

The layer reads, at position p, the token there and what the model computed at p - 1 (its hidden state), and predicts
the token at p + 1; from its own hidden state it goes on. Follows llama-cpp-python's ``MTPDraftProvider``
(examples/server/server.py).
"""

from __future__ import annotations

import ctypes
from typing import Any

from playground.engines.llama.context import Batch, Context, NoRoomError
from playground.engines.llama.drafting import Greedy
from playground.engines.llama.library import L, next_token_extension

_KEPT_STATES = 16
_DRAFT_ROWS = 17  # a token and the longest draft behind it


class _Track:
    """What is known of one sequence: position -> hidden state of the token before it."""

    def __init__(self, zero: bytes) -> None:
        self.zero = zero
        self.recent: dict[int, bytes] = {}
        self.ends: dict[int, bytes] = {}
        self.has_draft = False  # the next batch holds what was proposed
        self.length = 0  # tokens that the prediction layer has read
        self.last: list[int] = []  # positions behind the tokens of the last batch

    def keep(self, states: dict[int, bytes]) -> None:
        """Remember the states of a batch. Of a prompt only the last one is kept: it may be rolled back to there."""
        *earlier, last = states
        self.recent = states if len(states) <= _DRAFT_ROWS else {last: states[last]}
        if earlier and not self.has_draft:
            self.ends[last] = states[last]
            while len(self.ends) > _KEPT_STATES:
                self.ends.pop(next(iter(self.ends)))
        self.last = [*earlier, last]
        self.has_draft = False

    def state_at(self, position: int) -> bytes | None:
        """Return the hidden state of the token before a position, when it is known."""
        return self.zero if position == 0 else self.recent.get(position) or self.ends.get(position)

    def forget_behind(self, position: int) -> None:
        """Forget the states of tokens that are no longer there."""
        self.recent = {place: state for place, state in self.recent.items() if place <= position}
        self.ends = {place: state for place, state in self.ends.items() if place <= position}


class MtpDrafter:
    """Reads along with the model and proposes what its prediction layer expects."""

    def __init__(self, target: Context, context: Context, tokens_at_once: int) -> None:
        self._context = context
        self._extension = next_token_extension()
        self._extension.llama_set_embeddings_nextn(target.native, True, False)
        self._extension.llama_set_embeddings_nextn(context.native, True, True)
        model = context.model
        self._row_bytes = 4 * (
            int(L.llama_model_n_embd_out(model.native)) or int(L.llama_model_n_embd(model.native))
        )
        self._batch = Batch(512, self._row_bytes // 4)
        self._rows = ctypes.cast(self._batch.native.embd, ctypes.c_void_p).value or 0
        self._tracks = [_Track(bytes(self._row_bytes)) for _ in range(context.sequences)]
        self._most = tokens_at_once if model.mtp_layers == 1 else 1
        self._greedy = Greedy()

    def propose(self, tokens: list[int], number: int, most: int) -> list[int]:
        """Return the tokens that the layer expects behind ``tokens``, whose last one the model has not read yet."""
        track, first = self._tracks[number], len(tokens) - 1
        state = track.state_at(first)
        most = min(most, self._most)
        if state is None or most <= 0 or track.length < first:
            return []
        self._cut(number, first)
        drafts: list[int] = []
        token = tokens[-1]
        while len(drafts) < most and state is not None:
            self._batch.clear()
            self._add(token, first + len(drafts), number, state, wants_logits=True)
            if not self._read_batch():
                break
            token = self._greedy.draw(self._context.native, 0)
            drafts.append(token)
            if L.llama_vocab_is_eog(self._context.model.vocab, token):
                break
            state = self._state(self._extension.llama_get_embeddings_nextn_ith(self._context.native, 0))
        track.length = first + len(drafts)
        track.has_draft = bool(drafts)
        self._cut(number, first)
        return drafts

    def follow(self, context: Context, batch: Batch) -> None:
        """Read the tokens that the model has read, each with the hidden state of the one before it."""
        hidden = self._extension.llama_get_embeddings_nextn(context.native)
        address = ctypes.cast(hidden, ctypes.c_void_p).value if hidden else None
        if address is None:
            return
        self._batch.clear()
        states: dict[int, dict[int, bytes]] = {}
        native = batch.native
        for row in range(len(batch)):
            number, position = int(native.seq_id[row][0]), int(native.pos[row])
            track = self._tracks[number]
            if number not in states:
                self._cut(number, position)
                track.forget_behind(position)
            seen = states.setdefault(number, {})
            state = seen.get(position) or track.state_at(position)
            if state is not None and track.length == position:
                self._add(int(native.token[row]), position, number, state, wants_logits=False)
                track.length = position + 1
            seen[position + 1] = ctypes.string_at(address + row * self._row_bytes, self._row_bytes)
        for number, seen in states.items():
            self._tracks[number].keep(seen)
        if len(self._batch):
            self._read_batch()

    def accepted(self, number: int, count: int) -> None:
        """Forget the states of drafts that the model did not accept."""
        track = self._tracks[number]
        if count < len(track.last):
            track.forget_behind(track.last[count])

    def copied(self, source: int, target: int) -> None:
        """Share what was read."""
        L.llama_memory_seq_rm(self._context.memory, target, -1, -1)
        L.llama_memory_seq_cp(self._context.memory, source, target, -1, -1)
        self._tracks[target].recent = dict(self._tracks[source].recent)
        self._tracks[target].ends = dict(self._tracks[source].ends)
        self._tracks[target].length = self._tracks[source].length

    def set_threads(self, threads: int) -> None:
        """Use this many threads."""
        self._context.set_threads(threads)

    def _add(self, token: int, position: int, number: int, state: bytes, *, wants_logits: bool) -> None:
        index = self._batch.add(token, position, number, wants_logits=wants_logits)
        ctypes.memmove(self._rows + index * self._row_bytes, state, self._row_bytes)

    def _read_batch(self) -> bool:
        try:
            self._context.evaluate(self._batch)
        except NoRoomError:
            for number in range(len(self._tracks)):
                self._cut(number, 0)
            return False
        return True

    def _cut(self, number: int, length: int) -> None:
        track = self._tracks[number]
        if track.length > length:
            L.llama_memory_seq_rm(self._context.memory, number, length, -1)
            track.length = length

    def _state(self, pointer: Any) -> bytes | None:  # noqa: ANN401 -- a ctypes pointer
        return ctypes.string_at(pointer, self._row_bytes) if pointer else None
