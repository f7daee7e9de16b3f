"""Rows of other people's suites, turned into tasks. Data in, frozen values out: nothing is unpickled or executed."""

from __future__ import annotations

import ast
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from playground.bench.packed_text import plain_text
from playground.bench.task import Limits, Task
from playground.errors import SuiteError

LARGEST_UNPACKED_BYTES = 256 << 20
_T = TypeVar("_T")


class HumanEvalRow(msgspec.Struct, frozen=True):
    """One line of HumanEval, or a row of HumanEval+; other columns are ignored."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str


class MbppRow(msgspec.Struct, frozen=True):
    """A row of MBPP+. ``test`` ends with a loop over inputs and results; ``test_list`` holds MBPP's own asserts."""

    task_id: int
    prompt: str
    code: str
    test: str
    test_list: tuple[str, ...] = ()


class LbppRow(msgspec.Struct, frozen=True):
    """A row of LBPP. The solution and the tests are packed, see ``plain_text``."""

    task_id: str
    title: str
    instruction: str
    completion: str
    test_setup: str
    test_list: str
    signature: str = ""


def read_rows(raw: bytes, name: str, form: str) -> tuple[Task, ...]:
    """Return the tasks of a data file in a known form. Raises SuiteError that names file and line."""
    if form != "humaneval":
        raise SuiteError(f"{name}: the form {form} is not known.")
    rows = json_lines(unpacked(raw, name) if name.endswith(".gz") else raw, name)
    return tuple(humaneval_task(row, f"{name}, line {n}") for n, row in enumerate(rows, 1))


def unpacked(raw: bytes, name: str) -> bytes:
    """Return gzip's content, as long as it is not absurdly large."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            content = file.read(LARGEST_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SuiteError(f"{name} is not a whole gzip file.") from error
    if len(content) > LARGEST_UNPACKED_BYTES:
        raise SuiteError(f"{name} unpacks to more than {LARGEST_UNPACKED_BYTES:,} bytes.")
    return content


def json_lines(raw: bytes, name: str) -> Iterable[Any]:
    """Yield the value of each line that is not blank."""
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise SuiteError(f"{name}, line {number} is not JSON.") from error


def humaneval_task(data: Mapping[str, Any], where: str) -> Task:
    """Return a row of HumanEval as a task: the answer is tested by the row's own ``check(candidate)``."""
    row = _row(data, HumanEvalRow, where)
    return Task(
        id=row.task_id,
        title=row.entry_point.replace("_", " ")[:80],
        language="python",
        tier=1,
        topic="HumanEval",
        prompt=(
            "Complete this Python function. Answer with the whole function, imports and helpers included, "
            f"in one code block.\n\n```python\n{row.prompt.strip()}\n```"
        ),
        completion=f"```python\n{row.prompt}",
        entry_point=row.entry_point,
        reference=row.prompt + row.canonical_solution,
        asserts=without_numpy(row.test),
        limits=Limits(time_s=20.0, call_s=10.0, cpu_s=15),
        licence="MIT",
    )


def mbpp_task(data: Mapping[str, Any], where: str) -> Task:
    """Return a row of MBPP+ as a task. The prompt shows one assert: without it nobody knows the function's name."""
    row = _row(data, MbppRow, where)
    entry_point = _called_name(row.test_list, row.code)
    example = row.test_list[0].strip() if row.test_list else ""
    shown = f"\n\nYour code should pass this test:\n\n```python\n{example}\n```" if example else ""
    return Task(
        id=f"Mbpp/{row.task_id}",
        title=entry_point.replace("_", " ")[:80],
        language="python",
        tier=1,
        topic="MBPP",
        prompt=f"{row.prompt.strip()}\n\nWrite a Python function `{entry_point}`.{shown}",
        completion="```python\n" + _docstring(f"{row.prompt.strip()}\n{example}"),
        entry_point=entry_point,
        reference=row.code,
        asserts=without_numpy(row.test),
        limits=Limits(time_s=20.0, call_s=10.0, cpu_s=15),
        licence="Apache-2.0",
    )


def lbpp_task(data: Mapping[str, Any], where: str) -> Task:
    """Return a row of LBPP as a task."""
    row = _row(data, LbppRow, where)
    completion, setup, tests = (
        _packed(getattr(row, key), where) for key in ("completion", "test_setup", "test_list")
    )
    if not (isinstance(completion, str) and isinstance(setup, str) and isinstance(tests, list)):
        raise SuiteError(f"{where}: the packed columns do not hold what they should.")
    kept = [line for line in setup.splitlines() if not re.match(r"\s*from code import\b", line)]
    named = re.match(r"\s*(?:def|class)\s+(\w+)", row.signature)
    entry_point = named[1] if named else _called_name((), completion)
    signature = row.signature.strip()
    wanted = f"\n\nUse exactly this signature: `{signature}`" if signature else ""
    return Task(
        id=row.task_id.replace(" ", "-"),
        title=row.title.replace("_", " ").replace("\n", " ")[:80],
        language="python",
        tier=3,
        topic="LBPP",
        prompt=f"{row.instruction.strip()}\n\nWrite it in Python, as `{entry_point}`.{wanted}",
        completion="```python\n"
        + _docstring(f"{row.instruction.strip()}\n\nSignature: {signature or entry_point}"),
        entry_point=entry_point,
        reference=completion,
        asserts="\n".join([*kept, "", *map(str, tests)]).strip() + "\n",
        limits=Limits(time_s=20.0, call_s=10.0, cpu_s=15),
        licence="Apache-2.0",
    )


CONVERTERS: dict[str, Callable[[Mapping[str, Any], str], Task]] = {
    "humaneval": humaneval_task,
    "mbpp": mbpp_task,
    "lbpp": lbpp_task,
}


def _row(data: Mapping[str, Any], kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise SuiteError(f"{where}: {str(error).replace('`', '')}.") from error


def _called_name(tests: Iterable[str], code: str) -> str:
    defined = _functions(code)
    called = (name for test in tests for name in re.findall(r"\b([A-Za-z_]\w*)\(", test))
    return next((name for name in called if name in defined), defined[-1] if defined else "")


def _functions(code: str) -> list[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def _docstring(text: str) -> str:
    quoted = text.strip().replace("\\", "\\\\").replace('"""', "'''")
    return f'"""\n{quoted}\n"""\n'


def _packed(text: str, where: str) -> object:
    try:
        return msgspec.json.decode(plain_text(text)) if text else ""
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{where}: a packed column cannot be read: {error}.") from error


def without_numpy(test: str) -> str:
    """Return an EvalPlus test that needs no numpy: it uses only ``allclose`` and the names of three types."""
    used = set(re.findall(r"\bnp\.(\w+)", test))
    if not re.search(r"^import numpy as np$", test, re.MULTILINE) or used - _STAND_IN_NAMES:
        return test
    return re.sub(r"^import numpy as np$", lambda _: _STAND_IN, test, count=1, flags=re.MULTILINE)


_STAND_IN_NAMES = {"allclose", "ndarray", "float32", "float64", "inf", "nan"}
_STAND_IN = '''\
class np:
    """What these tests use of numpy."""

    inf, nan = float("inf"), float("nan")

    class ndarray: ...
    class float32: ...
    class float64: ...

    @staticmethod
    def allclose(a, b, rtol=1e-05, atol=1e-08):
        if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
            return len(a) == len(b) and all(np.allclose(x, y, rtol, atol) for x, y in zip(a, b))
        return a == b or abs(a - b) <= atol + rtol * abs(b)
'''
