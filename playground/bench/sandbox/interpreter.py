"""The Python and the Node.js for use inside: which ones there are, and which files outside of /usr they need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playground.bench.sandbox.values import Program

_SYSTEM = ("/usr/", "/bin/", "/lib/", "/lib64/", "/lib32/", "/sbin/")
_OLDEST = (3, 8)
_PATIENCE_S = 10
_ASK = """
import json, sys, sysconfig
for name in ("ctypes", "sqlite3", "math", "random", "hashlib", "decimal", "zlib", "bz2", "lzma", "resource", "json"):
    try: __import__(name)
    except ImportError: pass
try:
    with open("/proc/self/maps") as maps: mapped = sorted({p for p in (l.split(None, 5)[-1].strip() for l in maps) if p[:1] == "/"})
except OSError: mapped = []
print(json.dumps({"version": list(sys.version_info[:3]), "mapped": mapped, "executable": getattr(sys, "_base_executable", sys.executable),
    "libraries": [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]}))
"""


def pythons() -> list[Program]:
    """Return the interpreters that may serve, the system's own first: it needs nothing of a person's home."""
    paths = ["/usr/bin/python3"]
    if not getattr(sys, "frozen", False):
        paths.append(getattr(sys, "_base_executable", sys.executable) or sys.executable)
    elif other := shutil.which("python3"):
        paths.append(other)
    found = [described(path) for path in dict.fromkeys(paths) if Path(path).exists()]
    return [program for program in found if program is not None]


def described(path: str) -> Program | None:
    """Return what an interpreter needs, None for one that does not run, is too old, or would need a whole home."""
    try:
        done = subprocess.run(
            [path, "-I", "-B", "-c", _ASK], capture_output=True, timeout=_PATIENCE_S, check=True, env={}
        )
        facts = json.loads(done.stdout)
        version = tuple(facts["version"])
        executable = str(Path(facts["executable"]).resolve())
        wanted = [executable, *facts["libraries"], *facts["mapped"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    needs = outside_of_system(wanted)
    if version < _OLDEST or any(is_too_wide(path) for path in needs):
        return None
    return Program(executable, ".".join(map(str, version)), needs)


def outside_of_system(paths: list[str]) -> tuple[str, ...]:
    """Return the paths that are not below the system's folders, without those that lie below another of them."""
    found: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths if path}):
        inside = path.startswith(_SYSTEM) or any(path.startswith(f"{parent}/") for parent in found)
        if not inside and Path(path).exists():
            found.append(path)
    return tuple(found)


def is_too_wide(path: str) -> bool:
    """Return whether a folder holds more than an interpreter: the root, or a home."""
    home = Path.home()
    return Path(path) in (Path("/"), home, *home.parents)


def node() -> Program | None:
    """Return the Node.js on the search path, None where there is none that runs."""
    found = shutil.which("node")
    if found is None:
        return None
    try:
        # Version managers put scripts on the path that start the real program.
        done = subprocess.run(
            [found, "-p", "process.execPath+' '+process.version"],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
            text=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    path, _, version = done.stdout.strip().rpartition(" ")
    path = str(Path(path).resolve())
    return Program(path, version.removeprefix("v"), outside_of_system([path]))
