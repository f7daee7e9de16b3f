"""The chain that draws a token. Its order is fixed and documented in ``chat.options.Sampling``.

Top-k comes first because the penalties look every candidate up: 0.08 ms per token behind it against 0.9 ms in
front of it for 262,144 candidates.
"""

from __future__ import annotations

from typing import Any

from playground.chat.options import Sampling
from playground.engines.llama.library import L
from playground.engines.llama.model import Model

PENALTY_WINDOW_TOKENS = 64


class Sampler:
    """A sampler chain over the logits of the last token. Penalties count generated tokens only."""

    def __init__(self, model: Model, options: Sampling) -> None:
        self._context = model.native
        self._chain = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        for link in self._links(model, options):
            L.llama_sampler_chain_add(self._chain, link)

    def draw(self) -> int:
        """Return the next token and remember it for the penalties."""
        return int(L.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        """Free the chain."""
        L.llama_sampler_free(self._chain)

    def _links(self, model: Model, options: Sampling) -> list[Any]:
        links = [L.llama_sampler_init_top_k(options.top_k)] if options.top_k else []
        if options.repeat_penalty != 1.0 or options.presence_penalty != 0.0:
            n_vocab = L.llama_vocab_n_tokens(model.vocab)
            links.append(
                L.llama_sampler_init_penalties(
                    n_vocab, PENALTY_WINDOW_TOKENS, options.repeat_penalty, 0.0, options.presence_penalty
                )
            )
        if options.temperature == 0:
            return [*links, L.llama_sampler_init_greedy()]
        if options.top_p < 1:
            links.append(L.llama_sampler_init_top_p(options.top_p, 1))
        if options.min_p > 0:
            links.append(L.llama_sampler_init_min_p(options.min_p, 1))
        links.append(L.llama_sampler_init_temp(options.temperature))
        links.append(L.llama_sampler_init_dist(options.seed))
        return links
