"""How a model is loaded and how its tokens are drawn: plain values with their limits. Knows no other room."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

FlashAttention = Literal["auto", "on", "off"]
KvType = Literal["auto", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
SplitMode = Literal["layer", "row", "none"]
ReasoningEffort = Literal["none", "low", "medium", "high", "xhigh"]
GpuLayers = Literal["auto", "none", "all"] | Annotated[int, msgspec.Meta(ge=0)]
CpuExperts = Literal["auto", "none", "all"] | Annotated[int, msgspec.Meta(ge=0)]
MTP = "mtp"  # a value of LoadOptions.draft
MAX_PENALTY_TOKENS = 1 << 20  # llama.cpp keeps that many in memory
MAX_CONTEXT_TOKENS = 1 << 30  # llama.cpp counts positions in 32 bits
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Factor = Annotated[float, msgspec.Meta(ge=0, le=100)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class LoadOptions(msgspec.Struct, frozen=True):
    """How a model is loaded. ``None`` and ``auto`` leave the choice to the app.

    ``n_ctx``: tokens of context; ``None``: the model's own, at most 8,192.
    ``threads``: the most this lane may use; the app shares the physical cores out and never exceeds them.
    ``devices``: names of devices to offload to, RPC servers as ``rpc://host:port``; empty: all GPUs of this machine.
    ``tensor_split``: share of each device, in their order; empty: by free memory. ``main_gpu``: the device that
    holds everything when ``split_mode`` is ``none``.
    ``cpu_experts``: layers whose expert tensors stay on the CPU (mixture of experts only), first layers first.
    ``kv_offload``: the KV cache lies beside its layer; else in the machine's memory.
    ``sequences``: how many answers can be under way at once in this model's context.
    ``draft``: empty, ``mtp`` (the model's own prediction layers) or the path of a smaller model with the same
    vocabulary; ``draft_tokens`` are proposed at a time.
    ``template``: Jinja source in place of the file's own; empty text: the plain prompt of a base model.
    """

    n_ctx: Annotated[int, msgspec.Meta(ge=8, le=MAX_CONTEXT_TOKENS)] | None = None
    gpu_layers: GpuLayers = "auto"
    threads: Annotated[int, msgspec.Meta(ge=1)] | None = None
    flash_attention: FlashAttention = "auto"
    kv_type: KvType = "auto"
    mmap: bool = True
    mlock: bool = False
    devices: tuple[str, ...] = ()
    split_mode: SplitMode = "layer"
    tensor_split: tuple[Factor, ...] = ()
    main_gpu: Count = 0
    cpu_experts: CpuExperts = "auto"
    kv_offload: bool = True
    sequences: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    draft: str = ""
    draft_tokens: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4
    template: str | None = None


class Sampling(msgspec.Struct, frozen=True):
    """How tokens are drawn. The chain is fixed, and each link that is off is left out.

    The order: logit bias, top-k, DRY, penalties, typical, top-p, min-p, XTC, temperature, draw by seed. With ``mirostat`` 2:
    logit bias, top-k, DRY, penalties, temperature, mirostat. A grammar, or the grammar of a JSON schema, limits the
    answer (not the reasoning) to what it allows, before all others.

    Off is: ``top_k`` 0, ``top_p`` 1, ``min_p`` 0, ``typical_p`` 1, ``xtc_probability`` 0, ``dry_multiplier`` 0,
    ``repeat_penalty`` 1, the other penalties 0, ``dynamic_range`` 0, ``mirostat`` 0. ``temperature`` 0 always takes
    the likeliest token. ``penalty_tokens`` is how many of the last generated tokens the penalties see (DRY too).
    ``logit_bias``: (text or token id as text, bias added to its logit).
    """

    temperature: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.7
    dynamic_range: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    top_k: Count = 40
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95
    min_p: Share = 0.05
    typical_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    xtc_probability: Share = 0.0
    xtc_threshold: Share = 0.1
    dry_multiplier: Factor = 0.0
    dry_base: Annotated[float, msgspec.Meta(ge=1, le=100)] = 1.75
    dry_allowed_length: Annotated[int, msgspec.Meta(ge=1)] = 2
    repeat_penalty: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    frequency_penalty: Annotated[float, msgspec.Meta(ge=-10, le=10)] = 0.0
    presence_penalty: Annotated[float, msgspec.Meta(ge=-10, le=10)] = 0.0
    penalty_tokens: Annotated[int, msgspec.Meta(ge=0, le=MAX_PENALTY_TOKENS)] = 64
    mirostat: Literal[0, 2] = 0
    mirostat_tau: Factor = 5.0
    mirostat_eta: Share = 0.1
    logit_bias: tuple[tuple[str, Annotated[float, msgspec.Meta(ge=-1000, le=1000)]], ...] = ()
    grammar: str = ""
    json_schema: str = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFE)] = 42


class AnswerOptions(msgspec.Struct, frozen=True):
    """How an answer is made: sampling, its longest length in tokens, stop strings, template arguments.

    ``n`` answers of the same prompt are drawn with the seeds ``seed``, ``seed + 1``, ….
    ``thinking``, ``preserve_thinking`` and ``reasoning_effort`` are keyword arguments of the chat template; None leaves
    them to the template. ``reasoning_budget``: tokens after which the engine closes the reasoning and lets the model
    answer; None: no limit. ``context_shift``: at the end of the context, forget the oldest half of the conversation
    and go on, where the model can; otherwise the answer stops there.
    """

    sampling: Sampling = Sampling()
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] = 1024
    stop: tuple[str, ...] = ()
    n: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    thinking: bool | None = None
    preserve_thinking: bool | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning_budget: Count | None = None
    context_shift: bool = False
