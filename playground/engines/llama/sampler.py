"""The chain that draws a token. Its order is fixed and documented in ``chat.options.Sampling``.

Top-k comes first because the penalties look every candidate up: 0.08 ms per token behind it against 0.9 ms in
front of it for 262,144 candidates. A grammar looks at every candidate, too, so a token is first drawn without it
and drawn again under it only when the grammar forbids what came out.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import re
from collections.abc import Collection
from typing import Any

from playground.chat.options import Sampling
from playground.engines.llama.library import L, json_schema_to_gbnf
from playground.engines.llama.model import Model
from playground.engines.llama.tokens import Tokenizer
from playground.errors import EngineError, ErrorKind

_DRY_BREAKERS = (b"\n", b":", b'"', b"*")
_SEED_LIMIT = 0xFFFFFFFF
_IMPOSSIBLE = float("-inf")
_NAMES = {"logit-bias": "logit bias", "dry": "DRY", "xtc": "XTC", "mirostat-v2": "mirostat 2"}
_NAMES |= {"temp": "temperature", "temp-ext": "temperature", "dist": "draw"}
_DEEPEST_GRAMMAR = 1000  # llama.cpp's parser recurses; the stack ends somewhere above 10,000


class Sampler:
    """A sampler chain for one answer. Penalties count generated tokens only. Raises EngineError for a bad grammar."""

    def __init__(self, model: Model, tokenizer: Tokenizer, options: Sampling, seed: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._chain = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        self._grammar: Any = None
        for link in self._links(options, seed % _SEED_LIMIT):
            L.llama_sampler_chain_add(self._chain, link)
        try:
            if source := options.grammar or schema_grammar(options.json_schema):
                self._grammar = self._native_grammar(source)
        except EngineError:
            self.close()
            raise

    def draw(
        self,
        context: Any,  # noqa: ANN401 -- an opaque pointer
        index: int,
        *,
        constrained: bool = True,
        exempt: Collection[int] = (),
    ) -> int:
        """Return the next token from the logits at ``index`` of the last batch, and remember it.

        ``constrained``: the grammar, if there is one, applies here, but not to the tokens ``exempt``.
        """
        if self._grammar is None or not constrained:
            return int(L.llama_sampler_sample(self._chain, context, index))
        before = L.llama_sampler_clone(self._chain)
        token = int(L.llama_sampler_sample(self._chain, context, index))
        if token in exempt:
            L.llama_sampler_free(before)
            return token
        if self._allows(token):
            L.llama_sampler_free(before)
        else:
            L.llama_sampler_free(self._chain)
            self._chain = before
            token = self._draw_under_grammar(context, index)
        L.llama_sampler_accept(self._grammar, token)
        return token

    def order(self) -> tuple[str, ...]:
        """Return the names of the links in force, in the order in which they are applied."""
        count = L.llama_sampler_chain_n(self._chain)
        links = [
            L.llama_sampler_name(L.llama_sampler_chain_get(self._chain, n)).decode() for n in range(count)
        ]
        head = () if self._grammar is None else ("grammar",)
        return (*head, *(_NAMES.get(name, name) for name in links))

    def accept(self, token: int) -> None:
        """Remember a token that was not drawn but put into the answer."""
        L.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        """Free the chain."""
        L.llama_sampler_free(self._chain)
        if self._grammar is not None:
            L.llama_sampler_free(self._grammar)

    def _native_grammar(self, source: str) -> Any:  # noqa: ANN401 -- an opaque pointer
        grammar = None
        if _depth(source) <= _DEEPEST_GRAMMAR:
            grammar = L.llama_sampler_init_grammar(self._model.vocab, source.encode(), b"root")
        if not grammar:
            raise EngineError(
                ErrorKind.PROMPT,
                "The grammar cannot be used: llama.cpp does not understand it.",
                hint="Check its GBNF, which must define root.",
            )
        return grammar

    def _allows(self, token: int) -> bool:
        one = (L.llama_token_data * 1)(L.llama_token_data(token, 1.0, 0.0))
        array = L.llama_token_data_array(one, 1, -1, False)
        L.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return bool(one[0].logit != _IMPOSSIBLE)

    def _draw_under_grammar(self, context: Any, index: int) -> int:  # noqa: ANN401 -- an opaque pointer
        both = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        L.llama_sampler_chain_add(both, L.llama_sampler_clone(self._grammar))
        L.llama_sampler_chain_add(both, self._chain)
        token = int(L.llama_sampler_sample(both, context, index))
        L.llama_sampler_chain_remove(both, 1)
        L.llama_sampler_free(both)
        return token

    def _links(self, options: Sampling, seed: int) -> list[Any]:
        links = self._bias(options)
        if options.top_k:
            links.append(L.llama_sampler_init_top_k(options.top_k))
        links += self._repetition(options)
        if options.temperature == 0:
            return [*links, L.llama_sampler_init_greedy()]
        if options.mirostat:
            links.append(L.llama_sampler_init_temp(options.temperature))
            miro = L.llama_sampler_init_mirostat_v2(seed, options.mirostat_tau, options.mirostat_eta)
            return [*links, miro]
        return [*links, *_truncation(options, seed), L.llama_sampler_init_dist(seed)]

    def _bias(self, options: Sampling) -> list[Any]:
        pairs: dict[int, float] = {}
        for text, bias in options.logit_bias:
            is_number = text.isascii() and text.isdigit()
            tokens = [int(text)] if is_number else self._tokenizer.encode(text, special=True)
            pairs.update((token, bias) for token in tokens if 0 <= token < self._model.n_vocab)
        if not pairs:
            return []
        array = (L.llama_logit_bias * len(pairs))(*(L.llama_logit_bias(t, b) for t, b in pairs.items()))
        return [L.llama_sampler_init_logit_bias(self._model.n_vocab, len(pairs), array)]

    def _repetition(self, options: Sampling) -> list[Any]:
        links = []
        if options.dry_multiplier > 0:
            breakers = (ctypes.c_char_p * len(_DRY_BREAKERS))(*_DRY_BREAKERS)
            links.append(
                L.llama_sampler_init_dry(
                    *(self._model.vocab, options.dry_multiplier, options.dry_base),
                    *(options.dry_allowed_length, options.penalty_tokens, breakers, len(breakers)),
                )
            )
        penalties = (options.repeat_penalty, options.frequency_penalty, options.presence_penalty)
        if penalties != (1.0, 0.0, 0.0):
            size = self._model.n_vocab
            links.append(L.llama_sampler_init_penalties(size, options.penalty_tokens, *penalties))
        return links


def schema_grammar(schema: str) -> str:
    """Return the GBNF grammar of a JSON schema, by the binding's own converter. Raises EngineError."""
    if not schema.strip():
        return ""
    try:
        is_object = isinstance(json.loads(schema), dict)
        grammar = json_schema_to_gbnf(schema) if is_object else ""
    except Exception as error:
        # The converter says with asserts and whatever happens to fail what it does not understand.
        words = str(error).partition("(use --")[0]  # an option of llama.cpp's own script
        reason = re.sub(r"\s+", " ", words).strip(" .")[:200]
        raise _schema_error(reason or type(error).__name__) from error
    if not is_object:
        raise _schema_error("it is not an object")
    return grammar


def _schema_error(reason: str) -> EngineError:
    return EngineError(
        ErrorKind.PROMPT,
        f"The JSON schema cannot be used: {reason}.",
        hint="Check that it is JSON and uses no remote references.",
    )


def _depth(grammar: str) -> int:
    """Return how deep a grammar's parentheses are nested."""
    marks = re.sub(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*', "", grammar)
    steps = (1 if mark == "(" else -1 for mark in marks if mark in "()")
    return max(itertools.accumulate(steps), default=0)


def _truncation(options: Sampling, seed: int) -> list[Any]:
    links = []
    if options.typical_p < 1:
        links.append(L.llama_sampler_init_typical(options.typical_p, 1))
    if options.top_p < 1:
        links.append(L.llama_sampler_init_top_p(options.top_p, 1))
    if options.min_p > 0:
        links.append(L.llama_sampler_init_min_p(options.min_p, 1))
    if options.xtc_probability > 0:
        links.append(L.llama_sampler_init_xtc(options.xtc_probability, options.xtc_threshold, 1, seed))
    links.append(L.llama_sampler_init_temp_ext(options.temperature, options.dynamic_range, 1.0))
    return links
