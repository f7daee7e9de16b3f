"""Folders with models that the user added, kept in the app's configuration. Knows nothing of what is in them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from playground import config, logs
from playground.errors import ModelError
from playground.models.disk.file_notes import write_atomically

_SCHEMA = "playground.folders/1"
_LIMIT_BYTES = 1 << 20
_log = logs.get("models")


@dataclass(frozen=True, slots=True)
class AddedFolders:
    """The folders, in the order in which they were added. ``note``: a sentence when the list was damaged."""

    paths: tuple[Path, ...] = ()
    note: str = ""


def added() -> AddedFolders:
    """Return the folders. A damaged list is set aside, and the note says so once. Blocking."""
    file = _file()
    try:
        with file.open("rb") as opened:
            content = opened.read(_LIMIT_BYTES)
    except FileNotFoundError:
        return AddedFolders()
    except OSError as error:
        return AddedFolders(note=f"The list of added folders, {file}, cannot be read: {error.strerror}.")
    try:
        found = json.loads(content)
        paths = tuple(Path(text) for text in found["folders"] if _is_usable(text))
    except (ValueError, RecursionError, KeyError, TypeError):
        return AddedFolders(note=_set_aside(file))
    return AddedFolders(paths)


def add(path: Path) -> Path:
    """Add a folder and return it as it is kept. Raises ModelError for one that cannot be read."""
    path = _absolute(path)
    try:
        with os.scandir(path) as entries:
            next(iter(entries), None)
    except FileNotFoundError:
        raise ModelError(f"There is no folder {path}.", hint="Choose another folder.") from None
    except NotADirectoryError:
        raise ModelError(
            f"{path} is not a folder.", hint="Choose the folder that the file lies in."
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelError(
            f"The folder {path} cannot be read: {why}.", hint="Check its permissions."
        ) from error
    known = added().paths
    if path not in known:
        _write((*known, path))
    return path


def remove(path: Path) -> None:
    """Take a folder off the list; its files stay. Raises ModelError when the list cannot be written."""
    path, known = _absolute(path), added().paths
    if path in known:
        _write(tuple(folder for folder in known if folder != path))


def _absolute(path: Path) -> Path:
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise ModelError(f"{path} names a user who does not exist.", hint="Write the whole path.") from error
    return Path(os.path.normpath(path.absolute()))


def _is_usable(text: object) -> bool:
    return isinstance(text, str) and "\0" not in text and Path(text).is_absolute()


def _file() -> Path:
    return config.folders().config / "folders.json"


def _write(paths: tuple[Path, ...]) -> None:
    file = _file()
    content = json.dumps({"schema": _SCHEMA, "folders": [str(path) for path in paths]}, indent=2)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, f"{content}\n".encode("ascii"))
    except OSError as error:
        raise ModelError(
            f"The list of folders cannot be written to {file}: {error.strerror}.",
            hint="Check the permissions of its folder and the space on its disk.",
        ) from error


def _set_aside(file: Path) -> str:
    aside = file.with_name(f"{file.name}.damaged")
    try:
        file.replace(aside)
    except OSError as error:
        return f"The list of added folders, {file}, is damaged and cannot be moved: {error.strerror}."
    _log.info("set aside: %s", aside)
    return f"The list of added folders was damaged. It is kept as {aside}; add the folders again."
