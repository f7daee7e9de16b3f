"""The list of run files: whole ones, incomplete ones, damaged ones; newest first."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from playground.bench import run_list
from playground.bench.outcome import Outcome
from playground.bench.record import Entry
from playground.bench.run_file import RunWriter
from tests.support import runs

_PASS = [Outcome.PASS] * 3


def _write(path: Path, entries: list[Entry], started_at: str) -> None:
    header = msgspec.structs.replace(runs.header(3), started_at=started_at)
    writer = RunWriter.create(path, header)
    for entry in entries:
        writer.add(entry)
    writer.close()


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    whole = runs.entries({"A": _PASS, "B": _PASS})
    _write(tmp_path / "old.jsonl", whole, "2026-01-01T00:00:00+00:00")
    _write(tmp_path / "new.jsonl", whole[:-2], "2026-02-01T00:00:00+00:00")
    (tmp_path / "other.txt").write_text("no run")
    found = run_list.listed(tmp_path)
    assert [run.name for run in found] == ["new.jsonl", "old.jsonl"]
    assert [run.complete for run in found] == [False, True]
    assert found[0].header is not None
    assert found[0].header.suite_title == "A tiny suite"


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\xff\xfe", b'{"type":"header"', b"[" * 100_000])
def test_a_damaged_file_is_listed_as_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    (found,) = run_list.listed(tmp_path)
    assert found.header is None
    assert found.problem


def test_a_newer_version_is_said(tmp_path: Path) -> None:
    header = msgspec.structs.replace(runs.header(1), schema="playground.run/9")
    (tmp_path / "x.jsonl").write_bytes(msgspec.json.encode(header) + b"\n")
    (found,) = run_list.listed(tmp_path)
    assert "playground.run/9" in found.problem


def test_a_last_line_that_was_cut_is_no_end(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    _write(path, runs.entries({"A": _PASS, "B": _PASS}), "2026-01-01T00:00:00+00:00")
    path.write_bytes(path.read_bytes()[:-9])
    assert not run_list.described(path).complete


def test_no_folder_is_no_runs(tmp_path: Path) -> None:
    assert run_list.listed(tmp_path / "none") == ()
    assert run_list.described(tmp_path / "none.jsonl").problem
