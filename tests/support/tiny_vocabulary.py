"""The vocabulary of a tiny model: 256 bytes, some English words, a dialect's special tokens, a script's pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "it",
    "you",
    "that",
    "he",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "his",
    "they",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "by",
    "but",
    "not",
    "what",
    "all",
    "were",
    "when",
    "we",
    "there",
    "can",
    "an",
    "your",
    "which",
    "their",
    "said",
    "if",
    "do",
    "will",
    "each",
    "about",
    "how",
    "up",
    "out",
    "them",
    "then",
    "she",
    "many",
    "some",
    "so",
    "these",
    "would",
]
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5


def _byte_characters() -> dict[int, str]:
    """Return GPT-2's printable character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable}
    table.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return table


BYTE_CHARACTERS = _byte_characters()


def spelled(data: bytes) -> str:
    """Return bytes as the characters that stand for them in a vocabulary."""
    return "".join(BYTE_CHARACTERS[byte] for byte in data)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of models marks turns. ``end`` is the token that ends an answer."""

    control: tuple[str, ...]
    user_defined: tuple[str, ...]
    bos: str
    eos: str
    eot: str
    end: str
    pre_tokenizer: str
    adds_bos: bool
    writes: tuple[str, ...]  # the special tokens that an answer may hold


_QWEN_MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
DIALECTS = {
    "qwen": Dialect(
        control=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        user_defined=_QWEN_MARKS,
        bos="<|endoftext|>",
        eos="<|im_end|>",
        eot="<|im_end|>",
        end="<|im_end|>",
        pre_tokenizer="qwen2",
        adds_bos=False,
        writes=_QWEN_MARKS,
    ),
    "gemma": Dialect(
        control=("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
        user_defined=(),
        bos="<bos>",
        eos="<eos>",
        eot="<end_of_turn>",
        end="<end_of_turn>",
        pre_tokenizer="gpt-2",
        adds_bos=True,
        writes=(),
    ),
    "harmony": Dialect(
        control=(
            "<|startoftext|>",
            "<|endoftext|>",
            "<|return|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|channel|>",
            "<|call|>",
            "<|constrain|>",
        ),
        user_defined=(),
        bos="<|startoftext|>",
        eos="<|return|>",
        eot="<|end|>",
        end="<|return|>",
        pre_tokenizer="gpt-4o",
        adds_bos=False,
        writes=("<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|constrain|>"),
    ),
    "llama3": Dialect(
        control=(
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
        ),
        user_defined=(),
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        eot="<|eot_id|>",
        end="<|eot_id|>",
        pre_tokenizer="llama-bpe",
        adds_bos=True,
        writes=(),
    ),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token texts, their GGUF types, the merges, and each text's number."""

    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]
    ids: dict[str, int]


def _words_and_merges() -> Iterator[tuple[str, str]]:
    """Yield each beginning of a word with the merge that makes it."""
    seen: set[str] = set()
    for word in _WORDS:
        characters = spelled(f" {word}".encode())
        for size in range(2, len(characters) + 1):
            token = characters[:size]
            if token not in seen:
                seen.add(token)
                yield token, f"{token[:-1]} {token[-1]}"


WORD_TOKENS = frozenset(token for token, _ in _words_and_merges())


def vocabulary(dialect: Dialect, pieces: Sequence[str] = ()) -> Vocabulary:
    """Return a vocabulary that also holds a script's pieces."""
    tokens = list(BYTE_CHARACTERS.values())
    merges = []
    for token, merge in _words_and_merges():
        tokens.append(token)
        merges.append(merge)
    special = set(dialect.control + dialect.user_defined)
    tokens.extend(piece for piece in pieces if piece not in special)
    types = (
        [_NORMAL] * len(tokens)
        + [_CONTROL] * len(dialect.control)
        + [_USER_DEFINED] * len(dialect.user_defined)
    )
    tokens.extend(dialect.control + dialect.user_defined)
    while len(tokens) % 32:
        tokens.append(f"[PAD{len(tokens)}]")
        types.append(_UNUSED)
    ids = {token: number for number, token in enumerate(tokens)}
    if len(ids) != len(tokens):
        raise ValueError("two tokens of the vocabulary have the same text; llama.cpp refuses that")
    return Vocabulary(tuple(tokens), tuple(types), tuple(merges), ids)
