"""What a task must be before anything is run: sizes, names, paths, tests that can tell right from wrong.

Looks at values only, never at files; runs nothing, and parses code only to see that it is Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from playground.bench.task import Case, Limits, Task

TIERS = range(5)
MOST_CASES = 500
LONGEST_TEXT_CHARS = 1 << 20
LONGEST_ASSERTS_CHARS = 16 << 20  # the EvalPlus tests carry thousands of inputs in their text
DEEPEST_VALUE = 32
LARGEST_INTEGER = 2**63
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,79}")
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,99}")
_BOUNDS = {
    "time_s": (0.1, 300.0),
    "call_s": (0.1, 300.0),
    "cpu_s": (1, 300),
    "memory_bytes": (16 << 20, 16 << 30),
    "processes": (1, 256),
    "file_bytes": (0, 1 << 30),
    "output_bytes": (1 << 10, 64 << 20),
}

Problem = tuple[str, str]  # (key, what is wrong with it: the rest of a sentence)


def first_problem(task: Task) -> Problem | None:
    """Return what is wrong with a task, or None."""
    for check in (_names, _texts, _tests, _limits, _cases):
        for problem in check(task):
            return problem
    return None


def valid_id(text: str) -> bool:
    """Return whether a text can name a task or a suite."""
    return bool(_ID.fullmatch(text)) and ".." not in text


def _names(task: Task) -> Iterator[Problem]:
    if not valid_id(task.id):
        yield "id", "must be letters, digits and . _ + / - (at most 80 of them, a letter or digit first)"
    if task.tier not in TIERS:
        yield "tier", f"must be 0 to 4, not {task.tier}"
    called = task.language in ("python", "javascript")
    if called and not task.entry_point:
        yield "entry_point", "is missing: it names the function that the tests call"
    if task.entry_point and not called:
        yield "entry_point", f"has no meaning in {task.language}"
    if task.entry_point and not _NAME.fullmatch(task.entry_point):
        yield "entry_point", "must be the plain name of a function"
    for number, name in enumerate(task.forbid):
        if not _NAME.fullmatch(name):
            yield f"forbid[{number}]", "must be a plain name"


def _texts(task: Task) -> Iterator[Problem]:
    for key in ("title", "prompt", "reference"):
        if not getattr(task, key).strip():
            yield key, "is empty"
    if len(task.title) > 80 or "\n" in task.title:
        yield "title", "must be one line of at most 80 characters"
    for key in ("topic", "prompt", "completion", "reference", "setup", "note", "licence"):
        yield from _text(key, getattr(task, key), LONGEST_TEXT_CHARS)
    yield from _text("asserts", task.asserts, LONGEST_ASSERTS_CHARS)
    for number, text in enumerate(task.wrong):
        yield from _text(f"wrong[{number}]", text, LONGEST_TEXT_CHARS)
        if text.strip() == task.reference.strip():
            yield f"wrong[{number}]", "is the reference"


def _text(key: str, text: str, longest: int) -> Iterator[Problem]:
    if len(text) > longest:
        yield key, f"is longer than {longest:,} characters"
    if "\0" in text:
        yield key, "holds a NUL character"


def _tests(task: Task) -> Iterator[Problem]:
    if not task.cases and not task.asserts.strip():
        yield "cases", "is empty and there are no asserts: nothing would test an answer"
    if task.cases and task.asserts.strip():
        yield "asserts", "cannot be used together with cases"
    if task.asserts and task.language != "python":
        yield "asserts", f"has no meaning in {task.language}"
    if task.setup and task.language != "sql":
        yield "setup", f"has no meaning in {task.language}"
    if len(task.cases) > MOST_CASES:
        yield "cases", f"has more than {MOST_CASES} entries"


def _limits(task: Task) -> Iterator[Problem]:
    for key in Limits.__struct_fields__:
        low, high = _BOUNDS[key]
        if not low <= getattr(task.limits, key) <= high:  # false for NaN, too
            yield f"limits.{key}", f"must be {low:,} to {high:,}"


def _cases(task: Task) -> Iterator[Problem]:
    for number, case in enumerate(task.cases):
        for key, what in _case(task, case):
            yield f"cases[{number}].{key}", what


def _case(task: Task, case: Case) -> Iterator[Problem]:
    called = task.language in ("python", "javascript")
    for key in ("args", "raises"):
        if getattr(case, key) and not called:
            yield key, f"has no meaning in {task.language}"
    for key in ("stdin", "files", "files_after"):
        if getattr(case, key) and task.language != "bash":
            yield key, f"has no meaning in {task.language}"
    if case.setup and task.language != "sql":
        yield "setup", f"has no meaning in {task.language}"
    if case.raises and not _NAME.fullmatch(case.raises):
        yield "raises", "must be the plain name of an exception"
    if case.raises and case.expected is not None:
        yield "raises", "cannot be used together with expected"
    yield from _expected(task, case)
    yield from _plain(case.args, "args")
    for key in ("files", "files_after"):
        for name in getattr(case, key):
            yield from _path(f"{key}.{name!r}", name)


def _expected(task: Task, case: Case) -> Iterator[Problem]:
    yield from _plain(case.expected, "expected")
    if task.language == "bash" and not isinstance(case.expected, str | None):
        yield "expected", "must be the text that the script prints"
    rows = case.expected
    if task.language == "sql" and not (isinstance(rows, list) and all(isinstance(r, list) for r in rows)):
        yield "expected", "must be a list of rows, each a list of values"


def _path(key: str, name: str) -> Iterator[Problem]:
    path = PurePosixPath(name)
    clean = name == str(path) and not path.is_absolute() and ".." not in path.parts and name != "."
    if not clean or "\\" in name or not name.isprintable() or len(name) > 200 or len(path.parts) > 8:
        yield key, "must be a plain path inside the task's own folder"


def _plain(value: object, key: str, depth: int = 0) -> Iterator[Problem]:
    """Only what JSON can carry goes to a program: no dates, no NaN, no endless nesting."""
    if depth > DEEPEST_VALUE:
        yield key, f"is nested deeper than {DEEPEST_VALUE} levels"
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _plain(item, f"{key}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _plain(item, f"{key}[{number}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield key, "must be a finite number"
    elif isinstance(value, int) and not -LARGEST_INTEGER <= value < LARGEST_INTEGER:
        yield key, "is an integer of more than 64 bits: write it as text"
    elif not isinstance(value, str | int | float | None):
        yield key, f"is a {type(value).__name__}, which JSON does not know: write it as text"
