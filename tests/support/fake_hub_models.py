"""Many models for the fake Hub, each as long in its answers as those of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.fake_hub_files import HubContent, HubRepo, make_repo

_SIZES = (0.6, 1.7, 4.0, 8.2, 14.8, 30.5, 72.7, 235.0)
_QUANTS = (
    "Q2_K",
    "Q3_K_S",
    "Q3_K_M",
    "Q3_K_L",
    "IQ4_XS",
    "Q4_0",
    "Q4_K_S",
    "Q4_K_M",
    "Q5_0",
    "Q5_K_S",
    "Q5_K_M",
)
_MORE_QUANTS = ("Q6_K", "Q8_0", "BF16", "UD-IQ1_M", "UD-IQ2_XXS", "UD-Q2_K_XL", "UD-Q4_K_XL", "UD-Q6_K_XL")
_TEMPLATE = (
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{% endif %}\n" * 120
)  # a search answers with templates, too
_CARD = b"---\nlicense: apache-2.0\n---\n\n# A model\n\n" + b"It answers questions about code. " * 200


def many(count: int, gguf: Path) -> Iterator[HubRepo]:
    """Yield ``count`` repositories ``maker/coder-...-GGUF``; each quantization of all is the same small file."""
    weights, card = HubContent(gguf), HubContent(_CARD, name="README.md")
    for number in range(count):
        size = _SIZES[number % len(_SIZES)]
        name = f"Coder-{number:03}-{size:g}B-Instruct"
        files = {f"{name}-{quant}.gguf": weights for quant in (*_QUANTS, *_MORE_QUANTS)}
        files["README.md"] = card
        yield make_repo(f"maker-{number % 7}/{name}-GGUF", files, **_described(name, size, number))


def _described(name: str, size: float, number: int) -> dict[str, Any]:
    tags = ["gguf", "qwen3", "text-generation", "conversational", "license:apache-2.0", "region:us"]
    return {
        "downloads": 3_000_000 // (number + 1),
        "likes": 9_000 // (number + 1),
        "tags": [*tags, f"base_model:maker/{name}", f"base_model:quantized:maker/{name}", "en", "de", "zh"],
        "gguf": {
            "total": int(size * 1e9),
            "architecture": "qwen3",
            "context_length": 131_072,
            "chat_template": _TEMPLATE,
        },
    }
