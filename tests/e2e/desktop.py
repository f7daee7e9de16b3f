"""A desktop of its own for one test: X server, window manager, session bus with AT-SPI. Knows nothing of the app.

Whatever runs on it carries the desktop's runtime folder in its environment, so what is left of it can be found
even after its parent has died.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import psutil

SYSTEM_PYTHON = "/usr/bin/python3"
_PROGRAMS = {"Xvfb": "xvfb", "openbox": "openbox", "dbus-daemon": "dbus-x11"}
_ACCESSIBILITY_SERVICE = Path("/usr/share/dbus-1/services/org.a11y.Bus.service")
_STARTS_S = 15.0
_ENDS_S = 3.0
# What would lead a process to the developer's own desktop.
_FOREIGN = ("AT_SPI_", "DBUS_", "DESKTOP_", "DISPLAY", "QT_", "SESSION_", "WAYLAND_", "XAUTHORITY", "XDG_")


def missing_packages() -> list[str]:
    """Return the Debian packages that such a desktop would still need here."""
    found = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if not _ACCESSIBILITY_SERVICE.exists():
        found.append("at-spi2-core")
    if not _imports_pyatspi():
        found += ["python3-pyatspi", "gir1.2-atspi-2.0"]
    return found


def _imports_pyatspi() -> bool:
    command = [SYSTEM_PYTHON, "-I", "-c", "import gi; gi.require_version('Atspi', '2.0'); import pyatspi"]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    return False


class Desktop:
    """Use as a context manager; what is still running at its end is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runtime = folder / "run"
        self._started: list[subprocess.Popen[str]] = []
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)
        } | {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(self._runtime),
        }

    def __enter__(self) -> Self:
        self._runtime.mkdir(mode=0o700)
        try:
            self.environment["DISPLAY"] = self._start_x()
            bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = read_line(
                self.start("bus", bus).stdout, "the session bus"
            )
            self.start("openbox", ["openbox", "--sm-disable"])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[str]:
        """Start a program in a session of its own; its stderr goes to ``log(name)``."""
        with self.log(name).open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment | dict(environment or {}),
                start_new_session=True,
                cwd=cwd,
                pass_fds=pass_fds,
            )
        self._started.append(process)
        return process

    def log(self, name: str) -> Path:
        """Return the file with what a program wrote to stderr."""
        return self._folder / f"{name}.log"

    def processes(self) -> Iterator[psutil.Process]:
        """Yield what runs on this desktop."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("XDG_RUNTIME_DIR") == str(self._runtime):
                    yield process

    def screenshot(self, file: Path) -> None:
        """Write what the screen shows to a PNG file, or beside it as XWD without ImageMagick."""
        png, xwd = shutil.which("import"), shutil.which("xwd")
        if png:
            command = [png, "-window", "root", str(file)]
        elif xwd:
            command = [xwd, "-root", "-silent", "-out", str(file.with_suffix(".xwd"))]
        else:
            return
        subprocess.run(command, env=self.environment, timeout=30, check=True)

    def close(self) -> None:
        """End all that was started, the last first, and what those started."""
        for process in reversed(self._started):
            _end(process)
        strays = list(self.processes())
        for stray in strays:
            with contextlib.suppress(psutil.Error):
                stray.kill()
        psutil.wait_procs(strays, _ENDS_S)

    def _start_x(self) -> str:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
        with os.fdopen(reading, encoding="ascii") as pipe:
            try:
                self.start("x", command, pass_fds=(writing,))
            finally:
                os.close(writing)
            return f":{read_line(pipe, 'the X server')}"


def read_line(pipe: IO[str] | None, what: str, timeout_s: float = _STARTS_S) -> str:
    """Return the next line of a program's output. Raises RuntimeError when there is none in time."""
    assert pipe is not None
    ready, _, _ = select.select([pipe], [], [], timeout_s)
    line = pipe.readline() if ready else ""
    if not line:
        raise RuntimeError(f"{what} {'ended' if ready else f'said nothing in {timeout_s:.0f} s'}")
    return line.strip()


def _end(process: subprocess.Popen[str]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_S)
            break
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
