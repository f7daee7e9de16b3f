"""Run files: written whole, locked, repaired, and read with patience."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.bench.outcome import CaseResult, Outcome
from playground.bench.record import Answer, Entry
from playground.bench.run_file import RunWriter, read
from playground.errors import PlaygroundError, SuiteError, UsageError
from tests.support import runs

resource = pytest.importorskip("resource", reason="POSIX limits")

_ENTRIES = runs.entries({"A": [Outcome.PASS] * 3, "B": [Outcome.WRONG, Outcome.PASS, Outcome.CUT_OFF]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "run.jsonl"


def _written(path: Path, entries: list[Entry]) -> Path:
    with RunWriter.create(path, runs.header()) as writer:
        for entry in entries:
            writer.add(entry)
    return path


def test_what_was_written_is_read(path: Path) -> None:
    data = read(_written(path, _ENTRIES))
    assert data.is_complete
    assert not data.notes
    assert [run.passed for run in data.tasks("B")] == [0, 1, 0]
    assert data.task("B", "task-2").samples[0].outcome is Outcome.CUT_OFF
    assert data.end is not None
    assert data.end.complete


@given(cut=st.integers(min_value=1))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_anywhere_loses_one_line_at_most(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = _written(tmp_path_factory.mktemp("cut") / "run.jsonl", _ENTRIES)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    size = first + cut % (len(whole) - first)
    path.write_bytes(whole[:size])
    lines = whole[:size].count(b"\n") - 1
    data = read(path)
    assert len(data.answers) == sum(isinstance(entry, Answer) for entry in _ENTRIES[:lines])
    assert bool(data.notes) == (whole[size - 1 : size] != b"\n")
    with RunWriter.resume(path) as writer:
        for entry in _ENTRIES[lines:]:
            writer.add(entry)
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named(path: Path) -> None:
    lines = _written(path, _ENTRIES).read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b'{"type":"answer","slot":7}\n', *lines[3:]]))
    with pytest.raises(SuiteError, match=r"run\.jsonl, line 4, is damaged") as raised:
        read(path)
    assert "--resume" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "holds no run"),
        (b"\n", "is no run file"),
        (b"hello\n", "is no run file"),
        (b"\xff\xfe\x00\n", "is no run file"),
        (b"[" * 100_000 + b"\n", "is no run file"),
        (b'{"schema":"playground.compare/1"}\n', "its schema is playground.compare/1"),
        (b'{"schema":"playground.run/2","type":"header"}\n', "written by a newer Playground"),
        (b'{"schema":"playground.run/1","type":"answer"}\n', "line 1, is damaged"),
    ],
)
def test_what_is_no_run_is_told_in_one_sentence(path: Path, text: bytes, says: str) -> None:
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(SuiteError, match=says):
        read(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"samples":1', b'"samples":1000000000'),
        (b'"samples":1', b'"samples":-5'),
        (b'"margin":0.1', b'"margin":-7.0'),
        (b'"slot":"B"', b'"slot":"A"'),
        (b'"lanes":[{', b'"lanes":[],"other":[{'),
    ],
)
def test_a_beginning_that_no_run_can_have_is_told(path: Path, old: bytes, new: bytes) -> None:
    whole = _written(path, _ENTRIES).read_bytes()
    assert old in whole
    path.write_bytes(whole.replace(old, new, 1))
    with pytest.raises(SuiteError, match=r"line 1, is damaged") as raised:
        read(path)
    assert raised.value.hint == "Restore the file."


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(SuiteError, match="cannot be read"):
        read(path)
    with pytest.raises(SuiteError, match="There is no run file"):
        RunWriter.resume(path)
    with pytest.raises(UsageError, match="no name of a file"):
        RunWriter.create(Path("a\0b"), runs.header())


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    before = _written(path, _ENTRIES).read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        RunWriter.create(path, runs.header())
    assert path.read_bytes() == before


def test_two_cannot_write_one_file(path: Path) -> None:
    writer = RunWriter.create(path, runs.header())
    with pytest.raises(PlaygroundError, match="being written by another run"):
        RunWriter.resume(path)
    writer.close()
    RunWriter.resume(path).close()


def test_duplicates_are_resolved(path: Path) -> None:
    again = msgspec.structs.replace(runs.answer("A", 0), text="another")
    data = read(_written(path, [*_ENTRIES, again, runs.result("A", 0, Outcome.TIMEOUT)]))
    assert data.answers["A", "task-0", 0].text != "another"
    assert data.results["A", "task-0", 0].judged.outcome is Outcome.TIMEOUT


def test_large_and_odd_texts_come_back(path: Path) -> None:
    large = runs.answer("A", 0, text="x\0\x1b[31m<b>é\u2028🎉" * 800_000)
    assert len(large.text.encode()) > 10_000_000
    assert read(_written(path, [large])).answers["A", "task-0", 0] == large


def test_half_a_character_does_not_stop_a_run(path: Path) -> None:
    odd = runs.result("A", 0, Outcome.WRONG)
    judged = msgspec.structs.replace(odd.judged, cases=(CaseResult("1", False, got="a\ud800b"),))
    data = read(_written(path, [runs.answer("A", 0), msgspec.structs.replace(odd, judged=judged)]))
    assert data.results["A", "task-0", 0].judged.cases[0].got == "a?b"


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from playground.bench.run_file import RunWriter, read
from playground.errors import PlaygroundError
from tests.support import runs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
writer = RunWriter.create(path, runs.header())
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, resource.RLIM_INFINITY))
answers = [runs.answer("A", n) for n in range(3)]
for answer in answers:
    try:
        writer.add(answer)
    except PlaygroundError as error:
        print(error.sentence())
print(len(writer.unsaved), len(writer.data.answers), len(read(path).answers), read(path).notes)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.flush()
print(len(writer.unsaved), read(path).answers == writer.data.answers)
"""


def test_a_full_disk_loses_nothing(path: Path) -> None:
    command = [sys.executable, "-c", _FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    *sentences, full, room = done.stdout.splitlines()
    assert sentences, done.stderr
    assert all("the disk is full" in text and "--resume" in text for text in sentences)
    unsaved, in_memory, in_file = (int(word) for word in full.split()[:3])
    assert (in_memory, unsaved + in_file) == (3, 3)
    assert unsaved > 0
    assert full.endswith("()")  # no half line was left behind
    assert room == "0 True"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlaygroundError, match="cannot be written"):
        RunWriter.create(Path("/proc/run.jsonl"), runs.header())
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaygroundError, match="cannot be written"):
        RunWriter.create(tmp_path / "file" / "run.jsonl", runs.header())


def test_a_file_that_is_open_elsewhere_is_freed_when_that_process_dies(path: Path) -> None:
    _written(path, [])
    code = (
        "import sys, time; from pathlib import Path; from playground.bench.run_file import RunWriter\n"
        "w = RunWriter.resume(Path(sys.argv[1])); print('open', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(PlaygroundError, match="another run"):
            RunWriter.resume(path)
        os.kill(other.pid, 9)
        other.wait()
    RunWriter.resume(path).close()
