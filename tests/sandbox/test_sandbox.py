"""Choosing a sandbox by trial, with real runs: what lies, what is blocked, which Python it takes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from playground.bench.judge import judge
from playground.bench.outcome import Outcome
from playground.bench.sandbox import Backend, Sandbox, interpreter, probe, seccomp
from playground.bench.sandbox.ending import why_it_ended
from playground.bench.sandbox.probe import explained, try_backend
from playground.bench.sandbox.values import Stop
from playground.bench.task import Case, Limits, Task
from tests.support.sandboxes import BACKENDS, sandbox_of

_TASK = Task(
    id="t", title="", language="python", tier=0, topic="", prompt="", reference="", entry_point="f",
    cases=(Case(args=([1, 2],), expected=[2, 1]),),
)  # fmt: skip
_CODE = "import collections, json, re\ndef f(xs): return xs[::-1]"


def _probed() -> Sandbox:
    return probe.__wrapped__()


def test_the_strongest_that_works_is_chosen_once() -> None:
    found = probe()
    assert found.backend is Backend.BUBBLEWRAP
    assert found.guarantee == "Tests run in a sandbox: no network, no access to your files."
    assert found.missing == ""
    assert found.python is not None
    assert found.node is not None
    assert probe() is found


def test_a_bubblewrap_that_is_blocked_leaves_the_reduced_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake(tmp_path, "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = _probed()
    assert found.backend is Backend.LANDLOCK
    assert found.guarantee.startswith("Reduced sandbox: no network")
    assert "namespaces" in found.missing
    assert asyncio.run(judge(_TASK, _CODE, found)).outcome is Outcome.PASS


def test_a_bubblewrap_that_holds_nothing_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake(tmp_path, 'while [ "$1" != --seccomp ]; do shift; done; shift 2; exec "$@"')
    monkeypatch.setenv("PATH", str(tmp_path))
    found = asyncio.run(try_backend(Backend.BUBBLEWRAP, interpreter.pythons()))
    assert isinstance(found, str)
    assert "It lets through: read, network, write, list." in found


def test_without_bubblewrap_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = _probed()
    assert found.backend is Backend.LANDLOCK
    assert "apt install bubblewrap" in found.missing
    assert found.node is None
    assert found.node_missing == "Node.js was not found."


@pytest.mark.parametrize(("platform", "name"), [("win32", "Windows"), ("darwin", "macOS")])
def test_other_systems_have_none_and_say_so(
    platform: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    found = _probed()
    assert found.name == "none"
    assert not found.is_safe
    assert name in found.guarantee
    assert found.guarantee.endswith("Automatic testing is off.")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_python_outside_of_the_system_works_too(backend: str) -> None:
    program = interpreter.described(sys.executable)
    assert program is not None
    assert program.version == ".".join(map(str, sys.version_info[:3]))
    assert not any(Path(path) in Path.home().parents or Path(path) == Path.home() for path in program.needs)
    found = asyncio.run(try_backend(Backend(backend), [program]))
    assert isinstance(found, Sandbox), found
    assert asyncio.run(judge(_TASK, _CODE, found)).outcome is Outcome.PASS
    stealing = "import glob, sys\ndef f(xs): return sorted(glob.glob(sys.base_prefix + '/../*'))[:9]"
    assert "pyenv" not in repr(asyncio.run(judge(_TASK, stealing, found)).cases[0].got).replace(
        sys.base_prefix, ""
    )


def test_what_is_no_python_is_not_taken(tmp_path: Path) -> None:
    assert interpreter.described("/bin/true") is None
    assert interpreter.described(str(tmp_path / "nothing")) is None
    old = tmp_path / "python3"
    old.write_text(
        '#!/bin/sh\necho \'{"version": [3, 7, 9], "mapped": [], "executable": "/x", "libraries": []}\'\n'
    )
    old.chmod(0o755)
    assert interpreter.described(str(old)) is None


def test_a_whole_home_is_never_shown() -> None:
    for path in ("/", str(Path.home()), str(Path.home().parent)):
        assert interpreter.is_too_wide(path)
    assert not interpreter.is_too_wide(str(Path.home() / "python"))


def test_only_what_lies_outside_of_the_system_is_bound(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a").touch()
    (tmp_path / "b").touch()
    paths = [str(tmp_path / name) for name in ("lib/a", "lib", "b", "gone")]
    assert interpreter.outside_of_system([*paths, "/usr/lib/x", ""]) == (paths[2], paths[1])


def test_sentences_say_what_helps() -> None:
    blocked = explained(Backend.BUBBLEWRAP, "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted")
    assert "namespaces" in blocked
    assert "sysctl" not in blocked
    assert "does not work here (bwrap: Unknown option --x)" in explained(
        Backend.BUBBLEWRAP, "bwrap: Unknown option --x\n"
    )
    assert "Linux 6.2" in explained(Backend.LANDLOCK, "sandbox: Landlock version 1")


@pytest.mark.parametrize(
    ("status", "log", "kind"),
    [
        (0, "", Stop.ENDED), (1, "Traceback", Stop.ENDED), (-11, "", Stop.ENDED), (139, "", Stop.ENDED), (-24, "", Stop.CPU),
        (152, "", Stop.CPU), (137, "", Stop.CPU), (134, "FATAL ERROR: JavaScript heap out of memory", Stop.MEMORY),
        (-25, "", Stop.DISK), (97, "sandbox: no ruleset", Stop.PROTOCOL), (255, "", Stop.ENDED),
    ],
)  # fmt: skip
def test_how_a_program_ended(status: int, log: str, kind: Stop) -> None:
    found, text = why_it_ended(status, log, Limits())
    assert found is kind
    assert text.endswith(".")


def test_a_killed_program_is_not_said_to_have_used_its_time() -> None:
    _, text = why_it_ended(137, "", Limits())
    assert "or by itself" in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_inside_tells_where_the_person_keeps_programs(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"/usr/bin:/bin:{tmp_path}/secret-folder")
    code = """
import glob
def f(xs):
    found = []
    for name in glob.glob("/proc/*/environ"):
        try:
            found.append(open(name, "rb").read().decode("latin-1"))
        except OSError:
            pass
    return "".join(found)
"""
    judged = asyncio.run(judge(_TASK, code, sandbox_of(backend)))
    assert judged.outcome is Outcome.WRONG
    assert "secret-folder" not in judged.message


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("pid", "may_fork"), [(0, True), (77, True), (77, False)])
def test_filters_are_whole_programs(
    machine: str, pid: int, may_fork: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    code = seccomp.program(alone_pid=pid, may_fork=may_fork)
    steps = [code[n : n + 8] for n in range(0, len(code), 8)]
    assert len(code) % 8 == 0
    assert len(steps) < 4096
    for n, step in enumerate(steps):
        if step[0] & 7 == 5:  # a jump stays inside and ends before the last step
            assert n + 1 + max(step[2], step[3]) < len(steps)
    assert steps[-1][0] == 6


def test_both_backends_take_the_same_python() -> None:
    assert sandbox_of("bubblewrap").python == sandbox_of("landlock").python


def _fake(folder: Path, script: str) -> None:
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
