"""Tiny GGUF files with real architectures: a few megabytes that llama.cpp loads and runs in milliseconds.

Without a script the weights are random and so is the text. With a script the model answers every prompt with
exactly that text, at any temperature, through all of its real layers (see ``tiny_script``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from tests.support import tiny_script, tiny_tensors
from tests.support.tiny_tensors import Layers, Shape
from tests.support.tiny_vocabulary import DIALECTS, Dialect, Vocabulary, vocabulary

_TEMPLATES = Path(__file__).parent / "templates"
_DIALECT_NAMES = {"gemma3": "gemma", "gpt-oss": "harmony", "llama": "llama3"}
_TEMPLATE_FILES = {
    "llama": "meta-llama-Llama-3.2-3B-Instruct.jinja",
    "qwen3": "Qwen-Qwen3-0.6B.jinja",
    "qwen35": "Qwen3.5-4B.jinja",
    "qwen35moe": "Qwen3.5-4B.jinja",
    "gemma3": "google-gemma-2-2b-it.jinja",
    "gpt-oss": "openai-gpt-oss-120b.jinja",
}
ARCHITECTURES = (*_TEMPLATE_FILES, "qwen35-mtp", "qwen35moe-mtp")
SLIDING_WINDOW = 64
_ALL_F32 = 0


def build(
    arch: str,
    out: Path,
    *,
    script: str | None = None,
    n_layer: int = 4,
    ctx: int = 4096,
    seed: int = 1,
    template: str | None = "auto",
    endless: bool = False,
    embeds: Literal["", "pooling", "bidirectional"] = "",
    tensors_per_file: int = 0,
) -> Path:
    """Write a tiny model and return its path.

    ``arch`` is one of ARCHITECTURES. ``script`` is the exact text of every answer; ``endless`` repeats it for ever
    instead of ending the turn. ``template``: ``auto`` is the family's own, for which it is always the same day, None
    makes a base model, other text is taken as it is. ``ctx`` is the trained context in tokens. ``embeds`` makes an
    embedding model of it: ``pooling`` or ``bidirectional``. ``tensors_per_file`` splits it, and the path is that of the
    first file. Raises ValueError for an unknown architecture or a script that cannot be cut.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"no tiny {arch!r}; there are {', '.join(ARCHITECTURES)}")
    if endless and script is None:
        raise ValueError("only a script can be endless")
    shape = Shape(arch.removesuffix("-mtp"), n_layer, 1 if arch.endswith("-mtp") else 0)
    dialect = DIALECTS[_DIALECT_NAMES.get(shape.base, "qwen")]
    pieces = [] if script is None else tiny_script.cut(script, dialect)
    words = vocabulary(dialect, pieces)
    writer = gguf.GGUFWriter(out, shape.base, split_max_tensors=tensors_per_file)
    writer.add_name(f"tiny-{arch}{'' if script is None else '-script'}")
    _add_hyperparameters(writer, shape, ctx)
    if embeds == "pooling":
        writer.add_pooling_type(gguf.PoolingType.MEAN)
    elif embeds:
        writer.add_causal_attention(False)
    _add_tokenizer(writer, shape, dialect, words)
    text = _template(shape.base, template)
    if text is not None:
        writer.add_chat_template(text)
    rng = np.random.default_rng(seed)
    successors = None
    if script is None:
        tables = _random_tables(words, rng)
    else:
        chain = [words.ids[piece] for piece in pieces]
        end = None if endless else dialect.end
        tables = tiny_script.tables(words, pieces, end, tiny_tensors.N_EMBD, rng)
        last = chain[0] if end is None else words.ids[end]
        successors = tiny_script.hidden_successors(tables[0], chain, last)
    writer.add_tensor("token_embd.weight", tables[0])
    writer.add_tensor("output.weight", tables[1])
    for name, values in Layers(shape, rng, successors).tensors():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return min(out.parent.glob(f"{out.stem}-00001-of-*.gguf")) if tensors_per_file else out


def template_of(arch: str) -> str:
    """Return an architecture's own chat template, for which it is always the same day."""
    file = _TEMPLATES / _TEMPLATE_FILES[arch.removesuffix("-mtp")]
    return re.sub(r"strftime_now\([^)]*\)", '"24 November 2026"', file.read_text(encoding="utf-8"))


def _random_tables(
    words: Vocabulary, rng: np.random.Generator
) -> tuple[tiny_script.Matrix, tiny_script.Matrix]:
    size = (len(words.tokens), tiny_tensors.N_EMBD)
    embedding = rng.standard_normal(size).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    return embedding, (rng.standard_normal(size) * 0.05).astype(np.float32)


def _template(base: str, template: str | None) -> str | None:
    return template_of(base) if template == "auto" else template


def _add_hyperparameters(writer: Any, shape: Shape, ctx: int) -> None:  # noqa: ANN401 -- gguf has no types
    writer.add_license("CC0-1.0")
    writer.add_file_type(_ALL_F32)
    writer.add_context_length(ctx)
    writer.add_embedding_length(tiny_tensors.N_EMBD)
    writer.add_block_count(shape.n_layer + shape.n_mtp)
    writer.add_feed_forward_length(tiny_tensors.N_FF)
    writer.add_head_count(tiny_tensors.N_HEAD)
    writer.add_head_count_kv(tiny_tensors.N_HEAD_KV)
    writer.add_key_length(tiny_tensors.HEAD_SIZE)
    writer.add_value_length(tiny_tensors.HEAD_SIZE)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    if shape.is_hybrid:
        _add_recurrent_hyperparameters(writer, shape)
    if shape.base in ("gemma3", "gpt-oss"):
        writer.add_sliding_window(SLIDING_WINDOW)
    if shape.base == "gpt-oss":
        writer.add_rope_dimension_count(tiny_tensors.HEAD_SIZE)
    if shape.is_moe:
        writer.add_expert_count(tiny_tensors.N_EXPERT)
        writer.add_expert_used_count(tiny_tensors.N_EXPERT_USED)
        writer.add_expert_feed_forward_length(tiny_tensors.N_FF_EXPERT)
    if shape.base == "qwen35moe":
        writer.add_expert_shared_feed_forward_length(tiny_tensors.N_FF_EXPERT)


def _add_recurrent_hyperparameters(writer: Any, shape: Shape) -> None:  # noqa: ANN401 -- gguf has no types
    writer.add_rope_dimension_count(16)
    writer.add_rope_dimension_sections([4, 2, 2, 0])
    writer.add_ssm_conv_kernel(tiny_tensors.SSM_CONV)
    writer.add_ssm_inner_size(tiny_tensors.SSM_STATE * tiny_tensors.SSM_HEADS)
    writer.add_ssm_state_size(tiny_tensors.SSM_STATE)
    writer.add_ssm_time_step_rank(tiny_tensors.SSM_HEADS)
    writer.add_ssm_group_count(tiny_tensors.SSM_GROUPS)
    writer.add_full_attention_interval(tiny_tensors.ATTENTION_INTERVAL)
    if shape.n_mtp:
        writer.add_nextn_predict_layers(shape.n_mtp)


def _add_tokenizer(writer: Any, shape: Shape, dialect: Dialect, words: Vocabulary) -> None:  # noqa: ANN401 -- gguf has no types
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen35" if shape.is_hybrid else dialect.pre_tokenizer)
    writer.add_token_list(list(words.tokens))
    writer.add_token_types(list(words.types))
    writer.add_token_merges(list(words.merges))
    writer.add_bos_token_id(words.ids[dialect.bos])
    writer.add_eos_token_id(words.ids[dialect.eos])
    writer.add_pad_token_id(len(words.tokens) - 1)
    if dialect.eot != dialect.eos and shape.base == "gemma3":
        writer.add_eot_token_id(words.ids[dialect.eot])
    writer.add_add_bos_token(dialect.adds_bos)
