"""Rows of other people's suites become tasks, and what they pack is read without running it."""

from __future__ import annotations

import base64
import json
import pickle
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import Table, parquet

from playground.bench import suite_fetch
from playground.bench.packed_text import plain_text
from playground.bench.suite_formats import humaneval_task, lbpp_task, mbpp_task, without_numpy
from playground.errors import SuiteError


def _packed(value: object, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


@given(st.text(), st.integers(0, 5))
def test_a_packed_text_is_read(text: str, protocol: int) -> None:
    assert plain_text(_packed(text, protocol)) == text


@pytest.mark.parametrize("value", [["a"], {"a": "b"}, 1, None, ("a", "b"), print, b"a", ValueError("a")])
def test_anything_but_a_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"not only a text|not hold one text"):
        plain_text(_packed(value))


@pytest.mark.parametrize(
    "packed",
    ["", "?", "YQ==", base64.b64encode(zlib.compress(b"x" * (17 << 20))).decode(), _packed("a" * 99)[:-8]],
)
def test_damaged_columns_are_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        plain_text(packed)


def _mbpp(**changed: object) -> dict[str, object]:
    row: dict[str, object] = {
        "task_id": 2,
        "prompt": "Write a function to find the shared elements.",
        "code": "def helper(a):\n    return set(a)\n\n\ndef set_shared(a, b):\n    return tuple(helper(a) & helper(b))\n",
        "test_list": ["assert set(set_shared((3, 4), (4, 5))) == {4}"],
        "test": "import numpy as np\nfrom math import inf\nassert np.allclose(1, 1)\n",
        "source_file": "ignored",
        "test_imports": [],
    }
    return {**row, **changed}


def test_mbpp_shows_the_name_that_its_tests_call() -> None:
    task = mbpp_task(_mbpp(), "row 1")
    assert task.id == "Mbpp/2"
    assert task.entry_point == "set_shared"
    assert "assert set(set_shared((3, 4), (4, 5))) == {4}" in task.prompt
    assert "import numpy" not in task.asserts


def test_lbpp_names_its_signature() -> None:
    row = {
        "task_id": "lbpp/python/7",
        "title": "x",
        "instruction": 'Say """hi\\n""".',
        "completion": _packed(json.dumps("def f(x):\n    return x")),
        "test_setup": _packed(json.dumps("from code import f\nimport math")),
        "test_list": _packed(json.dumps(["assert f(1) == 1"])),
        "signature": "def f(x: int) -> int",
    }
    task = lbpp_task(row, "row 1")
    assert task.asserts == "import math\n\nassert f(1) == 1\n"
    assert "def f(x: int) -> int" in task.prompt
    compile(task.completion.removeprefix("```python\n"), "completion", "exec")
    with pytest.raises(SuiteError, match="row 1: the packed columns"):
        lbpp_task({**row, "test_list": _packed(json.dumps("no list"))}, "row 1")


@pytest.mark.parametrize("convert", [humaneval_task, mbpp_task, lbpp_task])
def test_a_row_without_a_column_names_the_row(convert: object) -> None:
    with pytest.raises(SuiteError, match=r"row 3: .*task_id"):
        convert({"id": 1}, "row 3")  # type: ignore[operator]


def test_the_stand_in_for_numpy_compares_as_numpy_does() -> None:
    scope: dict[str, object] = {}
    test = """import numpy as np
close = [np.allclose(1.0, 1.0 + 1e-9, rtol=1e-07, atol=1e-6), np.allclose([1, 2.0], (1, 2.0000001), atol=1e-6)]
far = [np.allclose(1.0, 1.1, atol=1e-6), np.allclose([1], [1, 2]), np.allclose([1, 2], [2, 1])]
same = np.allclose(np.inf, np.inf)
kind = isinstance(1, np.ndarray)
"""
    changed = without_numpy(test)
    assert "import numpy" not in changed
    exec(changed, scope)  # our own text
    assert scope["close"] == [True, True]
    assert scope["far"] == [False, False, False]
    assert scope["same"] is True
    assert scope["kind"] is False
    assert without_numpy("import numpy as np\nnp.linalg.norm([1])\n").startswith("import numpy")


def test_without_pyarrow_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SuiteError, match="needs the package pyarrow") as caught:
        list(suite_fetch._parquet_rows(b"", "x.parquet"))
    assert "local-model-playground[suites]" in caught.value.hint


def test_rows_of_a_parquet_file_are_plain_values() -> None:
    import io

    out = io.BytesIO()
    parquet.write_table(Table.from_pylist([_mbpp()]), out)
    (row,) = suite_fetch._parquet_rows(out.getvalue(), "x.parquet")
    assert mbpp_task(row, "row 1") == mbpp_task(_mbpp(), "row 1")
    for harmed in (b"", b"PAR1", out.getvalue()[:-9], b"\0" * 100):
        with pytest.raises(SuiteError, match="not a whole Parquet file"):
            list(suite_fetch._parquet_rows(harmed, "x.parquet"))
