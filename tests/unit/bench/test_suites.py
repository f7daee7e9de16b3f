"""Suites load from a folder, and a mistake in one is named by file and key in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import config
from playground.bench import suites
from playground.bench.extract import extract, given_code
from playground.bench.suite_files import digest, read_suite
from playground.engines.plain import open_fence
from playground.errors import PlaygroundError, SuiteError, UsageError

_MANIFEST = 'id = "mine"\ntitle = "Mine"\nversion = "1"\nlicence = "MIT"\n'
_TASK = """
id = "py-one"
title = "One"
language = "python"
tier = 1
topic = "numbers"
entry_point = "one"
prompt = "Write a Python function `one()` that returns 1."
reference = '''
def one():
    return 1
'''
wrong = ["def one():\\n    return 2"]

[[cases]]
expected = 1
"""


def _folder(base: Path, task: str = _TASK, manifest: str = _MANIFEST, name: str = "one.toml") -> Path:
    (base / "tasks").mkdir(parents=True, exist_ok=True)
    (base / "suite.toml").write_text(manifest, encoding="utf-8")
    (base / "tasks" / name).write_text(task, encoding="utf-8")
    return base


def _said(folder: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        suites.load(folder)
    assert "\n" not in caught.value.sentence()
    return caught.value.message


def test_a_folder_becomes_a_suite(tmp_path: Path) -> None:
    suite = suites.load(_folder(tmp_path))
    assert (suite.id, suite.title, len(suite.tasks)) == ("mine", "Mine", 1)
    task = suite.tasks[0]
    assert task.reference == "def one():\n    return 1\n"
    assert task.cases[0].expected == 1
    assert suite.sha256 == digest(suite.tasks)
    assert len(suite.sha256) == 64


def test_what_editors_and_systems_hide_in_a_folder_is_no_task(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    for name in ("._one.toml", ".#one.toml", ".cache.json"):
        (folder / "tasks" / name).write_bytes(b"\0\5\x16\7")
    assert len(suites.load(folder).tasks) == 1


def test_json_and_several_tasks_in_a_file(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    plain = msgspec.to_builtins(suites.load(folder).tasks[0])
    more = [{**plain, "id": f"py-{n}"} for n in range(3)]
    (folder / "tasks" / "more.json").write_text(json.dumps({"tasks": more}), encoding="utf-8")
    assert [task.id for task in suites.load(folder).tasks] == ["py-0", "py-1", "py-2", "py-one"]


def test_the_digest_changes_with_any_task_and_with_nothing_else(tmp_path: Path) -> None:
    first = suites.load(_folder(tmp_path / "a")).sha256
    same = _folder(tmp_path / "b", "# a note\n" + _TASK, _MANIFEST.replace("Mine", "Other"))
    assert suites.load(same).sha256 == first
    assert suites.load(_folder(tmp_path / "c", _TASK.replace("expected = 1", "expected = 3"))).sha256 != first


def test_null_is_written_as_json(tmp_path: Path) -> None:
    text = _TASK.replace("expected = 1", "args_json = '[null, [1.5]]'\nexpected_json = 'null'")
    case = suites.load(_folder(tmp_path, text)).tasks[0].cases[0]
    assert case.args == (None, [1.5])
    assert case.expected is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tier = 1", "tier = 9", "tasks/one.toml: tier must be 0 to 4, not 9."),
        ("tier = 1", 'tier = "1"', "tasks/one.toml: tier: expected int, got str."),
        ("tier = 1", "", "tasks/one.toml: object missing required field tier."),
        ('topic = "numbers"', 'topics = "numbers"', "topic"),
        ("expected = 1", "expects = 1", "tasks/one.toml: cases[0].expected is missing."),
        (
            "expected = 1",
            "expected = 1\nexpcted = 2",
            "tasks/one.toml: cases[0]: object contains unknown field expcted.",
        ),
        ("expected = 1", "args = 3\nexpected = 1", "tasks/one.toml: cases[0].args: expected array, got int."),
        ("expected = 1", "expected = 2024-01-01", "cases[0].expected is a date, which JSON does not know"),
        ("expected = 1", "expected = nan", "cases[0].expected must be a finite number"),
        (
            "expected = 1",
            "expected = [[1, 99999999999999999999]]",
            "cases[0].expected[0][1] is an integer of more",
        ),
        ("expected = 1", "expected_json = '{'", "tasks/one.toml: cases[0].expected_json is not JSON text."),
        ("expected = 1", "expected = 1\nexpected_json = '2'", "cannot be used together"),
        ("expected = 1", 'expected = 1\nraises = "ValueError"', "cases[0].raises cannot be used together"),
        ("expected = 1", 'raises = "no name"', "cases[0].raises must be the plain name of an exception"),
        ("expected = 1", 'expected = 1\nstdin = "x"', "cases[0].stdin has no meaning in python"),
        ("[[cases]]\nexpected = 1", "", "cases is empty and there are no asserts"),
        ("[[cases]]\nexpected = 1", 'asserts = "  "', "cases is empty and there are no asserts"),
        (
            "[[cases]]",
            'asserts = "assert one() == 1"\n[[cases]]',
            "asserts cannot be used together with cases",
        ),
        ('entry_point = "one"', "", "entry_point is missing"),
        ('entry_point = "one"', 'entry_point = "one()"', "entry_point must be the plain name of a function"),
        ('language = "python"', 'language = "cobol"', "language: invalid enum value 'cobol'"),
        ('id = "py-one"', 'id = "../one"', "id must be letters"),
        ('id = "py-one"', 'id = "a/../b"', "id must be letters"),
        ('title = "One"', 'title = ""', "title is empty"),
        ('title = "One"', f'title = "{"x" * 81}"', "title must be one line"),
        (
            'wrong = ["def one():\\n    return 2"]',
            'wrong = ["def one():\\n    return 1"]',
            "wrong[0] is the reference",
        ),
        ("[[cases]]", "[limits]\ntime_s = 0.0\n[[cases]]", "limits.time_s must be 0.1 to 300.0"),
        ("[[cases]]", "[limits]\nmemory_bytes = 1\n[[cases]]", "limits.memory_bytes must be"),
        ("[[cases]]", "[limits]\ntime_s = nan\n[[cases]]", "limits.time_s must be"),
        ("[[cases]]", 'forbid = ["a b"]\n[[cases]]', "forbid[0] must be a plain name"),
        ("[[cases]]", 'setup = "SELECT 1"\n[[cases]]', "setup has no meaning in python"),
        ("tier = 1", "tier = = 1", "tasks/one.toml is not TOML"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in _TASK
    assert said in _said(_folder(tmp_path, _TASK.replace(old, new)))


_BASH = """
id = "sh"
title = "T"
language = "bash"
tier = 0
topic = "t"
prompt = "p"
reference = "cat x"
[[cases]]
expected = "1"
"""


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", ".", "a//b", "a\\\\b", "x\\u0000", "./x", "\\u001b[1m"]
)
@pytest.mark.parametrize("key", ["files", "files_after"])
def test_files_stay_in_the_tasks_own_folder(tmp_path: Path, key: str, name: str) -> None:
    said = _said(_folder(tmp_path, f'{_BASH}[cases.{key}]\n"{name}" = "text"\n'))
    assert "must be a plain path inside the task's own folder" in said


def test_files_may_lie_in_folders(tmp_path: Path) -> None:
    suite = suites.load(_folder(tmp_path, f'{_BASH}files = {{ "logs/a b.txt" = "text" }}\n'))
    assert suite.tasks[0].cases[0].files == {"logs/a b.txt": "text"}


def test_rows_are_lists(tmp_path: Path) -> None:
    text = _BASH.replace("bash", "sql").replace('expected = "1"', "expected = [1, 2]")
    assert "cases[0].expected must be a list of rows" in _said(_folder(tmp_path, text))


def _long(folder: Path) -> None:
    (folder / "tasks" / "one.toml").write_text("x" * (5 << 20), encoding="utf-8")


def _not_utf8(folder: Path) -> None:
    (folder / "tasks" / "one.toml").write_bytes(b'id = "\xff"')


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "tasks" / "pipe.toml")


def _deep(folder: Path) -> None:
    (folder / "tasks" / "deep.json").write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8")


def _deep_value(folder: Path) -> None:
    case = {"expected": json.loads("[" * 60 + "]" * 60)}
    task = {
        "id": "d",
        "title": "d",
        "language": "python",
        "tier": 0,
        "topic": "t",
        "prompt": "p",
        "reference": "r",
    }
    (folder / "tasks" / "d.json").write_text(json.dumps({**task, "entry_point": "f", "cases": [case]}))


def _twice(folder: Path) -> None:
    (folder / "tasks" / "two.toml").write_text(_TASK, encoding="utf-8")


def _no_list(folder: Path) -> None:
    (folder / "tasks" / "two.json").write_text('{"tasks": {}}')


def _no_object(folder: Path) -> None:
    (folder / "tasks" / "two.json").write_text("[1]")


def _empty(folder: Path) -> None:
    (folder / "tasks" / "one.toml").unlink()


def _no_manifest(folder: Path) -> None:
    (folder / "suite.toml").unlink()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_long, "one.toml has 5,242,880 bytes"),
        (_not_utf8, "tasks/one.toml is not UTF-8 text (byte 6)."),
        (_pipe, "pipe.toml is missing, or is no plain file."),
        (_deep, "tasks/deep.json"),
        (_deep_value, "is nested deeper than 32 levels"),
        (_twice, "tasks/two.toml: id py-one is already used in tasks/one.toml."),
        (_no_list, "tasks/two.json: tasks must be a list"),
        (_no_object, "tasks/two.json: expected object, got array."),
        (_empty, "holds no tasks"),
        (_no_manifest, "is no suite: it has no suite.toml"),
    ],
)
def test_files_that_are_no_tasks(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    folder = _folder(tmp_path)
    harm(folder)
    assert said in _said(folder)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (_MANIFEST.replace('"mine"', '"a/b"'), "suite.toml: id must be"),
        (_MANIFEST.replace('"1"', '""'), "suite.toml: version is empty."),
        (_MANIFEST + "published = { x = 61.5 }\n", "published.x must be a share"),
        (_MANIFEST + 'data = "x.gz"\n', "data must name a file beside it"),
        (_MANIFEST + 'data = "../x.gz"\nformat = "humaneval"\n', "data must name a file beside it"),
        (_MANIFEST + 'data = "x.gz"\nformat = "pickle"\n', "format: invalid enum value 'pickle'"),
        (_MANIFEST + 'data = "x.gz"\nformat = "humaneval"\n', "x.gz is missing"),
        (_MANIFEST + "tasks = 3\n", "unknown field tasks"),
    ],
)
def test_a_manifest_is_checked_as_well(tmp_path: Path, manifest: str, said: str) -> None:
    assert said in _said(_folder(tmp_path, manifest=manifest))


@given(st.text(max_size=200))
def test_any_text_is_a_suite_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("x.toml", "x.json"):
        try:
            read_suite(_folder(folder, text, name=name))
        except SuiteError as error:
            assert "\n" not in error.sentence()


def test_names_and_folders_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _folder(tmp_path / "mine")
    with pytest.raises(SuiteError, match="There is no suite mine") as caught:
        suites.load("mine")
    assert "./mine" in caught.value.hint
    assert suites.load("./mine").id == "mine"
    with pytest.raises(SuiteError, match="There is no suite startr") as caught:
        suites.load("startr")
    assert "starter" in caught.value.hint
    with pytest.raises(SuiteError, match="is not on this computer yet"):
        suites.load("mbpp+")
    with pytest.raises(SuiteError, match="There is no folder"):
        suites.load(tmp_path / "nothing")


def test_all_suites_are_known_and_a_damaged_one_says_why() -> None:
    folder = config.folders().data / "suites" / "lbpp"
    _folder(folder, "tier = 9")
    try:
        known = {suite.id: suite for suite in suites.known()}
        assert list(known)[:2] == ["starter", "humaneval"]
        assert known["humaneval"].tasks == 164
        assert known["mbpp+"].where == "hub"
        assert known["lbpp"].where == "fetched"
        assert "tasks/one.toml" in known["lbpp"].problem
    finally:
        (folder / "suite.toml").unlink()


@pytest.mark.parametrize(
    ("glob", "wanted"),
    [
        ("", lambda t: t.id != ""),
        ("py-*", lambda t: t.id.startswith("py-")),
        ("py-add", lambda t: t.id == "py-add"),
        ("tier:0", lambda t: t.tier == 0),
        ("tier:1-3", lambda t: 1 <= t.tier <= 3),
        ("tier:0,tier:4", lambda t: t.tier in (0, 4)),
        ("lang:sql, lang:bash", lambda t: t.language in ("sql", "bash")),
        ("lang:python,tier:4", lambda t: t.language == "python" and t.tier == 4),
        ("py-*,js-*,tier:2", lambda t: t.language in ("python", "javascript") and t.tier == 2),
        ("topic:pars*", lambda t: t.topic == "parsing"),
    ],
)
def test_tasks_are_chosen_in_the_suites_order(glob: str, wanted: Callable[[object], bool]) -> None:
    suite = suites.load("starter")
    chosen = suites.select(suite, glob)
    assert chosen
    assert chosen == tuple(task for task in suite.tasks if wanted(task))


@pytest.mark.parametrize("glob", ["nothing", "tier:7", "tier:x", "tier:", "tier:1-", "lang:cobol"])
def test_a_choice_of_nothing_is_an_error(glob: str) -> None:
    with pytest.raises(UsageError):
        suites.select(suites.load("starter"), glob)


def test_the_starter_suite_keeps_its_own_rules() -> None:
    suite = suites.load("starter")
    assert len(suite.tasks) >= 60
    for tier in range(5):
        assert sum(task.tier == tier for task in suite.tasks) >= 12
    for language in ("python", "javascript", "sql", "bash"):
        assert sum(task.language == language for task in suite.tasks) >= 8
    for task in suite.tasks:
        assert len(task.cases) >= 5, task.id
        assert len(task.wrong) >= 2, task.id
        assert len(task.title) <= 24, task.id
        answers = [case.expected for case in task.cases if not case.raises]
        assert not all(isinstance(a, bool) and a is answers[0] for a in answers), task.id
        if task.entry_point:
            assert task.entry_point in task.prompt, task.id
        for name in task.forbid:
            assert name in task.prompt, (task.id, name)


@pytest.mark.parametrize("suite", ["starter", "humaneval"])
def test_a_completion_ends_in_the_open_fence_that_a_base_model_goes_on_with(suite: str) -> None:
    for task in suites.load(suite).tasks:
        assert open_fence(task.completion), task.id
        assert given_code(task) or task.language == "sql", task.id


@pytest.mark.parametrize("suite", ["starter", "humaneval"])
def test_a_reference_in_a_fence_is_taken_as_it_is(suite: str) -> None:
    for task in suites.load(suite).tasks:
        found = extract(f"Here:\n\n```{task.language}\n{task.reference}\n```\nDone.", task, stop="end")
        assert found.outcome is None, task.id
        assert found.code.strip() == task.reference.strip(), task.id


def test_humaneval_is_whole_and_says_what_is_wrong_with_it() -> None:
    suite = suites.load("humaneval")
    assert len(suite.tasks) == 164
    assert "training data" in suite.caution
    noted = {task.id for task in suite.tasks if task.note}
    assert {"HumanEval/75", "HumanEval/116", "HumanEval/32"} <= noted
    assert all("def check(candidate)" in task.asserts for task in suite.tasks)


def test_a_file_that_is_no_gzip_or_cut_off_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path, manifest=_MANIFEST + 'data = "x.jsonl.gz"\nformat = "humaneval"\n')
    from playground import resources

    whole = resources.path("suites", "humaneval", "HumanEval.jsonl.gz").read_bytes()
    for harmed in (b"", b"no", whole[:1000], whole[:-4]):
        (folder / "x.jsonl.gz").write_bytes(harmed)
        with pytest.raises(PlaygroundError, match=r"x\.jsonl\.gz|holds no tasks"):
            suites.load(folder)
