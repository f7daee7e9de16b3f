"""The Python program in an answer: which block, which helpers with it, what is left out, and why. Executes nothing."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence

from playground.bench.fences import Block, dedented
from playground.bench.outcome import Extracted, Outcome
from playground.bench.python_code import (
    LONGEST_CODE_CHARS,
    Reader,
    bound,
    ends_complete,
    joined,
    method_of,
    missing,
    segments,
    to_first_return,
    without,
    without_demo,
)

TAGS = frozenset({"python", "py", "python3", "py3", "python2", "pycon", "ipython", "py-con", "pyi"})
_MOST_TRIED = 40
_MOST_PIECES = 3000
_DOCTEST = re.compile(r"^[ \t]*(?:>>>|\.\.\.) ?", re.MULTILINE)
_KEPT = (
    ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
    | ast.Import
    | ast.ImportFrom
    | ast.Assign
    | ast.AnnAssign
    | ast.AugAssign
    | ast.If
    | ast.Try
    | ast.With
    | ast.For
    | ast.While
)


class PythonAnswer:
    """Looks for one function in one answer. ``start``: code that the prompt gave and a body would continue."""

    def __init__(self, entry: str, start: str, *, cut: bool) -> None:
        self._entry = entry
        self._start = start
        self._cut = cut
        self._reader = Reader()

    def continued(self, block: Block) -> Extracted:
        """Return the code of a base model that went on with ``start``: up to where the function ends."""
        parts = segments(block.text[:LONGEST_CODE_CHARS])
        at = next((n for n, part in enumerate(parts) if self._defines(part)), -1)
        if at < 0:
            return self._broken(block, parts)
        before = [part for part in parts[:at] if self._parse(part) is not None]
        code, added = self._with_needed("\n".join([*before, parts[at]]), parts[at + 1 :])
        tree = self._parse(code)
        if tree is None:
            return self._unfinished(block)
        last = not any(part.strip() for part in parts[at + 1 :])
        if self._cut and not block.closed and last and not ends_complete(tree, self._entry):
            return Extracted(code, f"The answer reached its limit inside {self._entry}.", Outcome.CUT_OFF)
        rest = "" if last else " and the functions it needs" if added else "; what came after it was left out"
        return Extracted(
            without_demo(code, tree, self._entry), f"Took the completed function {self._entry}{rest}."
        )

    def _broken(self, block: Block, parts: Sequence[str]) -> Extracted:
        """Return what a base model wrote where its function is no valid Python as a whole."""
        at = next((n for n, part in enumerate(parts) if self._begins(part)), -1)
        if at < 0:
            return self._unfinished(block)
        before = [part for part in parts[:at] if self._parse(part) is not None]
        for shorter in to_first_return(parts[at]):
            code = "\n".join([*before, shorter])
            if self._defines(code) and (tree := self._parse(code)) and ends_complete(tree, self._entry):
                how = f"Took {self._entry} up to its return; what came after it is not valid Python."
                return Extracted(code, how)
        if any(part.strip() for part in parts[at + 1 :]):
            code = "\n".join([*before, parts[at]])
            return Extracted(code, f"Took the completed function {self._entry}; it is not valid Python.")
        return self._unfinished(block)

    def _begins(self, part: str) -> bool:
        return re.search(rf"^(?:async )?def +{re.escape(self._entry)}\b", part, re.MULTILINE) is not None

    def from_blocks(self, blocks: Sequence[Block]) -> Extracted | None:
        """Return the code in fenced blocks, or None when none of them holds any."""
        mine = (
            [b for b in blocks if b.tag in TAGS] or [b for b in blocks if b.tag in _UNTAGGED] or list(blocks)
        )
        tried = mine[-_MOST_TRIED:]
        for search in (self._whole, self._method, self._body, self._repaired, self._together):
            if found := search(tried):
                return found
        named = [b for b in tried if re.search(rf"\b(?:def|class)\s+{re.escape(self._entry)}\b", b.text)]
        if self._cut and (not tried or not tried[-1].closed):
            code = tried[-1].text if tried else ""
            return Extracted(
                code, f"The answer reached its limit before {self._entry} was whole.", Outcome.CUT_OFF
            )
        if named:
            return Extracted(
                named[-1].text, f"Took the last block that begins {self._entry}; it is not valid Python."
            )
        other = [b for b in tried if (t := self._parse(b.text)) is not None and bound(t.body)]
        if other:
            return Extracted(other[-1].text, f"Took the last block of code; none defines {self._entry}.")
        return None

    def bare(self, text: str) -> Extracted | None:
        """Return an answer that is nothing but code, or None."""
        block = Block("", text, closed=not self._cut)
        how = "Took the whole answer: it is code without a fence."
        code = self._defining(text)
        return self._finished(code, [], how, block) if code else None

    def from_text(self, text: str) -> Extracted | None:
        """Return the code in a text without any fence, or None."""
        if len(text) > LONGEST_CODE_CHARS:
            return None
        whole = Block("", text, closed=not self._cut)
        for variant in (text, dedented(text)):
            if self._defines(variant):
                return self._finished(
                    variant, [], "Took the whole answer: it is code without a fence.", whole
                )
        for block in (whole, Block("", _DOCTEST.sub("", text), closed=whole.closed)):
            if found := self._body([block]) or self._repaired([block]):
                return found
        inner = dedented("\n".join(_indented_region(text, self._entry)))
        if inner and (code := self._pieces(inner)):
            return self._finished(code, [], "Took the indented code; it stood without a fence.", whole)
        if re.search(rf"^[ \t]*(?:async )?(?:def|class) +{re.escape(self._entry)}\b", text, re.MULTILINE):
            return self._unfinished(whole)
        return None

    def _whole(self, blocks: Sequence[Block]) -> Extracted | None:
        found = [(n, code) for n, block in enumerate(blocks) if (code := self._defining(block.text))]
        if not found:
            return None
        at, code = found[-1]
        how = f"Took the block that defines {self._entry}"
        if len(found) > 1:
            how = f"Took the last of {len(found)} blocks that define {self._entry}"
        earlier = [b.text for b in reversed(blocks[:at]) if not self._defines(b.text)]
        later = [b.text for b in blocks[at + 1 :] if not self._defines(b.text)]
        return self._finished(code, [*earlier, *later], f"{how}.", blocks[at])

    def _method(self, blocks: Sequence[Block]) -> Extracted | None:
        for block in reversed(blocks):
            for code in _variants(block.text):
                tree = self._parse(code)
                owner = method_of(tree, self._entry) if tree else ""
                if tree and owner:
                    called = f"{joined([without_demo(code, tree, self._entry)])}\n\n{self._entry} = {owner}().{self._entry}\n"
                    how = f"{self._entry} is a method of {owner}; it is called on a new {owner}."
                    return self._finished(called, [], how, block)
        return None

    def _body(self, blocks: Sequence[Block]) -> Extracted | None:
        if not self._start:
            return None
        for block in reversed(blocks):
            if not _is_body(block.text) or (
                self._parse(dedented(block.text)) is not None and not block.text[:1].isspace()
            ):
                continue
            for body in (block.text, textwrap.indent(dedented(block.text), "    ")):
                code = f"{self._start.rstrip()}\n{body}"
                if self._defines(code):
                    return self._finished(
                        code, [], "The answer holds only the body; joined it with the prompt.", block
                    )
        return None

    def _repaired(self, blocks: Sequence[Block]) -> Extracted | None:
        for block in reversed(blocks):
            if self._entry not in block.text or len(block.text) > LONGEST_CODE_CHARS:
                continue
            if ">>>" in block.text and self._defines(code := _DOCTEST.sub("", block.text)):
                return self._finished(code, [], "Removed the prompts of an interactive session.", block)
            if code := self._pieces(block.text):
                how = f"Took {self._entry} and what is whole beside it; the rest is not valid Python."
                return self._finished(code, [], how, block)
        return None

    def _together(self, blocks: Sequence[Block]) -> Extracted | None:
        code = "\n".join(b.text for b in blocks)
        if len(blocks) > 1 and self._defines(code):
            return self._finished(code, [], "Joined all blocks: none is whole alone.", blocks[-1])
        return None

    def _pieces(self, text: str) -> str:
        """Return the definitions that are whole in a text, when the wanted one is among them."""
        parts = segments(text)
        if len(parts) > _MOST_PIECES:
            return ""
        kept = [
            part for part in parts if (t := self._parse(part)) and any(isinstance(n, _KEPT) for n in t.body)
        ]
        code = "\n".join(kept)
        return code if self._defines(code) else ""

    def _finished(self, code: str, others: Sequence[str], how: str, block: Block) -> Extracted:
        tree = self._parse(code)
        if tree is None:
            return self._unfinished(block)
        if self._cut and not block.closed and not ends_complete(tree, self._entry):
            return Extracted(code, f"The answer reached its limit inside {self._entry}.", Outcome.CUT_OFF)
        shown = without_demo(code, tree, self._entry)
        whole, added = self._with_needed(shown, others)
        said = how.removesuffix(".")
        if added:
            said += ", with what it needs from other blocks"
        if len(shown.strip()) < len(code.strip()):
            said += "; left out examples and tests"
        return Extracted(self._with_given(whole), f"{said}.")

    def _with_needed(self, code: str, others: Sequence[str]) -> tuple[str, bool]:
        """Return code with the parts of other code that it needs in front, and whether there were any."""
        parts = [code]
        for _ in range(8):
            tree = self._parse(joined(parts))
            lacking = missing(tree) if tree else set()
            new = next(
                (other for other in others if other not in parts and self._provides(other, lacking)), None
            )
            if new is None:
                break
            parts.insert(0, new)
        bare = [*(self._without_demo(part) for part in parts[:-1]), code]
        return (joined(bare) if len(bare) > 1 else code), len(bare) > 1

    def _with_given(self, code: str) -> str:
        """Return code with the imports and helpers that the prompt showed and the answer left out."""
        given, tree = self._parse(self._start) if self._start else None, self._parse(code)
        if given is None or tree is None:
            return code
        there = bound(tree.body) | {self._entry}
        gone = [node for node in given.body if not bound([node]) or bound([node]) & there]
        if len(gone) == len(given.body):
            return code
        return joined([without(self._start, given, gone), code])

    def _provides(self, code: str, names: set[str]) -> bool:
        tree = self._parse(code) if names else None
        return tree is not None and bool(bound(tree.body) & names)

    def _without_demo(self, code: str) -> str:
        tree = self._parse(code)
        return without_demo(code, tree, self._entry) if tree else code

    def _unfinished(self, block: Block) -> Extracted:
        code = block.text[:LONGEST_CODE_CHARS]
        if self._cut and not block.closed:
            return Extracted(
                code, f"The answer reached its limit before {self._entry} was whole.", Outcome.CUT_OFF
            )
        return Extracted(code, f"Took the code that begins {self._entry}; it is not whole.")

    def _defining(self, text: str) -> str:
        """Return a text as it is or moved to the left margin, whichever defines what is wanted; empty otherwise."""
        return next((code for code in _variants(text) if self._defines(code)), "")

    def _parse(self, code: str) -> ast.Module | None:
        return self._reader.parse(code)

    def _defines(self, code: str) -> bool:
        return re.search(rf"\b{re.escape(self._entry)}\b", code) is not None and self._reader.defines(
            code, self._entry
        )


_UNTAGGED = frozenset({"", "text", "plaintext", "txt", "code"})


def _variants(code: str) -> Iterator[str]:
    yield code
    moved = dedented(code)
    if moved != code.strip("\n"):
        yield moved


def _is_body(text: str) -> bool:
    """Whether a text can only be the inside of a function: it is indented, or returns at the left margin."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return first[:1].isspace() or re.search(r"^(?:return|yield)\b", text, re.MULTILINE) is not None


def _indented_region(text: str, entry: str) -> Iterator[str]:
    """Yield the lines of an indented code block (Markdown's other kind) around a function."""
    lines = text.split("\n")
    at = next(
        (n for n, line in enumerate(lines) if re.match(rf"[ \t]+(?:def|class) +{re.escape(entry)}\b", line)),
        -1,
    )
    if at < 0:
        return
    first = at
    while first > 0 and (lines[first - 1][:1].isspace() or not lines[first - 1].strip()):
        first -= 1
    for line in lines[first:]:
        if line.strip() and not line[:1].isspace():
            return
        yield line
