"""From a model's answer to the program in it, and the word for it when there is none. Executes nothing, never raises."""

from __future__ import annotations

import re

from playground.bench import extract_other
from playground.bench.answer_text import cleaned, is_refusal, without_reasoning
from playground.bench.extract_python import PythonAnswer
from playground.bench.fences import Block, blocks, looser_blocks
from playground.bench.outcome import Extracted, Outcome
from playground.bench.task import Task

_CUT = ("length", "context")


def extract(answer: str, task: Task, *, stop: str, reasoning: str = "", prefix: str = "") -> Extracted:
    """Return the program in an answer to a task, how it was found, and an outcome when there is none to judge.

    ``stop``: why the answer ended. ``reasoning``: what the engine already took apart from it. ``prefix``: what the
    app wrote in front of the answer of a base model, an open code fence and the code behind it; an answer that
    begins with it already does not get it twice.
    """
    cut = stop in _CUT
    if prefix:
        start, rest = cleaned(prefix), cleaned(answer)
        return _continued(rest if rest.startswith(start) else start + rest, task, cut=cut)
    said = without_reasoning(cleaned(answer))
    if not said.text.strip():
        return _silent(cut=cut, thought=said.only_thought or bool(reasoning.strip() or said.note))
    found = _found(said.text, task, cut=cut) or _nothing(said.text, cut=cut)
    if said.note and found.outcome is None:
        return Extracted(found.code, f"{found.how.removesuffix('.')}; {said.note}.")
    return found


def _continued(text: str, task: Task, *, cut: bool) -> Extracted:
    found = blocks(text)
    first = found[0] if found else Block("", text, closed=False)
    if task.language == "python":
        return PythonAnswer(task.entry_point, "", cut=cut).continued(first)
    return extract_other.continued(first, _asked(task, cut=cut))


def _found(text: str, task: Task, *, cut: bool) -> Extracted | None:
    fenced = blocks(text)
    if task.language == "python":
        python = PythonAnswer(task.entry_point, given_code(task), cut=cut)
        found = (
            python.bare(text) or (python.from_blocks(fenced) if fenced else None) or python.from_text(text)
        )
        loose = [] if found or fenced else looser_blocks(text)
        return python.from_blocks(loose) if loose else found
    asked = _asked(task, cut=cut)
    if fenced:
        return extract_other.from_blocks(fenced, asked)
    other = extract_other.from_text(text, asked)
    loose = looser_blocks(text) if other is None else []
    return extract_other.from_blocks(loose, asked) if loose else other


def given_code(task: Task) -> str:
    """Return the code that a task's completion begins with: what stands in its open fence, or all of it."""
    text = task.completion
    fences = list(re.finditer(r"^(?:`{3,}|~{3,})[^`\n]*\n", text, re.MULTILINE))
    return text[fences[-1].end() :] if fences else text


def _asked(task: Task, *, cut: bool) -> extract_other.Asked:
    return extract_other.Asked(task.language, task.entry_point, given_code(task), cut)


def _silent(*, cut: bool, thought: bool) -> Extracted:
    if thought and cut:
        return Extracted("", "The reasoning used the whole budget; no answer followed.", Outcome.THINKING)
    if cut:
        return Extracted("", "The answer reached its limit before it said anything.", Outcome.CUT_OFF)
    said = "The model reasoned, but wrote no answer." if thought else "The answer is empty."
    return Extracted("", said, Outcome.NO_CODE)


def _nothing(text: str, *, cut: bool) -> Extracted:
    if is_refusal(text):
        return Extracted("", "The model declined to answer.", Outcome.REFUSED)
    if cut:
        return Extracted("", "The answer reached its limit before any code.", Outcome.CUT_OFF)
    return Extracted("", "There is no code in the answer.", Outcome.NO_CODE)
