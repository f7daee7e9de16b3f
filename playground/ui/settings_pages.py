"""What the settings of a lane offer, page by page, as rows of a form. Data and its words; no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import msgspec

from playground.chat.options import AnswerOptions, FlashAttention, KvType, LoadOptions, Sampling
from playground.ui import settings_text as text
from playground.ui.settings_fields import (
    ChoiceField,
    CountField,
    DecimalField,
    Field,
    LineField,
    NumberOrWordField,
    SwitchField,
    TextField,
)
from playground.ui.settings_special import DraftField, TemplateField

_OPTIONAL = {"The model's default": None, "On": True, "Off": False}


@dataclass(frozen=True, slots=True)
class Row:
    """One option: its attribute, its label, how its field is made, a remark below it. ``head`` begins a group."""

    name: str
    label: str
    make: Callable[[], Field]
    remark: str = ""
    head: str = ""


def model_rows(cores: int, devices: str = "") -> tuple[Row, ...]:
    """Return the rows for LoadOptions. ``devices``: what there is to offload to, in words."""
    names = "Names as in “playground doctor”, RPC servers as rpc://host:port; commas between them."
    number = partial(_count, LoadOptions)
    places = {"Automatic": "auto", "None": "none", "All": "all"}
    threads = partial(CountField, (1, cores), none=f"Shared out by the app, at most {cores}")
    return (
        Row(
            "n_ctx", "Context, tokens", number("n_ctx", 1024, "The model's own, at most 8,192"), head="Memory"
        ),
        Row("kv_type", "Type of the KV cache", _words(get_args(KvType))),
        Row("kv_offload", "KV cache", _switch("Beside its layers, on the GPU")),
        Row("mmap", "Memory mapping", _switch("Read the weights from the file as needed")),
        Row("mlock", "Memory lock", _switch("Keep the weights out of the swap")),
        Row(
            "gpu_layers",
            "Layers on the GPU",
            partial(NumberOrWordField, places, "This many"),
            head="Processors",
        ),
        Row(
            "devices",
            "Devices",
            partial(LineField, text.names, ", ".join, "All GPUs of this machine"),
            f"{devices} {names}".strip(),
        ),
        Row("split_mode", "Split between devices", _words(("layer", "row", "none"))),
        Row(
            "tensor_split",
            "Tensor split",
            partial(LineField, text.numbers, text.shown_numbers, "By free memory"),
            "The share of each device, such as 3, 1.",
        ),
        Row("main_gpu", "Main GPU", number("main_gpu"), "Holds everything when nothing is split."),
        Row("cpu_experts", "Experts on the CPU", partial(NumberOrWordField, places, "This many layers")),
        Row("threads", "Threads, at most", threads),
        Row("flash_attention", "Flash attention", _words(get_args(FlashAttention))),
        Row("draft", "Draft", DraftField, "Proposes tokens that the model only checks.", head="Drafting"),
        Row("draft_tokens", "Draft tokens", number("draft_tokens"), "Proposed at a time."),
        Row("template", "Chat template", TemplateField, head="Prompt format"),
    )


def sampling_rows() -> tuple[Row, ...]:
    """Return the rows for Sampling."""
    number, decimal = partial(_count, Sampling), partial(_decimal, Sampling)
    return (
        Row("temperature", "Temperature", decimal("temperature", 0.1), "0 always takes the likeliest token."),
        Row("dynamic_range", "Dynamic range", decimal("dynamic_range", 0.1), "Of the temperature; 0 is off."),
        Row("seed", "Seed", partial(DecimalField, text.limits(Sampling, "seed"), 1, 0)),
        Row("top_k", "Top-k", number("top_k"), "0 is off.", head="Which tokens stay"),
        Row("top_p", "Top-p", decimal("top_p"), "1 is off."),
        Row("min_p", "Min-p", decimal("min_p"), "0 is off."),
        Row("typical_p", "Typical-p", decimal("typical_p"), "1 is off."),
        Row("xtc_probability", "XTC probability", decimal("xtc_probability"), "0 is off."),
        Row("xtc_threshold", "XTC threshold", decimal("xtc_threshold")),
        Row(
            "repeat_penalty",
            "Repeat penalty",
            decimal("repeat_penalty"),
            "1 is off.",
            head="Against repetition",
        ),
        Row("frequency_penalty", "Frequency penalty", decimal("frequency_penalty"), "0 is off."),
        Row("presence_penalty", "Presence penalty", decimal("presence_penalty"), "0 is off."),
        Row(
            "penalty_tokens",
            "Penalised tokens",
            number("penalty_tokens"),
            "How many of the last tokens are seen.",
        ),
        Row("dry_multiplier", "DRY multiplier", decimal("dry_multiplier"), "0 is off."),
        Row("dry_base", "DRY base", decimal("dry_base")),
        Row("dry_allowed_length", "DRY allowed length", number("dry_allowed_length")),
        Row(
            "mirostat",
            "Mirostat",
            partial(ChoiceField, {"Off": 0, "Mirostat 2": 2}),
            "Takes the place of the samplers behind it.",
            head="Other",
        ),
        Row("mirostat_tau", "Mirostat tau", decimal("mirostat_tau", 0.1)),
        Row("mirostat_eta", "Mirostat eta", decimal("mirostat_eta", 0.01)),
        Row(
            "logit_bias",
            "Logit bias",
            partial(TextField, text.biases, text.shown_biases, hint="text or token id = bias"),
            "One on a line; spaces at the start count.",
        ),
    )


def answer_rows() -> tuple[Row, ...]:
    """Return the rows for the system prompt, AnswerOptions and what limits an answer."""
    number = partial(_count, AnswerOptions)
    efforts = {"The model's default": None, "Low": "low", "Medium": "medium", "High": "high"}
    return (
        Row("system", "System prompt", partial(TextField, hint="None", lines=4, code=False)),
        Row("max_tokens", "Longest answer, tokens", number("max_tokens", 256)),
        Row(
            "stop",
            "Stop strings",
            partial(TextField, text.lines, text.shown_lines, hint="None", lines=2),
            r"One on a line; \n is a new line.",
        ),
        Row("context_shift", "Context shift", _switch("When the context is full, forget the oldest half")),
        Row("thinking", "Thinking", partial(ChoiceField, _OPTIONAL), head="Reasoning"),
        Row("reasoning_effort", "Reasoning effort", partial(ChoiceField, efforts)),
        Row("reasoning_budget", "Reasoning budget, tokens", number("reasoning_budget", 256, "No limit")),
        Row("preserve_thinking", "Preserve thinking", partial(ChoiceField, _OPTIONAL)),
        Row(
            "grammar",
            "Grammar",
            partial(TextField, hint='root ::= "yes" | "no"', lines=5),
            "GBNF; limits the answer, not the reasoning.",
            head="Form of the answer",
        ),
        Row(
            "json_schema",
            "JSON schema",
            partial(TextField, text.json_schema, hint='{"type": "object"}', lines=5),
        ),
    )


def _count(
    options: type[msgspec.Struct], name: str, step: int = 1, none: str = ""
) -> Callable[[], CountField]:
    return partial(CountField, text.limits(options, name), step, none)


def _decimal(options: type[msgspec.Struct], name: str, step: float = 0.05) -> Callable[[], DecimalField]:
    return partial(DecimalField, text.limits(options, name), step)


def _words(values: tuple[Any, ...]) -> Callable[[], ChoiceField]:
    return partial(ChoiceField, {str(value): value for value in values})


def _switch(words: str) -> Callable[[], SwitchField]:
    return partial(SwitchField, words)
