"""GGUF files as bytes for the fake Hub: real headers, with vocabularies of any length, and no weights."""

from __future__ import annotations

from tests.support.broken_gguf import Parts, Value, string, u32
from tests.support.mutants import texts

VOCABULARY = 262_144


def parts(*, vocabulary: int = 64, arch: str = "gemma3") -> Parts:
    """Return a model's header: numbers of its architecture, then its vocabulary."""
    numbers = {
        "context_length": 32_768,
        "embedding_length": 640,
        "block_count": 18,
        "attention.head_count": 4,
        "attention.head_count_kv": 1,
        "attention.key_length": 256,
        "attention.value_length": 256,
        "attention.sliding_window": 512,
    }
    keys: dict[str, Value] = {"general.architecture": string(arch), "general.name": string("Remote")}
    keys |= {f"{arch}.{name}": u32(number) for name, number in numbers.items()}
    keys["tokenizer.ggml.model"] = string("llama")
    keys["tokenizer.ggml.tokens"] = texts([f"<{number:x}>".encode() for number in range(vocabulary)])
    keys["general.file_type"] = u32(15)
    return Parts(keys, (), bytes(4096))


def model_bytes(*, vocabulary: int = 64, arch: str = "gemma3") -> bytes:
    """Return such a file."""
    return parts(vocabulary=vocabulary, arch=arch).to_bytes()
