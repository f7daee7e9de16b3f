"""Scripted models: an exact text as a chain of tokens, each of which has one successor.

The layers of a scripted model write nothing to the residual stream, so the last token alone decides the next:
the output matrix is a successor table. A token can have one successor only, so the text is cut into pieces that
are all different; every token that is no piece leads to the first one, whatever the prompt ends with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tests.support.tiny_vocabulary import WORD_TOKENS, Dialect, Vocabulary, spelled

_SHORTEST_BYTES = 3  # one and two bytes are tokens of prompts: they must lead to the beginning of the script
_STRENGTH = 40.0  # distance in logits between the successor and the rest is above 100 at temperature 1

Matrix = npt.NDArray[np.float32]


def cut(text: str, dialect: Dialect) -> list[str]:
    """Cut a text into different pieces, spelled as in a vocabulary. UTF-8 may be cut inside a character.

    A dialect's special token is one piece the first time; when it comes again it is ordinary text.
    Raises ValueError when the text cannot be cut so.
    """
    if not text:
        raise ValueError("an empty script cannot be cut into tokens")
    used = set(WORD_TOKENS)
    pieces: list[str] = []
    for part, is_special in _parts(text, dialect.writes):
        for piece in [part] if is_special else _cut_part(part.encode(), used):
            used.add(piece)
            pieces.append(piece)
    return pieces


def _parts(text: str, specials: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the text in parts, the first occurrence of each special token apart and marked True."""
    left = list(specials)
    while text:
        found = min(((text.find(mark), mark) for mark in left if mark in text), default=(len(text), ""))
        position, mark = found
        if position:
            yield text[:position], False
        if mark:
            yield mark, True
            left.remove(mark)
        text = text[position + len(mark) :]


def _cut_part(data: bytes, used: set[str]) -> list[str]:
    """Cut bytes into pieces that are new; a tail that is not new joins the piece before it."""
    pieces: list[str] = []
    start = 0
    while start < len(data):
        size = _SHORTEST_BYTES
        while spelled(data[start : start + size]) in used or spelled(data[start : start + size]) in pieces:
            if start + size >= len(data):
                break
            size += 1
        piece = spelled(data[start : start + size])
        start += size
        while len(piece) < _SHORTEST_BYTES or piece in used or piece in pieces:
            if not pieces:
                raise ValueError(
                    f"cannot make a new token of {piece!r}: vary the script or make it longer there"
                )
            piece = pieces.pop() + piece
        pieces.append(piece)
    return pieces


def tables(
    words: Vocabulary, pieces: Sequence[str], end: str | None, n_embd: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix]:
    """Return the embedding and output matrices that print the pieces and then ``end`` (None: begin again)."""
    chain = [words.ids[piece] for piece in pieces]
    if len(set(chain)) != len(chain):
        raise ValueError("the script's pieces are not all different")
    embedding = rng.standard_normal((len(words.tokens), n_embd)).astype(np.float32)
    embedding[:, 0] = 0.0
    others = np.ones(len(words.tokens), dtype=bool)
    others[chain] = False
    embedding[others, 1:] *= 0.01  # everything else points along the first axis, which no piece uses
    embedding[others, 0] = 1.0
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    output = np.zeros_like(embedding)
    output[chain[0], 0] = _STRENGTH
    last = chain[0] if end is None else words.ids[end]
    for token, successor in zip(chain, [*chain[1:], last], strict=True):
        output[successor] += _STRENGTH * embedding[token]
    return embedding, output


def hidden_successors(embedding: Matrix, chain: Sequence[int], end: int) -> Matrix:
    """Return the matrix that makes of what a token leaves in the residual stream the embedding of its successor.

    ``chain``: the numbers of the pieces, ``end``: of what follows them. Exact for scripts with fewer pieces than
    the embedding has dimensions.
    """
    start = np.zeros(embedding.shape[1], np.float32)
    start[0] = 1.0  # where all tokens that are no pieces point
    before = np.stack([start, *embedding[chain]], axis=1)
    behind = np.stack([*embedding[chain], embedding[end]], axis=1)
    return (behind @ np.linalg.pinv(before)).astype(np.float32)
