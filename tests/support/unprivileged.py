"""Runs a module of this repository as an ordinary user. Root is exempt from limits of processes: as root it proves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_NOBODY = 65534
_REPOSITORY = Path(__file__).resolve().parents[2]
# Interpreter, packages and repository may lie in root's own home: they are shown to the user below another path.
_SCRIPT = """
mount --bind "$1" "$4/python" && mount --bind "$2" "$4/site" && mount --bind "$3" "$4/repository" || exit 71
cd "$4/repository" && shift 4 && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
"""


def run(module: str, arguments: Sequence[str], secrets: Mapping[str, str], timeout_s: float) -> str:
    """Run ``python -m module`` and return its stdout; raises when it fails. ``secrets`` go into its environment."""
    if os.getuid() != 0:
        command = [sys.executable, "-m", module, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY), **secrets}
        return _output(command, environment, timeout_s)
    folder = Path(tempfile.mkdtemp(prefix="unprivileged-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        for name in ("python", "site", "repository", "home"):
            (folder / name).mkdir()
        os.chown(folder / "home", _NOBODY, _NOBODY)
        python = folder / "python" / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        places = [sys.base_prefix, sysconfig.get_path("purelib"), str(_REPOSITORY), str(folder)]
        command = ["unshare", "--mount", "sh", "-c", _SCRIPT, "sh", *places, str(python), "-B", "-m", module]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "home"),
            "LD_LIBRARY_PATH": str(folder / "python" / "lib"),
            "PYTHONPATH": f"{folder}/repository:{folder}/site",
            **secrets,
        }
        return _output([*command, *arguments], environment, timeout_s)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _output(command: list[str], environment: dict[str, str], timeout_s: float) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
