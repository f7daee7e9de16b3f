"""The layers of a tiny model: tensors of the right names and shapes for each architecture, random or silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

N_EMBD = 128
N_HEAD, N_HEAD_KV, HEAD_SIZE = 4, 2, 32
N_FF = 256
N_EXPERT, N_EXPERT_USED, N_FF_EXPERT = 8, 2, 64
SSM_STATE, SSM_GROUPS, SSM_HEADS, SSM_CONV = 32, 2, 4, 4
ATTENTION_INTERVAL = 4  # in hybrid models each fourth layer has attention

Tensor = tuple[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What an architecture is made of."""

    base: str
    n_layer: int
    n_mtp: int

    @property
    def is_hybrid(self) -> bool:
        """Most layers are recurrent."""
        return self.base.startswith("qwen35")

    @property
    def is_moe(self) -> bool:
        """The feed-forward part has experts."""
        return self.base in ("qwen35moe", "gpt-oss")

    def is_recurrent(self, layer: int) -> bool:
        """Return whether a layer keeps a state instead of a cache."""
        return self.is_hybrid and layer < self.n_layer and (layer + 1) % ATTENTION_INTERVAL != 0


class Layers:
    """Makes the tensors of all layers.

    ``successors`` is given for a scripted model: then the layers write nothing to the residual stream, and a
    prediction layer turns the hidden state before a token into that token's embedding, by this matrix alone.
    """

    def __init__(
        self, shape: Shape, rng: np.random.Generator, successors: npt.NDArray[np.float32] | None = None
    ) -> None:
        self._shape = shape
        self._rng = rng
        self._silent = successors is not None
        self._successors = successors

    def tensors(self) -> Iterator[Tensor]:
        """Yield name and values, sizes from the slowest dimension to the fastest (reverse of llama.cpp's)."""
        yield self._ones("output_norm.weight", N_EMBD)
        for layer in range(self._shape.n_layer + self._shape.n_mtp):
            for name, values in self._layer(layer):
                yield f"blk.{layer}.{name}", values

    def _random(self, name: str, *sizes: int, scale: float = 0.05) -> Tensor:
        return name, (self._rng.standard_normal(tuple(reversed(sizes))) * scale).astype(np.float32)

    def _filled(self, name: str, *sizes: int, value: float) -> Tensor:
        return name, np.full(tuple(reversed(sizes)), value, np.float32)

    def _ones(self, name: str, *sizes: int) -> Tensor:
        return self._filled(name, *sizes, value=1.0)

    def _last(self, name: str, *sizes: int) -> Tensor:
        """Return a matrix that writes to the residual stream."""
        return self._filled(name, *sizes, value=0.0) if self._silent else self._random(name, *sizes)

    def _layer(self, layer: int) -> Iterator[Tensor]:
        yield self._ones("attn_norm.weight", N_EMBD)
        yield from self._norms()
        yield from self._recurrent() if self._shape.is_recurrent(layer) else self._attention()
        yield from self._experts() if self._shape.is_moe else self._feed_forward()
        if layer >= self._shape.n_layer:
            yield from self._next_token_prediction()

    def _norms(self) -> Iterator[Tensor]:
        base = self._shape.base
        if base == "gemma3":
            names = ["ffn_norm", "post_attention_norm", "post_ffw_norm"]
        elif self._shape.is_hybrid or base == "gpt-oss":
            names = ["post_attention_norm"]
        else:
            names = ["ffn_norm"]
        for name in names:
            yield self._ones(f"{name}.weight", N_EMBD)

    def _recurrent(self) -> Iterator[Tensor]:
        keys, values = SSM_STATE * SSM_GROUPS, SSM_STATE * SSM_HEADS
        yield self._random("attn_qkv.weight", N_EMBD, keys * 2 + values)
        yield self._random("attn_gate.weight", N_EMBD, values)
        yield self._random("ssm_conv1d.weight", SSM_CONV, keys * 2 + values, scale=0.3)
        yield self._random("ssm_dt.bias", SSM_HEADS)
        yield self._filled("ssm_a", SSM_HEADS, value=-0.5)
        yield self._random("ssm_beta.weight", N_EMBD, SSM_HEADS)
        yield self._random("ssm_alpha.weight", N_EMBD, SSM_HEADS)
        yield self._ones("ssm_norm.weight", SSM_STATE)
        yield self._last("ssm_out.weight", values, N_EMBD)

    def _attention(self) -> Iterator[Tensor]:
        gated = 2 if self._shape.is_hybrid else 1  # qwen3.5 packs the output gate beside q
        yield self._random("attn_q.weight", N_EMBD, HEAD_SIZE * N_HEAD * gated)
        yield self._random("attn_k.weight", N_EMBD, HEAD_SIZE * N_HEAD_KV)
        yield self._random("attn_v.weight", N_EMBD, HEAD_SIZE * N_HEAD_KV)
        yield self._last("attn_output.weight", HEAD_SIZE * N_HEAD, N_EMBD)
        if self._shape.base == "gpt-oss":
            yield from self._attention_biases()
        elif self._shape.base != "llama":
            yield self._ones("attn_q_norm.weight", HEAD_SIZE)
            yield self._ones("attn_k_norm.weight", HEAD_SIZE)

    def _attention_biases(self) -> Iterator[Tensor]:
        sizes = {
            "q": HEAD_SIZE * N_HEAD,
            "k": HEAD_SIZE * N_HEAD_KV,
            "v": HEAD_SIZE * N_HEAD_KV,
            "output": N_EMBD,
        }
        for name, size in sizes.items():
            yield self._filled(f"attn_{name}.bias", size, value=0.0)
        yield self._random("attn_sinks.weight", N_HEAD)

    def _feed_forward(self) -> Iterator[Tensor]:
        yield self._random("ffn_gate.weight", N_EMBD, N_FF)
        yield self._random("ffn_up.weight", N_EMBD, N_FF)
        yield self._last("ffn_down.weight", N_FF, N_EMBD)

    def _experts(self) -> Iterator[Tensor]:
        yield self._random("ffn_gate_inp.weight", N_EMBD, N_EXPERT)
        yield self._random("ffn_gate_exps.weight", N_EMBD, N_FF_EXPERT, N_EXPERT)
        yield self._random("ffn_up_exps.weight", N_EMBD, N_FF_EXPERT, N_EXPERT)
        yield self._last("ffn_down_exps.weight", N_FF_EXPERT, N_EMBD, N_EXPERT)
        if self._shape.base == "gpt-oss":
            yield self._random("ffn_gate_inp.bias", N_EXPERT)
            for name, size in (("gate", N_FF_EXPERT), ("up", N_FF_EXPERT), ("down", N_EMBD)):
                yield self._filled(f"ffn_{name}_exps.bias", size, N_EXPERT, value=0.0)
        else:
            yield self._random("ffn_gate_inp_shexp.weight", N_EMBD)
            yield self._random("ffn_gate_shexp.weight", N_EMBD, N_FF_EXPERT)
            yield self._random("ffn_up_shexp.weight", N_EMBD, N_FF_EXPERT)
            yield self._last("ffn_down_shexp.weight", N_FF_EXPERT, N_EMBD)

    def _next_token_prediction(self) -> Iterator[Tensor]:
        if self._successors is None:
            yield self._random("nextn.eh_proj.weight", 2 * N_EMBD, N_EMBD)
        else:  # reads the token's embedding and the hidden state, side by side
            yield "nextn.eh_proj.weight", np.hstack([np.zeros_like(self._successors), self._successors])
        for name in ("enorm", "hnorm", "shared_head_norm"):
            yield self._ones(f"nextn.{name}.weight", N_EMBD)
