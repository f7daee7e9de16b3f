"""A stage for hostile programs: a home with a secret, listeners, a neighbour to harm. Says afterwards what was harmed."""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import psutil

from playground.bench.judge import judge
from playground.bench.outcome import CaseResult, Judged, Outcome
from playground.bench.sandbox import Backend, Sandbox, interpreter
from playground.bench.sandbox.probe import none, try_backend
from playground.bench.task import Case, Limits, Task
from tests.support.hostile_programs import PROGRAMS, Hostile
from tests.support.hostile_scripts import SCRIPTS

CANARY = "CANARY-" + secrets.token_hex(8)
SECRET_NAME = "STAGE_SECRET"
ALL = (*PROGRAMS, *SCRIPTS)
_LIMITS = Limits(time_s=2.5, call_s=2.0, cpu_s=2, memory_bytes=256 << 20)
_SPARE_S = 6.0  # for the start and the end, on a busy machine
_AT_A_TIME = 4


@dataclass(frozen=True)
class Result:
    """What came of one program. ``through``: what it got, empty when it was held. ``fault``: the program's own."""

    name: str
    through: str
    fault: str
    outcome: str
    message: str
    duration_s: float
    peak_bytes: int


class Stage:
    """What one program can harm."""

    def __init__(self, base: Path, sandbox: Sandbox) -> None:
        self.base, self._sandbox = base, sandbox
        self.mark = "st-" + secrets.token_hex(5)
        self.file, self.folder, self.key = base / "file", base / "folder", base / "key"
        self.file.write_text("untouched")
        self.file.chmod(0o600)
        os.utime(self.file, (1000, 1000))
        self.folder.mkdir()
        self.key.write_text(CANARY)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.streams = [self.tcp, socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
        self.streams[1].bind(str(base / "socket"))
        self.streams[2].bind("\0" + self.mark)
        self.datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.datagrams.bind(str(base / "datagrams"))
        for listener in (*self.streams, self.udp, self.datagrams):
            listener.setblocking(False)
        for listener in self.streams[1:]:
            listener.listen()
        self.victim = subprocess.Popen(["sleep", "600"])
        self._state = self._victim_state()

    def place(self) -> dict[str, object]:
        """Return what a program is told."""
        is_alone = self._sandbox.backend is not Backend.BUBBLEWRAP
        return {
            "home": str(self.base), "key": str(self.key), "file": str(self.file), "folder": str(self.folder),
            "app": os.getpid(), "victim": self.victim.pid, "secret_name": SECRET_NAME, "mark": self.mark,
            "tcp": self.tcp.getsockname()[1], "udp": self.udp.getsockname()[1], "socket": str(self.base / "socket"),
            "datagrams": str(self.base / "datagrams"), "abstract": "\0" + self.mark, "alone": is_alone,
            "scratch": "." if is_alone else "/tmp",
        }  # fmt: skip

    def _victim_state(self) -> tuple[object, ...]:
        pid = self.victim.pid
        return (
            resource.prlimit(pid, resource.RLIMIT_NOFILE),
            os.getpriority(os.PRIO_PROCESS, pid),
            os.sched_getaffinity(pid),
        )

    def harm(self) -> str:
        """Return what is no longer as it was."""
        found = []
        status = self.file.stat() if self.file.exists() else None
        if status is None or self.file.read_text() != "untouched" or status.st_mode & 0o777 != 0o600:
            found.append("the file was changed")
        elif status.st_mtime != 1000:
            found.append("the file's times were changed")
        if status is not None and os.listxattr(self.file):
            found.append("the file was marked")
        if any(self.folder.iterdir()):
            found.append("something new is in the home")
        if self.victim.poll() is not None:
            found.append("the neighbour was killed")
        elif self._victim_state() != self._state:
            found.append("the neighbour was changed")
        return ", ".join([*found, *self._talked(), *self._left()])

    def _talked(self) -> Iterator[str]:
        for listener in self.streams:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                continue
            yield f"connected to {listener.family.name}"
        for listener in (self.udp, self.datagrams):
            try:
                listener.recv(10)
            except BlockingIOError:
                continue
            yield f"sent to {listener.family.name}"

    def _left(self) -> list[str]:
        """Return processes that live on; one that was killed takes a moment to be gone."""
        deadline = monotonic() + 2
        while (left := self._alive()) and monotonic() < deadline:
            sleep(0.02)
        return [f"process {pid} lives on" for pid in left]

    def _alive(self) -> list[int]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
        return found

    def close(self) -> None:
        """End it all."""
        for listener in (*self.streams, self.udp, self.datagrams):
            listener.close()
        self.victim.kill()
        self.victim.wait()


@contextmanager
def staged(sandbox: Sandbox) -> Iterator[Stage]:
    """Yield a stage of its own."""
    with tempfile.TemporaryDirectory(prefix="stage-") as folder:
        stage = Stage(Path(folder), sandbox)
        try:
            yield stage
        finally:
            stage.close()


async def run(program: Hostile, sandbox: Sandbox) -> Result:
    """Judge one program and look at what it did."""
    with staged(sandbox) as stage:
        task = _task(program, stage.place())
        started = monotonic()
        judged = await judge(task, program.code, sandbox, unsafe=True)
        duration_s = monotonic() - started
        harm = stage.harm()
    return Result(
        program.name,
        _through(judged, harm, duration_s),
        _fault(judged),
        judged.outcome.value,
        judged.message,
        duration_s,
        judged.peak_bytes,
    )


def _task(program: Hostile, place: dict[str, object]) -> Task:
    never = f"never {CANARY[::-1]}"
    if program.language == "bash":
        told = "".join(
            f"{name}={shlex.quote(str(value).replace(chr(0), ''))}\n" for name, value in place.items()
        )
        case = Case(files={"place.sh": told}, expected=never)
    else:
        case = Case(args=(place,), expected=never)
    return Task(
        id="hostile", title="", language=program.language, tier=0, topic="", prompt="", reference="",
        entry_point="" if program.language == "bash" else "attack", cases=(case,), limits=_LIMITS,
    )  # fmt: skip


def _through(judged: Judged, harm: str, duration_s: float) -> str:
    case = judged.cases[0] if judged.cases else CaseResult("", passed=False)
    found = [harm] if harm else []
    if judged.outcome == "pass":
        found.append("it passed")
    if "THROUGH" in case.got[:9] or case.got.endswith("THROUGH"):
        found.append(case.got[9:120].strip(" '\"") or "it says so")
    if CANARY in f"{case.got}{judged.log}{judged.message}":
        found.append("the secret came out")
    if duration_s > _LIMITS.time_s + _SPARE_S:
        found.append(f"it ran for {duration_s:.1f} s")
    if judged.peak_bytes > 2 * _LIMITS.memory_bytes:
        found.append(f"it used {judged.peak_bytes >> 20} MiB")
    return "; ".join(found)


def _fault(judged: Judged) -> str:
    """Return an exception that no wall raised: the program itself is wrong."""
    if judged.outcome is Outcome.NOT_RUN:
        return judged.message
    got = judged.cases[0].got
    faults = ("NameError", "TypeError", "AttributeError", "SyntaxError", "ImportError", "IndentationError")
    return got if any(f"raised {name}" in got or name in judged.message for name in faults) else ""


async def run_all(backend: str) -> tuple[Sandbox, list[Result]]:
    """Judge every program in one backend, a few at a time; "none" only those that show that they work."""
    if backend == "none":
        sandbox = none("as a control", interpreter.pythons())
    else:
        found = await try_backend(Backend(backend), interpreter.pythons())
        assert isinstance(found, Sandbox), found
        sandbox = found
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def in_turn(program: Hostile) -> Result:
        async with turns:
            return await run(program, sandbox)

    chosen = [program for program in ALL if backend != "none" or program.control]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(in_turn(program)) for program in chosen]
    return sandbox, [task.result() for task in tasks]
