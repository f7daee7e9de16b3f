"""Recommended sampling values: the right family, and values that the options accept."""

from __future__ import annotations

import msgspec
import pytest

from playground.chat.options import Sampling
from playground.models.catalog.recommended import families, recommendation, recommended
from playground.models.files import ModelFile


def _model(arch: str, name: str, *, is_base: bool = False) -> ModelFile:
    return ModelFile(name, f"/m/{name}.gguf", name, 1, arch, "Q4_K_M", 1, 8192, is_base)


@pytest.mark.parametrize(
    ("arch", "name", "family"),
    [
        ("qwen35", "Qwen3.6-27B", "Qwen3.5 and Qwen3.6"),
        ("qwen35", "Qwen3.8-27B", "Qwen3.8"),
        ("qwen35moe", "Qwen3.5-397B-A17B", "Qwen3.5 and Qwen3.6"),
        ("gpt-oss", "gpt-oss-120b", "gpt-oss"),
        ("gemma3", "gemma-3-4b-it", "Gemma 3 and Gemma 4"),
    ],
)
def test_a_model_belongs_to_its_family(arch: str, name: str, family: str) -> None:
    found = recommendation(_model(arch, name))
    assert found is not None
    assert found.family == family


def test_unknown_and_base_models_get_none() -> None:
    assert recommendation(_model("llama", "x")) is None
    assert recommendation(_model("gemma3", "gemma-3-270m", is_base=True)) is None
    assert recommended(_model("llama", "x"), Sampling(top_k=7), None) == Sampling(top_k=7)


def test_thinking_decides_and_other_options_stay() -> None:
    model, mine = _model("qwen35", "Qwen3.6-27B"), Sampling(seed=9, dry_multiplier=0.5)
    assert recommended(model, mine, True).temperature == 0.6
    plain = recommended(model, mine, False)
    assert (plain.temperature, plain.top_p, plain.presence_penalty) == (0.7, 0.8, 1.5)
    assert (plain.seed, plain.dry_multiplier) == (9, 0.5)


def test_all_values_are_usable() -> None:
    for family in families():
        assert family.source.startswith("https://")
        for values in (family.thinking, family.plain):
            made = values.applied_to(Sampling())
            assert msgspec.convert(msgspec.to_builtins(made), Sampling) == made
