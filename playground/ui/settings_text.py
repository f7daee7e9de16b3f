"""Lists, pairs and limits of the settings as text that a person types. Pure functions, no widgets.

The functions that read raise UsageError with a part of a sentence: the field's name goes before it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence

import msgspec

from playground.chat.options import Sampling
from playground.errors import UsageError
from playground.models.catalog.recommended import Family

_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}
_LIMITS = {"<=": "at most", ">=": "at least", ">": "more than", "<": "less than"}
_MOST = 2_147_483_647


def names(text: str) -> tuple[str, ...]:
    """Return names that are separated by commas, spaces or lines."""
    return tuple(re.split(r"[,\s]+", text.strip())) if text.strip() else ()


def numbers(text: str) -> tuple[float, ...]:
    """Return numbers that are separated by commas or spaces. Raises UsageError."""
    return tuple(_number(part) for part in names(text))


def shown_numbers(values: Sequence[float]) -> str:
    """Return numbers as ``numbers`` reads them."""
    return ", ".join(f"{value:g}" for value in values)


def lines(text: str) -> tuple[str, ...]:
    r"""Return one string for each line that is not empty; ``\n``, ``\t``, ``\r`` and ``\\`` are escapes."""
    return tuple(_unescaped(line) for line in text.split("\n") if line)


def shown_lines(values: Sequence[str]) -> str:
    """Return strings as ``lines`` reads them."""
    return "\n".join(_escaped(value) for value in values)


def biases(text: str) -> tuple[tuple[str, float], ...]:
    r"""Return pairs from lines such as ``text = -5``, with the escapes of ``lines``. Raises UsageError.

    The last ``=`` counts. Spaces at the start belong to the text, since they belong to tokens.
    """
    found = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        token, sign, bias = line.rpartition("=")
        token = _unescaped(token.removesuffix(" "))
        if not sign or not token:
            raise UsageError(f"write each line as “text = bias”, not “{line.strip()}”")
        found.append((token, _number(bias.strip())))
    return tuple(found)


def shown_biases(values: Sequence[tuple[str, float]]) -> str:
    """Return pairs as ``biases`` reads them."""
    return "\n".join(f"{_escaped(token)} = {bias:g}" for token, bias in values)


def json_schema(text: str) -> str:
    """Return a JSON schema as it was typed. Raises UsageError for what is not a JSON object."""
    if not text.strip():
        return ""
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise UsageError(f"this is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise UsageError("a schema is a JSON object in braces")
    return text


def limits(options: type[msgspec.Struct], name: str) -> tuple[float, float]:
    """Return the least and the largest value of a numeric option, from its type."""
    found = msgspec.inspect.type_info(options)
    assert isinstance(found, msgspec.inspect.StructType)
    kind = next(field.type for field in found.fields if field.name == name)
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for one in kinds:
        if isinstance(one, (msgspec.inspect.IntType, msgspec.inspect.FloatType)):
            low = one.ge if one.ge is not None else one.gt
            return (low if low is not None else -_MOST, one.le if one.le is not None else _MOST)
    raise TypeError(f"{name} is not a number")


def limit_words(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the option that a value does not suit, and why, as a part of a sentence."""
    what, _sign, place = str(error).partition(" - at ")
    names_in = re.findall(r"\.(\w+)", place)
    limit = re.fullmatch(r"Expected `\w+` ([<>]=?) (\S+)", what)
    words = f"it must be {_LIMITS[limit[1]]} {float(limit[2]):g}" if limit else what.replace("`", "")
    return (names_in[-1] if names_in else ""), words


def sampling_order() -> str:
    """Return in which order the samplers work, as the options document it."""
    paragraphs = (inspect.getdoc(Sampling) or "").split("\n\n")
    order = " ".join(paragraphs[1].replace("`", "").split()) if len(paragraphs) > 1 else ""
    return order.removeprefix("The order: ")


def recommendation_words(family: Family) -> str:
    """Return what a button offers that fills in a publisher's values."""
    return f"Recommended for {family.family}"


def recommendation_source(family: Family) -> str:
    """Return where recommended values come from, and what they depend on."""
    return f"From {family.source}, read on {family.read}. They follow “Thinking” on the page Answer."


def _unescaped(text: str) -> str:
    return re.sub(r"\\[ntr\\]", lambda found: _ESCAPES[found[0]], text)


def _escaped(text: str) -> str:
    for sign, meaning in reversed(_ESCAPES.items()):  # the backslash first
        text = text.replace(meaning, sign)
    return text


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"“{text}” is not a number") from error
    if value != value or value in (float("inf"), float("-inf")):
        raise UsageError(f"“{text}” is not a number")
    return value
