"""``playground suite`` as a person runs it: the list, a check that finds what is wrong, and fetching from a Hub."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from pyarrow import Table, parquet

from tests.support.dataset_server import dataset_server

_ROOT = Path(__file__).parents[2]
_NUMPY_TEST = """import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)):
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp, f"out: {out}, exp: {exp}"

"""
_HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def half(x):\n    """Return half of x."""\n',
    "canonical_solution": "    return x / 2\n",
    "entry_point": "half",
    "test": _NUMPY_TEST + "def check(candidate):\n    for i, e in [([1], 0.5), ([3], 1.5000000001)]:\n"
    "        assertion(candidate(*i), e, 0)\n",
}


def _run(
    *arguments: str, home: Path, endpoint: str = "http://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    settings = {"PLAYGROUND_HOME": str(home / "app"), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": endpoint}
    return subprocess.run(
        [sys.executable, "-m", "playground", "suite", *arguments],
        capture_output=True, text=True, cwd=_ROOT, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(Table.from_pylist(rows), out)
    return out.getvalue()


def _packed(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(value)))).decode()


def _lbpp(number: str = "000", **changed: object) -> dict[str, object]:
    return {
        "task_id": f"lbpp/python/{number}",
        "language": "python",
        "title": "twice_it",
        "instruction": "Write a function that doubles x.",
        "completion": _packed("def twice(x):\n    return 2 * x\n"),
        "signature": "def twice(x: int) -> int",
        "test_setup": _packed("from code import twice\n"),
        "test_list": _packed(["assert twice(2) == 4", "assert twice(-1) == -2"]),
        **changed,
    }


_HUMANEVAL_FILE = "evalplus/humanevalplus/data/test-00000-of-00001-5973903632b82d40.parquet"
_MBPP_FILE = "evalplus/mbppplus/data/test-00000-of-00001-d5781c9c51e02795.parquet"
_LBPP_FILE = "CohereLabs/lbpp/python/test.parquet"


def test_the_list_says_what_there_is(tmp_path: Path) -> None:
    done = _run("list", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "playground.suites/1"
    found = {suite["id"]: suite for suite in report["suites"]}
    assert found["starter"]["tasks"] >= 60
    assert found["humaneval"]["licence"] == "MIT"
    assert found["lbpp"]["where"] == "hub"
    assert "starter" in _run("list", home=tmp_path).stdout


def test_a_check_names_what_does_not_do_what_it_must(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "tasks").mkdir(parents=True)
    (folder / "suite.toml").write_text('id = "m"\ntitle = "M"\nversion = "1"\nlicence = "MIT"\n')
    task = {
        "id": "one", "title": "One", "language": "python", "tier": 0, "topic": "t", "entry_point": "one", "prompt": "p",
        "reference": "def one(): return 2", "wrong": ["def one(): return 1", "def one(): return 3"],
        "cases": [{"expected": 1}],
    }  # fmt: skip
    (folder / "tasks" / "one.json").write_text(json.dumps(task))
    done = _run("check", str(folder), "--json", home=tmp_path)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    bad = {finding["program"]: finding["outcome"] for finding in report["findings"] if not finding["ok"]}
    assert bad == {"reference": "wrong", "wrong[0]": "pass"}
    assert report["ok"] is False
    words = _run("check", str(folder), home=tmp_path)
    assert "one: reference must pass, but: wrong." in words.stdout
    assert "one: wrong[0] must fail, but: pass." in words.stdout


def test_the_shipped_starter_suite_can_be_trusted(tmp_path: Path) -> None:
    done = _run("check", "starter", "--json", home=tmp_path)
    report = json.loads(done.stdout)
    assert [f for f in report["findings"] if not f["ok"]] == []
    assert report["advice"] == []
    assert done.returncode == 0


def test_humaneval_plus_is_fetched_kept_and_judged(tmp_path: Path) -> None:
    with dataset_server({_HUMANEVAL_FILE: _parquet([_HUMANEVAL])}) as endpoint:
        done = _run("fetch", "humaneval+", home=tmp_path, endpoint=endpoint)
    assert done.returncode == 0, done.stderr
    assert "licence Apache-2.0" in done.stderr
    assert "training data" in done.stderr
    folder = Path(done.stdout.strip())
    assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == ["suite.toml", "tasks.json"]
    listed = json.loads(_run("list", "--json", home=tmp_path).stdout)["suites"]
    assert {"fetched", 1} <= set(next(s for s in listed if s["id"] == "humaneval+").values())
    checked = _run("check", "humaneval+", home=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "1 tasks, 1 references" in checked.stdout


def test_lbpp_is_read_without_unpickling(tmp_path: Path) -> None:
    canary, numpy = (
        _lbpp("042"),
        _lbpp("001", test_setup=_packed("from code import twice\nimport numpy as np\n")),
    )
    with dataset_server({_LBPP_FILE: _parquet([_lbpp(), canary, numpy])}) as endpoint:
        done = _run("fetch", "lbpp", home=tmp_path, endpoint=endpoint)
    assert done.returncode == 0, done.stderr
    assert "LBPP: 1 tasks" in done.stderr
    assert "lbpp/python/001" in done.stderr
    assert "042" not in done.stderr
    assert _run("check", "lbpp", home=tmp_path).returncode == 0


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("trapped",)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    trap = base64.b64encode(zlib.compress(pickle.dumps(_Trap()))).decode()
    with dataset_server({_LBPP_FILE: _parquet([_lbpp(test_list=trap)])}) as endpoint:
        done = _run("fetch", "lbpp", home=tmp_path, endpoint=endpoint)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "playground: test.parquet, row 1: a packed column cannot be read"
    )
    assert not list((tmp_path / "app").rglob("suite.toml"))
    assert not (_ROOT / "trapped").exists()


@pytest.mark.parametrize("name", ["humaneval+", "mbpp+"])
def test_a_fetch_that_fails_is_a_sentence_and_keeps_the_earlier_copy(tmp_path: Path, name: str) -> None:
    def last_line(files: dict[str, bytes], **how: Any) -> str:  # noqa: ANN401
        with dataset_server(files, **how) as endpoint:
            done = _run("fetch", name, home=tmp_path, endpoint=endpoint)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "token" not in done.stderr
        return done.stderr.splitlines()[-1]

    with dataset_server({_HUMANEVAL_FILE: _parquet([_HUMANEVAL])}) as endpoint:
        assert _run("fetch", "humaneval+", home=tmp_path, endpoint=endpoint).returncode == 0
    path = _HUMANEVAL_FILE if name == "humaneval+" else _MBPP_FILE
    known = name == "mbpp+"
    (tmp_path / "hf").rename(tmp_path / "old")
    assert "has no" in last_line({})
    damaged = last_line({path: b"PAR1 but no more"})
    assert ("not the one that is known" if known else "is not a whole Parquet file") in damaged
    (tmp_path / "hf").rename(tmp_path / "older")
    assert "only for people who accepted its terms" in last_line({path: b""}, status=401)
    assert "could not be fetched" in last_line({path: b""}, status=500)
    assert "arrived damaged" in last_line({path: b"x" * 10}, liar=True)
    assert json.loads(_run("list", "--json", home=tmp_path).stdout)["suites"][2]["where"] == "fetched"


def test_a_hub_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    done = _run("fetch", "lbpp", home=tmp_path)
    assert done.returncode == 1
    assert "could not be fetched from the Hub" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fetch", "nothing"), "There is no suite nothing to fetch."),
        (("fetch", "starter"), "There is no suite starter to fetch."),
        (("check", "nothing"), "There is no suite nothing."),
        (("check", "mbpp+"), "mbpp+ is not on this computer yet."),
        (("check", "./tests"), "is no suite: it has no suite.toml."),
    ],
)
def test_wrong_names_are_a_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = _run(*arguments, home=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_vendored_data_file_is_the_published_one() -> None:
    data = (_ROOT / "resources" / "suites" / "humaneval" / "HumanEval.jsonl.gz").read_bytes()
    assert (
        hashlib.sha256(data).hexdigest() == "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
    )
