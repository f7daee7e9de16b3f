"""The chain that draws a token. Its order is fixed and documented in ``chat.options.Sampling``.

Top-k comes first because the penalties look every candidate up: 0.08 ms per token behind it against 0.9 ms in
front of it for 262,144 candidates. A grammar looks at every candidate, too, so a token is first drawn without it
and drawn again under it only when the grammar forbids what came out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from typing import Any

from playground.chat.options import Sampling
from playground.engines.limits import watched
from playground.engines.llama import grammar
from playground.engines.llama.library import L
from playground.engines.llama.model import Model
from playground.engines.llama.tokens import Tokenizer
from playground.errors import EngineError

_DRY_BREAKERS = (b"\n", b":", b'"', b"*")
_SEED_LIMIT = 0xFFFFFFFF
_LONGEST_ID = 10  # digits of a token's number
_IMPOSSIBLE = float("-inf")
_NAMES = {"logit-bias": "logit bias", "dry": "DRY", "xtc": "XTC", "mirostat-v2": "mirostat 2"}
_NAMES |= {"temp": "temperature", "temp-ext": "temperature", "dist": "draw"}


class Sampler:
    """A sampler chain for one answer. Penalties count generated tokens only. Raises EngineError for a bad grammar."""

    def __init__(self, model: Model, tokenizer: Tokenizer, options: Sampling, seed: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._chain = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        self._grammar: Any = None
        self._candidates: grammar.Candidates | None = None
        for link in self._links(options, seed % _SEED_LIMIT):
            L.llama_sampler_chain_add(self._chain, link)
        try:
            self._grammar = grammar.native(model.vocab, options)
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

        ``constrained``: the grammar, if there is one, applies here, but not to the tokens ``exempt``. Raises EngineError
        where it allows no token.
        """
        if self._grammar is None or not constrained:
            return int(L.llama_sampler_sample(self._chain, context, index))
        with watched(grammar.TIME_LIMIT_S):
            return self._draw_constrained(context, index, exempt)

    def _draw_constrained(
        self,
        context: Any,  # noqa: ANN401 -- an opaque pointer
        index: int,
        exempt: Collection[int],
    ) -> int:
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

    def _allows(self, token: int) -> bool:
        one = (L.llama_token_data * 1)(L.llama_token_data(token, 1.0, 0.0))
        array = L.llama_token_data_array(one, 1, -1, False)
        L.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return bool(one[0].logit != _IMPOSSIBLE)

    def _draw_under_grammar(self, context: Any, index: int) -> int:  # noqa: ANN401 -- an opaque pointer
        """Draw from what the grammar allows. ``llama_sampler_sample`` would end the process where that is nothing."""
        if self._candidates is None:
            self._candidates = grammar.Candidates(self._model.n_vocab)
        array = self._candidates.fill(L.llama_get_logits_ith(context, index))
        L.llama_sampler_apply(self._grammar, ctypes.byref(array))
        L.llama_sampler_apply(self._chain, ctypes.byref(array))
        if not 0 <= array.selected < array.size or array.data[array.selected].logit == _IMPOSSIBLE:
            raise grammar.dead_end()
        token = int(array.data[array.selected].id)
        L.llama_sampler_accept(self._chain, token)
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
            is_id = text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
            tokens = [int(text)] if is_id else self._tokenizer.encode(text, special=True)
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
