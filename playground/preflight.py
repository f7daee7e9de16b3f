"""What the machine lacks, said before anything heavy is imported. Standard library only, about 6 ms.

Qt aborts the process when its libraries or the display are missing, and pip shows a page of CMake output when
there is no compiler: neither can be caught, so both are looked for first.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["python", "binding", "compiler", "library", "display"]


class Problem(NamedTuple):
    """One thing that is missing, as a sentence; ``packages`` are Debian's names."""

    kind: Kind
    sentence: str
    packages: tuple[str, ...] = ()


class _Library(NamedTuple):
    """A shared library and the packages that bring it."""

    file: str
    debian: str
    fedora: str
    arch: str


_CORE = (
    _Library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    _Library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    _Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    _Library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    _Library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    _Library("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    _Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
)
_X11 = (
    _Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    _Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    _Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    _Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    _Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    _Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    _Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    _Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
)
_COMPILERS = ("c++", "g++", "clang++")
_FAMILIES = {"debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "fedora", "arch": "arch"}
_INSTALL = {"debian": "sudo apt install", "fedora": "sudo dnf install", "arch": "sudo pacman -S"}
_LABELS = {"debian": "Debian/Ubuntu", "fedora": "Fedora", "arch": "Arch"}
_COMPILER_PACKAGES = {"debian": "g++", "fedora": "gcc-c++", "arch": "gcc"}
_OLDEST, _NEWEST = (3, 11), (3, 14)


def setup_problems() -> list[Problem]:
    """Return what keeps the app from being installed: the Python version, the compiler."""
    return [problem for problem in (_python_problem(), _compiler_problem()) if problem]


def window_problems() -> list[Problem]:
    """Return what keeps the window from opening: PySide6's version, system libraries, the display."""
    found = [problem for problem in (_python_problem(), _binding_problem()) if problem]
    if not sys.platform.startswith("linux"):
        return found
    x11 = wants_x11(os.environ)
    missing = missing_libraries((*_CORE, *(_X11 if x11 else ())))
    if missing:
        found.append(_library_problem(missing))
    elif (x11 or not os.environ.get("QT_QPA_PLATFORM")) and (problem := _display_problem()):
        found.append(problem)
    return found


def wants_x11(environment: Mapping[str, str]) -> bool:
    """Return whether Qt will use X: when told to, or when there is no Wayland and nothing else was asked for."""
    platform = environment.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    return platform == "xcb" or (not platform and not environment.get("WAYLAND_DISPLAY"))


def missing_libraries(libraries: Iterable[_Library]) -> list[_Library]:
    """Return those that the dynamic linker does not find."""
    return [library for library in libraries if not _loads(library.file)]


def install_lines(packages: Mapping[str, Iterable[str]], os_release: str | None = None) -> str:
    """Return the command that installs packages here; on an unknown system, one for each known family."""
    family = family_of(_os_release() if os_release is None else os_release)
    lines = {name: f"{_INSTALL[name]} {' '.join(dict.fromkeys(packages[name]))}" for name in _INSTALL}
    if family:
        return f"`{lines[family]}`"
    return ", ".join(f"{_LABELS[name]}: `{line}`" for name, line in lines.items())


def family_of(os_release: str) -> str | None:
    """Return debian, fedora or arch for the text of an os-release file, None for anything else."""
    words: list[str] = []
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            words += value.strip().strip('"').split()
    return next((_FAMILIES[word] for word in words if word in _FAMILIES), None)


def _loads(file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def _os_release() -> str:
    try:
        return Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""


def _python_problem() -> Problem | None:
    here = sys.version_info[:2]
    if _OLDEST <= here <= _NEWEST:
        return None
    return Problem(
        "python",
        f"Playground needs Python {_OLDEST[0]}.{_OLDEST[1]} to {_NEWEST[0]}.{_NEWEST[1]}, "
        f"and this is {here[0]}.{here[1]}: make the virtual environment with another Python.",
    )


def _binding_problem() -> Problem | None:
    version = _binding_version()
    if version is None:
        return Problem(
            "binding", "PySide6 is not installed: `python3 -m pip install local-model-playground`."
        )
    if sys.version_info < (3, 12) and tuple(map(int, version.split(".")[:2])) >= (6, 12):
        return Problem(
            "binding",
            f"PySide6 {version} crashes Python {sys.version_info[0]}.{sys.version_info[1]}: "
            "`python3 -m pip install 'PySide6-Essentials<6.12'`.",
        )
    return None


def _binding_version() -> str | None:
    # The name of the folder beside it says it; importlib.metadata would import the libraries for e-mail first.
    spec = importlib.util.find_spec("PySide6")
    beside = Path(spec.origin).parents[1] if spec and spec.origin else Path()
    for found in beside.glob("[Pp]y[Ss]ide6_[Ee]ssentials-*.dist-info"):
        return found.name.removesuffix(".dist-info").partition("-")[2]
    from importlib import metadata

    try:
        return metadata.version("PySide6-Essentials")
    except metadata.PackageNotFoundError:
        return None


def _compiler_problem() -> Problem | None:
    named = os.environ.get("CXX", "").split()
    if any(shutil.which(name) for name in (*named[:1], *_COMPILERS)):
        return None
    lines = install_lines({family: [package] for family, package in _COMPILER_PACKAGES.items()})
    return Problem("compiler", f"There is no C++ compiler, and llama.cpp is built here: {lines}.", ("g++",))


def _library_problem(missing: list[_Library]) -> Problem:
    packages = {
        "debian": [library.debian for library in missing],
        "fedora": [library.fedora for library in missing],
        "arch": [library.arch for library in missing],
    }
    files = ", ".join(library.file for library in missing)
    sentence = f"The window needs system libraries that are missing ({files}): {install_lines(packages)}."
    return Problem("library", sentence, tuple(dict.fromkeys(packages["debian"])))


def _display_problem() -> Problem | None:
    display = os.environ.get("DISPLAY")
    if not display:
        if os.environ.get("WAYLAND_DISPLAY"):
            return None
        return Problem(
            "display",
            "There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set "
            "(over ssh use `ssh -X`, without a screen `xvfb-run -a playground`).",
        )
    if not _opens(display):
        return Problem(
            "display", f"The X display {display} cannot be opened: check DISPLAY and your permission."
        )
    return None


def _opens(display: str) -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
