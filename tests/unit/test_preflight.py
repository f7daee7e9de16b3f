"""The pre-flight names what is missing in one sentence, and Qt never gets to abort."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground import preflight

_ROOT = Path(__file__).parents[2]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v
        for k, v in os.environ.items()
        if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "CXX")
    }
    command = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=_ROOT, env={**kept, **environment}, check=False
    )


def test_a_missing_compiler_ends_the_setup_with_the_package_line() -> None:
    done = _run("preflight", PATH="")
    assert done.returncode == 3
    assert "no C++ compiler" in done.stderr
    assert "g++" in done.stderr or "gcc" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are looked for on Linux")
def test_without_a_display_the_window_is_refused_in_words() -> None:
    done = _run()
    assert done.returncode == 3
    assert "display" in done.stderr or "libraries" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are looked for on Linux")
def test_a_display_that_cannot_be_opened_is_named() -> None:
    if any(problem.kind == "library" for problem in preflight.window_problems()):
        return
    done = _run(DISPLAY=":97")
    if "libraries" not in done.stderr:
        assert "display :97 cannot be opened" in done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ('ID=debian\nVERSION_ID="12"', "debian"),
        ("ID=linuxmint\nID_LIKE=ubuntu", "debian"),
        ("ID=fedora", "fedora"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora"),
        ("ID=arch", "arch"),
        ("ID=plan9", None),
        ("", None),
    ],
)
def test_the_distribution_is_known_from_os_release(text: str, family: str | None) -> None:
    assert preflight.family_of(text) == family


def test_an_unknown_system_gets_all_three_lines() -> None:
    lines = preflight.install_lines({"debian": ["g++"], "fedora": ["gcc-c++"], "arch": ["gcc"]}, "ID=plan9")
    assert lines == (
        "Debian/Ubuntu: `sudo apt install g++`, Fedora: `sudo dnf install gcc-c++`, Arch: `sudo pacman -S gcc`"
    )


def test_a_missing_library_is_found_missing() -> None:
    absent = preflight._Library("libno-such-thing.so.9", "no-such", "no-such", "no-such")
    assert preflight.missing_libraries([absent]) == [absent]


def test_wrong_arguments_are_told_and_not_traced() -> None:
    done = _run("--no-such-option")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_binding_has_the_version_that_its_metadata_says() -> None:
    assert preflight._binding_version() == importlib.metadata.version("PySide6-Essentials")
