"""The command line when it is interrupted, when nobody reads it, and when nothing can be written."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from playground import config
from playground.compare.prepare import make_copy
from playground.errors import UsageError
from playground.models.library import describe
from tests.support.tiny_gguf import build

resource = pytest.importorskip("resource", reason="POSIX limits and signals")

_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "playground"]
_SLOW_TEMPLATE = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
_WAIT_S = 60.0


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = "This goes on and on, and nobody knows when it will end. "
    path = tmp_path_factory.mktemp("endless") / "endless.gguf"
    return build("llama", path, script=text, endless=True, ctx=1 << 20)


def _run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401 -- of subprocess.run
    where: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(
        [*_COMMAND, *arguments],
        text=True,
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        timeout=_WAIT_S,
        check=False,
        **where,
    )


def _begun(
    model: Path, *more: str, workers: int, busy_s: float
) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Return a comparison whose workers have been busy for a while, and them."""
    arguments = ["compare", *("--model", str(model)) * workers, "--prompt", "Go on", "--json"]
    arguments += ["--max-tokens", "100000000", "--ctx", "100000", "--gpu-layers", "none", *more]
    process = subprocess.Popen(
        [*_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT
    )
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline and process.poll() is None:
        found = psutil.Process(process.pid).children()
        if len(found) == workers and all(child.cpu_times().user > busy_s for child in found):
            return process, found
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"the workers never got busy: {process.communicate()}")


def _are_gone(workers: Sequence[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(list(workers), timeout=10)
    return all(worker.status() == psutil.STATUS_ZOMBIE for worker in alive)


def test_the_first_interrupt_stops_and_prints(endless: Path) -> None:
    process, workers = _begun(endless, workers=2, busy_s=0.5)
    process.send_signal(signal.SIGINT)
    output, words = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 1, words
    assert "Traceback" not in words
    lanes = json.loads(output)["lanes"]
    assert [lane["slot"] for lane in lanes] == ["A", "B"]
    for lane in lanes:
        assert lane["stop"] == "cancelled"
        assert lane["error"] is None
        assert lane["answer"].startswith("This goes on and on")
        assert lane["usage"]["completion_tokens"] > 0
    assert _are_gone(workers)


def test_an_interrupt_while_it_loads_gives_the_load_up(endless: Path, tmp_path: Path) -> None:
    template = tmp_path / "slow.jinja"
    template.write_text(_SLOW_TEMPLATE)
    process, workers = _begun(endless, "--template-file", str(template), workers=1, busy_s=0.3)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    output, words = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 1, words
    assert [lane["stop"] for lane in json.loads(output)["lanes"]] == ["cancelled"]
    assert _are_gone(workers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_another_signal_leaves_no_worker(endless: Path, number: signal.Signals) -> None:
    process, workers = _begun(endless, workers=1, busy_s=0.3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=_WAIT_S)
    assert process.returncode == -number
    assert not output
    assert _are_gone(workers)


def test_a_reader_that_goes_early_is_no_accident(endless: Path) -> None:
    for arguments in (
        ["prompts", "--json"],
        ["compare", "--model", str(endless), "--prompt", "Hi", "--max-tokens", "9", "--json"],
    ):
        process = subprocess.Popen(
            [*_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        words = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(_WAIT_S) == 1
        assert "Traceback" not in words
        assert "BrokenPipe" not in words


@pytest.mark.parametrize(
    ("redirection", "status", "words"),
    [
        (">&-", 1, "Standard output cannot be written: it is closed."),
        (">/dev/full", 1, "Standard output cannot be written: No space left on device."),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        ("<&-", 0, ""),
        ("<&- >&- 2>&-", 1, ""),
    ],
)
def test_streams_may_be_closed_or_full(endless: Path, redirection: str, status: int, words: str) -> None:
    script = f'exec "$@" {redirection}'
    arguments = ["compare", "--model", str(endless), "--prompt", "Hi", "--max-tokens", "9", "--json"]
    done = subprocess.run(
        ["sh", "-c", script, "sh", *_COMMAND, *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if status == 0:
        assert json.loads(done.stdout)["lanes"][0]["usage"]["completion_tokens"] == 9


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9", "is not UTF-8 text"),
        (b"\xed\xa0\x80", "is not UTF-8 text"),
        (b" \n", "is empty"),
        (b"x" * ((16 << 20) + 1), "larger than 16 MiB"),
    ],
)
def test_a_prompt_file_that_is_no_prompt_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "prompt.txt"
    path.write_bytes(content)
    done = _run("compare", "--model", "x.gguf", "--prompt-file", str(path))
    assert done.returncode == 2
    assert words in done.stderr


def test_garbled_arguments_are_answered(endless: Path) -> None:
    garbled = os.fsdecode(b"caf\xe9")
    done = _run(
        "compare",
        "--model",
        str(endless),
        "--system",
        garbled,
        "--prompt",
        garbled,
        "--max-tokens",
        "3",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["prompt"]["text"] == "caf?"
    done = _run("compare", "--model", f"{garbled}.gguf", "--prompt", "Hi", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_negative_layers_and_endless_contexts_are_refused(endless: Path) -> None:
    base = ("compare", "--model", str(endless), "--prompt", "Hi")
    for wrong in (
        ("--gpu-layers", "-1"),
        ("--ctx", "99999999999"),
        ("--ctx", "7"),
        ("--temperature", "nan"),
        ("--max-tokens", "0"),
    ):
        done = _run(*base, *wrong)
        assert done.returncode == 2, wrong
        assert wrong[0] in done.stderr
    done = _run(*base, "--ctx", str(1 << 30), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["lanes"][0]["error"]["kind"] == "out_of_memory"


def _quantize(source: Path, target: str, **options: Any) -> str:  # noqa: ANN401 -- of subprocess.run
    done = _run("models", "quantize", str(source), "Q8_0", "-o", target, **options)
    assert done.returncode in (1, 2), done.stderr
    assert not done.stdout
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_copies_that_cannot_be_written_leave_nothing(endless: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.gguf"
    taken.symlink_to("nowhere")
    before = sorted(tmp_path.iterdir())
    assert "exists already" in _quantize(endless, str(tmp_path))
    assert "exists already" in _quantize(endless, str(endless))
    assert "exists already" in _quantize(endless, str(taken))
    assert "is no name" in _quantize(endless, "/")
    assert "cannot be written" in _quantize(endless, f"{endless}/copy.gguf")
    assert "cannot be written" in _quantize(endless, "/proc/none/copy.gguf")
    for length in (252, 300):
        assert "cannot be written" in _quantize(endless, str(tmp_path / ("x" * length)))
    assert "does not exist" in _quantize(endless, "~nobody-at-all/copy.gguf")
    with pytest.raises(UsageError, match="is no name"):
        asyncio.run(
            make_copy(describe(endless), "Q8_0", tmp_path / "a\0b.gguf", lambda _what, _fraction: None)
        )
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_is_told_and_cleaned_up(
    endless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    logs = config.folders().logs
    logs.mkdir(parents=True)
    for name in ("playground.log", "native.log"):  # no room for the log either
        (logs / name).write_bytes(b"x" * 300_000)
    copies = tmp_path / "copies"
    copies.mkdir()
    words = _quantize(endless, str(copies / "copy.gguf"), preexec_fn=limit)
    assert "cannot be written: the disk is full" in words
    assert not list(copies.iterdir())


def test_an_interrupted_copy_is_cleaned_up(tmp_path: Path) -> None:
    source = build("llama", tmp_path / "source.gguf", n_layer=64)
    folder = tmp_path / "copies"
    arguments = ["models", "quantize", str(source), "Q2_K", "-o", str(folder / "copy.gguf")]
    process = subprocess.Popen(
        [*_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT
    )
    while process.poll() is None and not list(folder.glob("*.part")):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 130
    assert "Traceback" not in words
    assert not list(folder.iterdir())
