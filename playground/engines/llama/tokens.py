"""Text to tokens and tokens to bytes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable

from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.errors import EngineError, ErrorKind

_RUNS = re.compile(r"[^\W\d_]+|\s+|(?:[^\w\s]|_)+")
_LONGEST_RUN_CHARS = 200_000  # llama.cpp calls itself once per character of a run; see worker.STACK_BYTES


class Tokenizer:
    """The vocabulary of one model.

    ``shown`` are texts of control tokens that must not be hidden (a model's reasoning marks); pieces of all
    other control tokens are empty.
    """

    def __init__(self, model: Model, shown: Iterable[str] = ()) -> None:
        self._vocab = model.vocab
        self._buffer = ctypes.create_string_buffer(256)
        self._pieces: dict[int, bytes] = {}
        self.bos = int(L.llama_vocab_bos(self._vocab))
        self.eos = int(L.llama_vocab_eos(self._vocab))
        self.adds_bos = bool(L.llama_vocab_get_add_bos(self._vocab)) and self.bos >= 0
        self._shown = self.single_tokens(shown)

    def single_tokens(self, texts: Iterable[str]) -> frozenset[int]:
        """Return the tokens of those texts that are one token each."""
        cut = (self.encode(text, special=True) for text in texts)
        return frozenset(tokens[0] for tokens in cut if len(tokens) == 1)

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of a text; ``special``: texts of control tokens become those tokens."""
        _refuse_endless_runs(text)
        raw = text.encode("utf-8", "replace")
        size = len(raw) + 16
        array = (L.llama_token * size)()
        count = L.llama_tokenize(self._vocab, raw, len(raw), array, size, False, special)
        if count < 0:
            array = (L.llama_token * -count)()
            count = L.llama_tokenize(self._vocab, raw, len(raw), array, -count, False, special)
        if count < 0:
            raise EngineError(ErrorKind.PROMPT, "The prompt cannot be cut into tokens.", hint="Shorten it.")
        return list(array[:count])

    def encode_prompt(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of a whole prompt, with the start token when the model wants one and has none."""
        tokens = self.encode(text, special=special)
        if self.adds_bos and tokens[:1] != [self.bos]:
            tokens.insert(0, self.bos)
        return tokens

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token, which may end inside a character."""
        found = self._pieces.get(token)
        if found is None:
            found = self._pieces[token] = self._native_piece(token)
        return found

    def text_of(self, token: int) -> str:
        """Return a token's own text, control tokens included; empty for none."""
        if token < 0:
            return ""
        raw = L.llama_vocab_get_text(self._vocab, token)
        return raw.decode("utf-8", "replace") if raw else ""

    def is_end(self, token: int) -> bool:
        """Return whether the model ends its answer with this token."""
        return bool(L.llama_vocab_is_eog(self._vocab, token))

    def _native_piece(self, token: int) -> bytes:
        special = token in self._shown
        count = L.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, special)
        if count < 0:
            self._buffer = ctypes.create_string_buffer(-count)
            count = L.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, special)
        return self._buffer.raw[: max(count, 0)]


def _refuse_endless_runs(text: str) -> None:
    longest = max(map(len, _RUNS.findall(text)), default=0) if len(text) > _LONGEST_RUN_CHARS else 0
    if longest > _LONGEST_RUN_CHARS:
        raise EngineError(
            ErrorKind.PROMPT,
            f"The prompt holds {longest:,} letters, blanks or signs in a row, which llama.cpp may not survive.",
            hint=f"Break up what is longer than {_LONGEST_RUN_CHARS:,} characters.",
        )
