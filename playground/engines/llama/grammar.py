"""Grammars that limit an answer: GBNF, or a JSON schema by the binding's own converter.

Both come from a person or a program, and llama.cpp's reader of them recurses and never gives up: what could overflow its
stack is refused, what takes too long ends the process (``limits``).
"""

from __future__ import annotations

import array
import ctypes
import json
import re
from typing import Any

from playground.chat.options import Sampling
from playground.engines.limits import TimeUpError, limited, watched
from playground.engines.llama.library import L, json_schema_to_gbnf, log
from playground.errors import EngineError, ErrorKind, one_line

TIME_LIMIT_S = 5.0
_SCHEMA_TIME_LIMIT_S = 4.0
_LONGEST_CHARS = 512 << 10
_DEEPEST = 500
_WORDS = 3  # of four bytes each, in one candidate: id, logit, probability
_LITERALS = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|#[^\n]*')


def native(vocabulary: Any, options: Sampling) -> Any:  # noqa: ANN401 -- opaque pointers
    """Return llama.cpp's sampler of the grammar in the options, None without one. Raises EngineError."""
    source = options.grammar or _of_schema(options.json_schema)
    if not source:
        return None
    _refuse_excess(source)
    log.clear()
    with watched(TIME_LIMIT_S):
        found = L.llama_sampler_init_grammar(vocabulary, source.encode(), b"root")
    if not found:
        causes = [cause for cause in log.errors() if "failed" not in cause]
        raise _failure(one_line(causes[0], 200) if causes else "llama.cpp does not understand it")
    return found


class Candidates:
    """All tokens of a vocabulary with the logits of one place, in the form that samplers take."""

    def __init__(self, n_vocab: int) -> None:
        self._tokens = (L.llama_token_data * n_vocab)()
        words = memoryview(self._tokens).cast("B")
        words.cast("i")[::_WORDS] = memoryview(array.array("i", range(n_vocab)))
        self._fresh = bytes(words)
        self._logits = words.cast("f")[1::_WORDS]
        self._n_vocab = n_vocab

    def fill(self, logits: Any) -> Any:  # noqa: ANN401 -- native pointers and structs
        """Return the tokens with these logits; they are what the last ``fill`` returned, too."""
        ctypes.memmove(self._tokens, self._fresh, len(self._fresh))
        given = (ctypes.c_float * self._n_vocab).from_address(ctypes.addressof(logits.contents))
        self._logits[:] = memoryview(given).cast("B").cast("f")
        return L.llama_token_data_array(self._tokens, self._n_vocab, -1, False)


def dead_end() -> EngineError:
    """Return the error of a grammar that leads to where no token of the model is allowed."""
    return _failure("it allows none of the model's tokens at some place")


def _of_schema(schema: str) -> str:
    if not schema.strip():
        return ""
    try:
        with limited(_SCHEMA_TIME_LIMIT_S):
            is_object = isinstance(json.loads(schema), dict)
            found = json_schema_to_gbnf(schema) if is_object else ""
    except TimeUpError as error:
        raise _schema_failure(f"it was not read within {_SCHEMA_TIME_LIMIT_S:g} s") from error
    except MemoryError as error:
        raise _schema_failure("it needs too much memory") from error
    except Exception as error:  # the converter raises whatever comes
        words = str(error).partition("(use --")[0]  # an option of llama.cpp's own script
        raise _schema_failure(one_line(words, 200).strip(" .") or type(error).__name__) from error
    if not is_object:
        raise _schema_failure("it is not an object")
    return found


def _refuse_excess(source: str) -> None:
    if len(source) > _LONGEST_CHARS:
        raise _failure(f"it is {len(source):,} characters long, and {_LONGEST_CHARS:,} are the most")
    if "\0" in source:
        raise _failure("it holds a NUL character")
    depth = deepest = 0
    for character in _LITERALS.sub("", source):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise _failure(f"its parentheses are nested {deepest:,} deep")


def _failure(reason: str) -> EngineError:
    return EngineError(
        ErrorKind.PROMPT,
        f"The grammar cannot be used: {reason}.",
        hint="Check its GBNF, which must define root.",
    )


def _schema_failure(reason: str) -> EngineError:
    return EngineError(
        ErrorKind.PROMPT,
        f"The JSON schema cannot be used: {reason}.",
        hint="Check that it is JSON and uses no remote references.",
    )
