"""Broken files, hostile names, trees without end and folders that refuse: told, and the rest is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playground.models.disk import folders, inventory
from playground.models.disk.findings import MOST_DEPTH, Search, models_below
from playground.models.disk.inventory_values import DiskState, Place
from playground.models.library import local_models
from playground.models.reference import parse, resolve
from tests.support.homes import Home, found, gguf_bytes, one, written

_ROOT = Path(__file__).parents[3]
_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if _IS_ROOT else []


def test_broken_files_say_how(own_home: Home) -> None:
    whole = gguf_bytes()
    for name, content in {
        "cut": whole[:-100],
        "header": whole[:60],
        "text": b"<html>404 not found</html>",
        "empty": b"",
        "nameless": gguf_bytes(arch=""),
    }.items():
        written(own_home.gpt4all / f"{name}.gguf", content)
    by_name = {Path(m.path).stem: m for m in found()}
    assert {m.state for m in by_name.values()} == {DiskState.BROKEN}
    assert by_name["cut"].problem == f"It ends early: {len(whole) - 100:,} of {len(whole):,} bytes are there."
    assert by_name["cut"].arch == "llama"
    assert "cut off" in by_name["header"].problem
    assert "not a GGUF" in by_name["text"].problem
    assert all(m.problem.endswith(".") and not m.ref for m in by_name.values())
    assert not local_models()


def test_circles_of_links_pipes_and_deep_trees_end(own_home: Home) -> None:
    root = own_home.lm_studio / "p"
    written(root / "m.gguf", gguf_bytes())
    (root / "again").symlink_to(root)
    (root / "self").symlink_to("self")
    (root / "up").symlink_to(own_home.root)
    os.mkfifo(root / "pipe.gguf")
    (root / "folder.gguf").mkdir()
    deep = root.joinpath(*(["d"] * (MOST_DEPTH + 3)))
    written(deep / "too-deep.gguf", gguf_bytes(mark=2))
    assert [Path(m.path).name for m in found()] == ["m.gguf"]


@pytest.mark.parametrize(
    "name",
    ["a\nb\x1b[31m.gguf", "-rf.gguf", "~.gguf", "%s {0}.gguf", "日本 🎉.gguf", "x" * 240 + ".gguf", ".gguf"],
)
def test_hostile_names_are_shown_as_one_line_and_still_lead_to_the_file(own_home: Home, name: str) -> None:
    path = written(own_home.gpt4all / name, gguf_bytes("\x1b[2J\n"))
    model = one()
    assert model.path == str(path)
    assert model.name.isprintable()
    assert model.name
    assert resolve(parse(model.ref)).path == str(path)


def test_a_name_that_is_no_text_is_found_and_remembered(own_home: Home) -> None:
    written(own_home.gpt4all / os.fsdecode(b"\xff\xfe.gguf"), gguf_bytes(""))
    assert one() == one()
    assert one().name.isprintable()


def test_ten_thousand_files_are_looked_through(own_home: Home) -> None:
    folder = own_home.root / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number}.txt").touch()
    for number in range(20):
        written(folder / f"{number}.gguf", gguf_bytes(f"m{number}", mark=number))
    folders.add(folder)
    disk = inventory.scan()
    assert len(disk.models) == 20
    assert not disk.notes


def test_a_tree_without_end_is_cut_and_told(own_home: Home) -> None:
    for number in range(100):
        written(own_home.gpt4all / f"{number % 7}" / f"{number:03}.gguf", b"")
    search = Search(most_entries=50)
    assert 0 < len(list(models_below(own_home.gpt4all, Place.GPT4ALL, search))) <= 50
    assert search.notes == [f"{own_home.gpt4all} holds more than 50 files: the rest was not looked at."]


@pytest.mark.skipif(
    os.name != "posix" or (_IS_ROOT and not shutil.which("setpriv")), reason="no way to be refused"
)
def test_what_may_not_be_read_is_told_and_the_rest_found(own_home: Home) -> None:
    written(own_home.gpt4all / "good.gguf", gguf_bytes("Good"))
    locked = written(own_home.gpt4all / "locked.gguf", gguf_bytes(mark=2))
    closed = written(own_home.lm_studio / "closed" / "x.gguf", gguf_bytes(mark=3)).parent
    own_home.in_ollama("o:1b", gguf_bytes(mark=4))
    sealed = own_home.ollama
    blind = written(own_home.jan / "models" / "blind" / "y.gguf", gguf_bytes(mark=5)).parent
    locked.chmod(0)
    closed.chmod(0)
    sealed.chmod(0)
    hidden = written(own_home.llama_cpp / "z.gguf", gguf_bytes(mark=6)).parent.parent
    hidden.chmod(0)  # holds the Hub cache, too
    blind.chmod(0o400)  # its names can be read, its files not
    code = (
        "from playground.models.disk import inventory; import msgspec;"
        "print(msgspec.json.encode(inventory.scan()).decode())"
    )
    try:
        done = subprocess.run(
            [*_AS_ANYBODY, sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **own_home.environment()},
            timeout=60,
            check=False,
        )
    finally:
        for path in (locked, closed, sealed, blind, hidden):
            path.chmod(0o700)
    assert done.returncode == 0, done.stderr
    disk = json.loads(done.stdout)
    states = {Path(m["path"]).name: (m["state"], m["problem"]) for m in disk["models"]}
    assert states["good.gguf"] == ("ready", "")
    assert states["locked.gguf"] == ("unreadable", "It cannot be read: Permission denied.")
    assert states["y.gguf"][0] == "unreadable"
    assert f"{closed} cannot be read: Permission denied." in disk["notes"]
    assert any(str(sealed) in note for note in disk["notes"])
    assert f"{own_home.llama_cpp} cannot be read: Permission denied." in disk["notes"]
    # Once allowed, it is found: a refusal is not remembered.
    assert {m.state for m in found()} == {DiskState.READY}
