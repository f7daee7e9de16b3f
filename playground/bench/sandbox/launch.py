"""How a process is started in each backend: its command, its environment, and the text that it reads first."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from playground.bench.sandbox import bubblewrap, landlock, seccomp, tree
from playground.bench.sandbox.values import Backend, Sandbox
from playground.bench.task import Limits

_PACKAGE = "playground.bench.sandbox.inside"
_SHARED = ("wire", "walls")
_INTERPRETER_BYTES = 64 << 20  # with less address space Python itself does not get far
# The first line that comes in holds the modules and what the last of them is to do. Unbuffered: the rest is not ours.
_BOOT = """
import json, os, sys
line = []
while not line or not line[-1].endswith(b"\\n"):
    part = os.read(0, 1 << 20)
    if not part: os._exit(98)
    line.append(part)
job = json.loads(b"".join(line))
for name, text in job["modules"]:
    module = type(sys)(name)
    sys.modules[name] = module
    exec(compile(text, name, "exec"), module.__dict__)
module.main(job["config"])
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What runs inside: a module of ``inside`` with its ``config``.

    ``spare_threads``: how many an interpreter needs for itself. ``is_small``: limit the address space too, which V8
    cannot stand. ``needs``: files that it reads beside those of Python.
    """

    module: str
    config: Mapping[str, object]
    may_fork: bool = False
    spare_threads: int = 0
    is_small: bool = True
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Launch:
    """One start. ``scratch``: the folder on the host to remove afterwards; ``fds`` are passed on, then closed."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    scratch: str = ""
    fds: tuple[int, ...] = ()
    needs: tuple[str, ...] = field(default=())


def prepare(sandbox: Sandbox, job: Job) -> Launch:
    """Return how to start a job; makes the scratch folder or the descriptor that it needs."""
    python = sandbox.python
    assert python is not None, "a sandbox without Python runs nothing"
    own = [python.path, "-I", "-S", "-B", "-u", "-c", _BOOT]  # -u: what it prints survives its end
    needs = tuple(dict.fromkeys((*python.needs, *job.needs)))
    if sandbox.backend is Backend.BUBBLEWRAP:
        fd = _filter_fd()
        # bubblewrap's own environment can be read inside, as that of process 1, whatever it clears for others.
        environment = {"PATH": bubblewrap.ENVIRONMENT["PATH"]}
        return Launch(bubblewrap.command(sandbox, needs, fd) + own, environment, "/", "", (fd,), needs)
    scratch = _scratch(sandbox)
    return Launch(own, _environment(scratch), scratch, scratch, (), needs)


def _filter_fd() -> int:
    fd = os.memfd_create("seccomp")
    os.write(fd, seccomp.program())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _scratch(sandbox: Sandbox) -> str:
    path = str(Path(tempfile.mkdtemp(prefix="playground-run-")).resolve())
    if sandbox.user is not None:
        os.chown(path, sandbox.user, sandbox.user)
    return path


def _environment(scratch: str) -> dict[str, str]:
    environment = {**bubblewrap.ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch}
    if sys.platform != "linux":
        kept = ("SYSTEMROOT", "PATH", "TEMP")  # Windows starts nothing without the first
        environment |= {name: os.environ[name] for name in kept if name in os.environ}
    return environment


def first_line(sandbox: Sandbox, job: Job, limits: Limits, launch: Launch, pid: int) -> bytes:
    """Return what the process reads first."""
    scratch = launch.scratch or bubblewrap.SCRATCH
    config = {**job.config, "scratch": scratch, "limits": _limits(sandbox, job, limits)}
    if sandbox.backend is Backend.LANDLOCK:
        config["landlock"] = landlock.rules(launch.needs, scratch)
        config["seccomp"] = seccomp.program(alone_pid=pid, may_fork=job.may_fork).hex()
    return f'{{"modules": {_modules(job.module)}, "config": {json.dumps(config)}}}\n'.encode()


@cache
def _modules(name: str) -> str:
    folder = files(_PACKAGE)
    texts = [(f"{_PACKAGE}.{n}", folder.joinpath(f"{n}.py").read_text("utf-8")) for n in (*_SHARED, name)]
    return json.dumps(texts)


def _limits(sandbox: Sandbox, job: Job, limits: Limits) -> dict[str, int]:
    found = {
        "CPU": limits.cpu_s,
        "FSIZE": limits.file_bytes,
        "NOFILE": 64 if job.is_small else 256,
        "CORE": 0,
    }
    if job.is_small:
        found["AS"] = max(limits.memory_bytes, _INTERPRETER_BYTES)
    threads = limits.processes + job.spare_threads
    if sandbox.backend is Backend.BUBBLEWRAP:
        found["NPROC"] = threads
    elif job.may_fork and hasattr(os, "getuid"):
        user = os.getuid() if sandbox.user is None else sandbox.user
        found["NPROC"] = tree.threads_of_user(user) + threads
    return found
