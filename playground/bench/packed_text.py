"""Texts that LBPP packs so that no crawler reads them: base64 of zlib of a pickled string. Read without unpickling.

A pickle is a program; running one from the Hub would be running the Hub's code. Of that program only one instruction
is of interest, "here is a text": the rest must be the frame around it, or the column is refused.
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib

LARGEST_BYTES = 16 << 20
_FRAME = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}
_TEXT = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}


def plain_text(packed: str) -> str:
    """Return the text in a packed column. Raises ValueError when there is anything else in it."""
    try:
        raw = base64.b64decode(packed, validate=True)
        unpacker = zlib.decompressobj()
        pickled = unpacker.decompress(raw, LARGEST_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("it is not base64 of zlib") from error
    if not unpacker.eof:
        raise ValueError("it is cut off or too large")
    texts: list[str] = []
    for instruction, argument, _ in pickletools.genops(pickled):
        if instruction.name in _TEXT and isinstance(argument, str):
            texts.append(argument)
        elif instruction.name not in _FRAME:
            raise ValueError(f"it holds {instruction.name}, not only a text")
    if len(texts) != 1:
        raise ValueError("it does not hold one text")
    return texts[0]
