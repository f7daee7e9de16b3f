"""Devices on the command line: seen, used, told in JSON; wrong ones refused in a sentence."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lenders import lender
from tests.support.tiny_gguf import build

_ROOT = Path(__file__).parents[2]
_MIB = 1 << 20


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=_ROOT, stdin=subprocess.DEVNULL, check=False
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build("llama", tmp_path_factory.mktemp("tiny") / "tiny.gguf", script="Yes.", ctx=512))


def _dead() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"rpc://127.0.0.1:{probe.getsockname()[1]}"


def test_doctor_shows_devices_of_servers_and_says_which_are_not_there() -> None:
    dead = _dead()
    with lender("--memory", "8MiB") as lent:
        done = _run("doctor", "--device", lent.device, "--json")
        words = _run("doctor", "--device", dead, "--device", lent.device)
    assert done.returncode == 0, done.stderr
    engine = json.loads(done.stdout)["engine"]
    assert engine["unusable"] == []
    (found,) = (device for device in engine["devices"] if device["name"] == lent.device)
    assert found["backend"] == "RPC"
    assert found["free_bytes"] == found["total_bytes"] == 8 * _MIB
    cpu = engine["devices"][0]
    assert 0 < cpu["free_bytes"] < cpu["total_bytes"]
    assert words.returncode == 1
    lines = [line for line in words.stdout.splitlines() if line.startswith("Device")]
    assert [line for line in lines if f"{lent.device} (gpu, RPC)" in line and "0.0 of 0.0 GB free" in line]
    assert [line for line in lines if dead in line and "cannot be used" in line]


def test_doctor_lists_graphics_processors() -> None:
    found = json.loads(_run("doctor", "--json").stdout)["gpus"]
    assert all({"vendor", "name", "is_integrated", "has_device", "install"} == set(gpu) for gpu in found)


def test_compare_uses_a_device_and_reports_it(model: str) -> None:
    with lender() as lent:
        options = ("--device", lent.device, "--gpu-layers", "3", "--tensor-split", "1", "--no-kv-offload")
        done = _run("compare", "--model", model, "--prompt", "Hi", *options, "--json")
    assert done.returncode == 0, done.stderr
    (lane,) = json.loads(done.stdout)["lanes"]
    assert lane["answer"].strip() == "Yes."
    settings = lane["settings"]
    assert settings["devices"] == [lent.device]
    assert settings["gpu_layers"] == settings["gpu_layers_used"] == 3
    assert settings["tensor_split"] == [1.0]
    assert settings["kv_offload"] is False
    uses = {use["device"]: use for use in lane["memory"]["devices"]}
    assert set(uses) == {"CPU", lent.device}
    assert uses[lent.device]["weights_bytes"] > 0
    assert uses[lent.device]["kv_bytes"] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("doctor", "--device", "nonsense"), 2, "There is no device nonsense."),
        (("doctor", "--device", "rpc://nonsense"), 2, "not the address of an RPC server"),
        (
            ("serve-device", "--bind", "no.such.host.invalid"),
            1,
            "cannot be lent at no.such.host.invalid:50052",
        ),
        (("serve-device", "--bind", "127.0.0.1:nonsense"), 2, "is not an address"),
        (("serve-device", "--bind", "[::1]:50052"), 2, "IPv4"),
        (("serve-device", "--memory", "0"), 2, "not a usable size"),
        (("serve-device", "--memory", "lots"), 2, "not a size"),
        (("serve-device", "--threads", "-1"), 2, "-1 threads"),
        (("serve-device", "--threads", "few"), 2, "invalid int value"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_wrong_arguments_are_told_in_words(arguments: tuple[str, ...], status: int, words: str) -> None:
    _check_told(_run(*arguments), status, words)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--device", "nonsense"), 1, "There is no device nonsense."),
        (("--device", "rpc://nonsense"), 1, "not the address of an RPC server"),
        (("--device", "rpc://127.0.0.1:1"), 1, "127.0.0.1:1 cannot be used"),
        (("--tensor-split", "x"), 2, "--tensor-split"),
        (("--tensor-split=-1,2",), 2, "--tensor-split is not usable"),
        (("--tensor-split", "nan"), 2, "--tensor-split is not usable"),
        (("--gpu-layers", "-3"), 2, "--gpu-layers"),
        (("--gpu-layers", "2.5"), 2, "not auto, none, all or a number"),
        (("--cpu-experts", "most"), 2, "not auto, none, all or a number"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_wrong_wishes_are_told_in_words(
    model: str, arguments: tuple[str, ...], status: int, words: str
) -> None:
    _check_told(_run("compare", "--model", model, "--prompt", "Hi", *arguments), status, words)


def test_an_address_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run("serve-device", "--bind", f"127.0.0.1:{port}")
    _check_told(done, 1, f"cannot be lent at 127.0.0.1:{port}: Address already in use.")


def _check_told(done: subprocess.CompletedProcess[str], status: int, words: str) -> None:
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
