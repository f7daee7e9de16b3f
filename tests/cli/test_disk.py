"""``playground models list``, ``verify`` and ``rm`` as a person runs them, in a home of their own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.homes import Home, gguf_bytes, sha256, written

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home with a whole, a broken and a double model."""
    made = Home(tmp_path / "home")
    made.cached("o/r", "m-Q8_0.gguf", gguf_bytes("Whole", mark=1))
    made.in_ollama("same:8b", gguf_bytes("Whole", mark=1))
    written(made.gpt4all / "cut.gguf", gguf_bytes("Cut")[:-100])
    return made


def _environment(home: Home) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "HF_"))}
    return {**kept, **home.environment()}


def _run(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", "models", *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def _answer(home: Home, text: str, *arguments: str) -> tuple[int, str]:
    """Run with a terminal, type an answer, and return the exit status and what the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "playground", "models", *arguments],
        cwd=_ROOT,
        env=_environment(home),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, text.encode())
    status = process.wait(60)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    return status, shown


def _json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_list_shows_what_can_be_run_and_all_shows_the_rest_with_its_place(home: Home) -> None:
    done = _run(home, "list")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "hf:o/r:Q8_0"
    assert "in the Hub cache" in done.stdout
    assert "Cut" not in done.stdout
    assert "2 more" in done.stderr
    everything = _run(home, "list", "--all").stdout
    assert "It ends early" in everything
    assert "It is the same as Whole in the Hub cache." in everything
    assert "in Ollama" in everything
    assert str(home.gpt4all / "cut.gguf") in everything


def test_the_list_as_json_has_the_old_fields_and_the_new(home: Home) -> None:
    found = _json(_run(home, "list", "--all", "--json"))
    assert found["schema"] == "playground.models/1"
    old = {
        "ref",
        "path",
        "name",
        "size_bytes",
        "arch",
        "quant",
        "params",
        "n_ctx_train",
        "is_base",
        "licence",
    }
    new = {"place", "state", "files", "repo", "problem", "same_as", "fraction"}
    assert all(old | new <= set(model) for model in found["models"])
    assert [m["state"] for m in found["models"]] == ["ready", "duplicate", "broken"]
    assert {"total_bytes", "free_bytes", "folders", "notes"} <= set(found)
    assert [m["state"] for m in _json(_run(home, "list", "--json"))["models"]] == ["ready"]


def test_a_hostile_name_does_not_reach_the_terminal(home: Home) -> None:
    written(home.gpt4all / "a\x1b[31m\nb.gguf", gguf_bytes(""))
    assert "\x1b" not in _run(home, "list").stdout


def test_verify_says_that_a_model_is_whole(home: Home) -> None:
    done = _run(home, "verify", "hf:o/r:Q8_0", "--json")
    assert done.returncode == 0
    found = _json(done)
    assert (found["schema"], found["state"]) == ("playground.verify/1", "ok")
    [file] = found["files"]
    content = gguf_bytes("Whole", mark=1)
    assert file["sha256"] == file["expected_sha256"] == sha256(content)
    assert file["size_bytes"] == len(content)
    assert "what its sha256 says" in done.stderr


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_verify_finds_one_wrong_byte_and_says_what_to_do(home: Home, damage: str) -> None:
    [blob] = (home.repository("o/r") / "blobs").iterdir()
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    status = blob.stat()
    blob.write_bytes(content if damage == "flipped" else content[:-1])
    os.utime(blob, ns=(status.st_atime_ns, status.st_mtime_ns))
    done = _run(home, "verify", "hf:o/r:Q8_0", "--json")
    assert done.returncode == 1
    assert _json(done)["files"][0]["state"] == "mismatch"
    assert "playground models rm" not in done.stderr  # of a split model, only the wrong part is fetched again
    assert "playground models pull hf:o/r:Q8_0" in done.stderr


def test_verify_of_a_file_that_nothing_is_known_of_prints_its_sha256(home: Home) -> None:
    path = written(home.root / "plain.gguf", gguf_bytes("Plain"))
    done = _run(home, "verify", str(path))
    assert done.returncode == 0
    assert done.stdout == f"{sha256(gguf_bytes('Plain'))}  {path}\n"
    assert "Nothing on this disk says" in done.stderr


def test_verify_looks_at_all_parts(home: Home) -> None:
    for number in (1, 2):
        home.cached("o/split", f"s-Q4_0-0000{number}-of-00002.gguf", gguf_bytes(mark=number))
    assert len(_json(_run(home, "verify", "hf:o/split", "--json"))["files"]) == 2
    blob = home.repository("o/split") / "blobs" / sha256(gguf_bytes(mark=2))
    blob.write_bytes(gguf_bytes(mark=3))
    done = _run(home, "verify", "hf:o/split", "--json")
    assert [file["state"] for file in _json(done)["files"]] == ["ok", "mismatch"]


def test_rm_asks_nobody_without_a_terminal(home: Home) -> None:
    done = _run(home, "rm", "hf:o/r:Q8_0")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert list(home.hub.rglob("*.gguf"))


def test_rm_with_yes_deletes_and_tells_the_bytes(home: Home) -> None:
    done = _run(home, "rm", "hf:o/r:Q8_0", "--yes", "--json")
    assert done.returncode == 0
    found = _json(done)
    assert found["schema"] == "playground.removed/1"
    assert found["freed_bytes"] == len(gguf_bytes("Whole"))
    assert found["ref"] == "hf:o/r:Q8_0"
    assert not list(home.hub.rglob("*.gguf"))
    again = _run(home, "rm", "hf:o/r:Q8_0", "--yes")
    assert again.returncode == 1
    assert "There is no model called" in again.stderr


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1)])
def test_rm_asks_on_a_terminal(home: Home, answer: str, status: int) -> None:
    found, shown = _answer(home, answer, "rm", "hf:o/r:Q8_0")
    assert found == status, shown
    assert "Delete Whole from the Hub cache for good?" in shown
    assert bool(list(home.hub.rglob("*.gguf"))) == (status == 1)


def test_rm_of_another_program_s_model_is_refused_by_name(home: Home) -> None:
    done = _run(home, "rm", str(home.gpt4all / "cut.gguf"), "--yes")
    assert done.returncode == 1
    assert "belongs to GPT4All" in done.stderr
    assert (home.gpt4all / "cut.gguf").exists()


@pytest.mark.parametrize("command", ["verify", "rm"])
@pytest.mark.parametrize("ref", ["hf:o/none", "/no/such.gguf", "nothing", "hf:o/r:Q2_K", "a\udcffb.gguf"])
def test_a_model_that_is_not_there_is_told_in_a_sentence(home: Home, command: str, ref: str) -> None:
    done = _run(home, command, ref, *(["--yes"] if command == "rm" else []))
    assert done.returncode == 1
    assert done.stderr.startswith("playground: ")
    assert "Traceback" not in done.stderr
