"""Which package of which Linux distribution holds what the app needs. Standard library only, knows no other room.

Debian's names are checked against its archive; Ubuntu's are the same. The names are what ``apt install``,
``dnf install`` and ``pacman -S`` take.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class Need(NamedTuple):
    """Something the system has to bring (a library's soname, a program) and its package per distribution."""

    name: str
    debian: str
    fedora: str
    arch: str


# What the Qt libraries of the window link to, whatever shows it.
QT_LIBRARIES = (
    Need("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    Need("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    Need("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Need("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    Need("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    Need("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Need("libgthread-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Need("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    Need("libX11.so.6", "libx11-6", "libX11", "libx11"),
    Need("libzstd.so.1", "libzstd1", "libzstd", "zstd"),
)

# What Qt's X11 platform adds.
XCB_LIBRARIES = (
    Need("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
    Need("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    Need("libxcb.so.1", "libxcb1", "libxcb", "libxcb"),
    Need("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    Need("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Need("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    Need("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Need("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    Need("libxcb-util.so.1", "libxcb-util1", "xcb-util", "xcb-util"),
    Need("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    Need("libxcb-render.so.0", "libxcb-render0", "libxcb", "libxcb"),
    Need("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    Need("libxcb-shm.so.0", "libxcb-shm0", "libxcb", "libxcb"),
    Need("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    Need("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
    Need("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
)

# What Qt's Wayland platform adds.
WAYLAND_LIBRARIES = (
    Need("libwayland-client.so.0", "libwayland-client0", "libwayland-client", "wayland"),
    Need("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor", "wayland"),
)

CXX_COMPILER = Need("a C++ compiler", "g++", "gcc-c++", "gcc")
C_COMPILER = Need("a C compiler", "gcc libc6-dev", "gcc", "gcc")
PYTHON = Need("Python 3.11 to 3.14", "python3 python3-venv", "python3.13", "python")
VENV = Need("Python's venv module", "python3-venv", "python3", "python")
PIP = Need("pip", "python3-pip", "python3-pip", "python-pip")
VIRTUAL_DISPLAY = Need("xvfb-run", "xvfb xauth", "xorg-x11-server-Xvfb", "xorg-server-xvfb")

# Since these releases Debian's and Ubuntu's package carries the mark of the 64-bit time change.
_RENAMED = {"libglib2.0-0": "libglib2.0-0t64"}
_RENAMED_SINCE = {"debian": (13, 0), "ubuntu": (24, 4)}
_FAMILIES = {"debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "fedora", "centos": "fedora"}
_COMMANDS = {
    "debian": ("Debian/Ubuntu", "apt install"),
    "fedora": ("Fedora", "dnf install"),
    "arch": ("Arch", "pacman -S"),
}


class Distribution(NamedTuple):
    """``family``: ``debian``, ``fedora``, ``arch`` or ``""`` (unknown); ``renamed``: names of the 64-bit time change."""

    family: str = ""
    renamed: bool = False


def distribution(os_release: str | None = None) -> Distribution:
    """Tell the distribution from the text of os-release(5); ``None`` reads this machine's."""
    fields = _fields(_this_os_release() if os_release is None else os_release)
    own = fields.get("ID", "")
    for name in (own, *fields.get("ID_LIKE", "").split()):
        family = _FAMILIES.get(name, name if name in _COMMANDS else "")
        if family:
            return Distribution(family, _is_renamed(own, fields.get("VERSION_ID")))
    return Distribution()


def packages(needs: tuple[Need, ...] | list[Need], where: Distribution) -> tuple[str, ...]:
    """Return the packages that hold these, each once; an unknown distribution gets Debian's names."""
    column = {"fedora": 2, "arch": 3}.get(where.family, 1)
    names = [name for need in needs for name in need[column].split()]
    if where.renamed:
        names = [_RENAMED.get(name, name) for name in names]
    return tuple(dict.fromkeys(names))


def install_line(needs: tuple[Need, ...] | list[Need], where: Distribution) -> str:
    """Return the command that installs these: this distribution's, or all three when it is unknown."""
    if where.family:
        return _line(where, needs)
    return "; ".join(
        f"{label}: {_line(Distribution(family), needs)}" for family, (label, _command) in _COMMANDS.items()
    )


def _line(where: Distribution, needs: tuple[Need, ...] | list[Need]) -> str:
    prefix = "" if os.geteuid() == 0 else "sudo "  # a container's root often has no sudo
    return f"{prefix}{_COMMANDS[where.family][1]} {' '.join(packages(needs, where))}"


def _is_renamed(name: str, version: str | None) -> bool:
    if name not in _RENAMED_SINCE:
        return False
    if version is None:  # Debian testing and unstable carry no number
        return True
    numbers = [int(part) if part.isdigit() else 0 for part in (version + ".0").split(".")]
    return (numbers[0], numbers[1]) >= _RENAMED_SINCE[name]


def _fields(os_release: str) -> dict[str, str]:
    pairs = (line.strip().split("=", 1) for line in os_release.splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def _this_os_release() -> str:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs half the pre-flight's time
                return file.read()
        except (OSError, UnicodeDecodeError):
            continue
    return ""
