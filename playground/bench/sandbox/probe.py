"""Finds the strongest sandbox that works here, by running a trial in each: that a program is installed proves nothing."""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import shutil
import sys
import tempfile
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

from playground.bench.sandbox import bubblewrap, interpreter, seccomp
from playground.bench.sandbox.box import Box, opened
from playground.bench.sandbox.launch import Job
from playground.bench.sandbox.values import Backend, Program, Sandbox, StoppedError
from playground.bench.task import Limits

_NOBODY = 65534
_TRIAL = Limits(time_s=10.0, call_s=10.0)
_GUARANTEES = {
    Backend.BUBBLEWRAP: "Tests run in a sandbox: no network, no access to your files.",
    Backend.LANDLOCK: (
        "Reduced sandbox: no network, no reading or writing of your files; "
        "that a file exists, and its size, can be found out."
    ),
}
_ROOT = "The app runs as root, so the number of processes is limited by time and memory only."
_RISK = (
    "Model code would run with your rights: it could read, change or delete your files and use the network. "
    "Automatic testing is off."
)


@cache
def probe() -> Sandbox:
    """Return the strongest sandbox that works on this machine; the first call runs the trials, for about 0.2 s.

    Blocks: call it in a thread where a loop runs.
    """
    found: list[Sandbox] = []
    # Trials need a loop of their own, and the thread that calls may run one.
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_probe())), name="sandbox-probe")
    thread.start()
    thread.join()
    return found[0]


async def _probe() -> Sandbox:
    if sys.platform != "linux":
        system = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, sys.platform)
        return none(f"there is none for {system} yet", interpreter.pythons())
    pythons = interpreter.pythons()
    if not pythons:
        return none("no Python 3.8 or newer was found to run tests with; install python3", [])
    first = await try_backend(Backend.BUBBLEWRAP, pythons)
    if isinstance(first, Sandbox):
        return first
    second = await try_backend(Backend.LANDLOCK, pythons)
    if isinstance(second, Sandbox):
        return replace(second, missing=f"{first} {second.missing}".strip())
    return none(f"{first} {second}", pythons)


def none(reason: str, pythons: list[Program]) -> Sandbox:
    """Return the sandbox that is none, with a reason (the rest of a sentence, or sentences)."""
    text = f"No sandbox is available on this computer: {reason.rstrip('.')}. {_RISK}"
    node = interpreter.node()
    return Sandbox(
        Backend.NONE,
        text,
        reason,
        pythons[0] if pythons else None,
        node=node,
        node_missing="" if node else "Node.js was not found.",
        bash=_bash(),
    )


async def try_backend(backend: Backend, pythons: list[Program]) -> Sandbox | str:
    """Return a sandbox with this backend that held in a trial, or a sentence about why there is none."""
    if why := _lacks(backend):
        return why
    problem = ""
    for python in pythons:
        for user in (_NOBODY, None) if os.getuid() == 0 else (None,):
            for flags in _flags(backend):
                sandbox = Sandbox(backend, _GUARANTEES[backend], "", python, flags=flags, user=user)
                problem = await held(sandbox)
                if not problem:
                    return await _with_programs(sandbox, as_root=os.getuid() == 0 and user is None)
    return explained(backend, problem)


def _lacks(backend: Backend) -> str:
    if not seccomp.is_supported():
        return f"The sandbox does not know the system calls of {platform.machine()} processors."
    if backend is Backend.BUBBLEWRAP and shutil.which("bwrap") is None:
        return "For the full sandbox install bubblewrap (for example: sudo apt install bubblewrap)."
    return ""


def _flags(backend: Backend) -> tuple[tuple[str, ...], ...]:
    if backend is not Backend.BUBBLEWRAP:
        return ((),)
    newer = bubblewrap.NEWER_FLAGS
    return (newer, newer[1:], ())


async def held(sandbox: Sandbox) -> str:
    """Run the trial in a sandbox and return what is wrong with it, empty when it held."""
    with tempfile.TemporaryDirectory(prefix="playground-probe-") as folder:
        canary = _canary(Path(folder))
        key = secrets.token_hex(8)
        try:
            box = Box(sandbox, Job("trial", {"canary": str(canary), "id": key}), _TRIAL)
            async with opened(box):
                found = await box.answer(key, call_s=_TRIAL.call_s)
        except StoppedError as stopped:
            return stopped.detail or stopped.text
    return f"It lets through: {', '.join(found['through'])}." if found.get("through") else ""


def _canary(folder: Path) -> Path:
    """Return a file that everybody may read: only a wall keeps a program from it."""
    folder.chmod(0o755)
    path = folder / "canary"
    path.write_text("not for the sandbox", encoding="utf-8")
    path.chmod(0o644)
    return path


async def _with_programs(sandbox: Sandbox, *, as_root: bool) -> Sandbox:
    node, problem = interpreter.node(), "Node.js was not found."
    if node is not None:
        problem = await _runs_node(sandbox, node)
    missing = _ROOT if as_root else ""
    return replace(
        sandbox, missing=missing, node=None if problem else node, node_missing=problem, bash=_bash()
    )


async def _runs_node(sandbox: Sandbox, node: Program) -> str:
    """Return why Node.js does not work inside, empty when it does."""
    script = 'require("fs").writeSync(4, JSON.stringify({ id: "node" }) + "\\n")'
    config = {"command": [node.path, "-e", script]}
    job = Job("program", config, spare_threads=32, is_small=False, needs=node.needs)
    try:
        box = Box(sandbox, job, _TRIAL)
        async with opened(box):
            await box.answer("node", call_s=_TRIAL.call_s)
    except StoppedError:
        return f"The Node.js at {node.path} does not start inside the sandbox."
    return ""


def _bash() -> str:
    return next((path for path in ("/bin/bash", "/usr/bin/bash") if Path(path).exists()), "")


def explained(backend: Backend, problem: str) -> str:
    """Return a sentence for a person about why a backend does not work, and what would help."""
    text = " ".join(problem.split())
    if backend is Backend.LANDLOCK:
        return f"The reduced sandbox needs Linux 6.2 or newer with Landlock switched on ({text[:200]})."
    blocked = any(
        words in text for words in ("uid map", "RTM_NEWADDR", "namespace", "Permission denied", "EPERM")
    )
    if not blocked:
        return f"bubblewrap is installed but does not work here ({text[:200]})."
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        return (
            "This system lets no program make namespaces without an AppArmor profile (as Ubuntu 24.04 does): an "
            "administrator can install the profile bwrap-userns-restrict from /usr/share/apparmor/extra-profiles."
        )
    return f"This system does not let bubblewrap make namespaces, as inside most containers ({text[:200]})."
