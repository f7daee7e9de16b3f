"""The suites there are: shipped with the app, fetched from the Hub, or a folder of the user's own."""

from __future__ import annotations

import difflib
import fnmatch
import re
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from playground import config, resources
from playground.bench.suite_catalog import REMOTE
from playground.bench.suite_files import read_manifest, read_suite
from playground.bench.task import Suite, Task
from playground.errors import PlaygroundError, SuiteError, UsageError

Where = Literal["shipped", "fetched", "hub"]


class KnownSuite(msgspec.Struct, frozen=True):
    """One suite that can be named. ``tasks``: how many, 0 when it cannot be read. ``where`` "hub": not fetched yet."""

    id: str
    title: str
    version: str
    tasks: int
    licence: str
    where: Where
    problem: str = ""  # why it cannot be read


def load(name_or_folder: str | Path) -> Suite:
    """Return a suite by its name or its folder. Blocking. Raises SuiteError that names the file and the key.

    A name never means a folder that happens to lie in the current one: write ``./name`` for that.
    """
    text = str(name_or_folder)
    if isinstance(name_or_folder, str) and "/" not in text and "\\" not in text and text not in (".", ".."):
        return _by_name(text)
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise SuiteError(f"There is no folder {text}.", hint="A suite is a folder with a suite.toml.")
    return read_suite(folder)


def known() -> tuple[KnownSuite, ...]:
    """Return all suites that can be named, shipped ones first. Blocking. A damaged one is listed as damaged."""
    here = [_described(folder, where) for where, folder in _folders().values()]
    missing = [r for r in REMOTE.values() if r.id not in {suite.id for suite in here}]
    remote = [KnownSuite(r.id, r.title, r.version, r.tasks, r.licence, "hub") for r in missing]
    return (*here, *remote)


def select(suite: Suite, glob: str) -> tuple[Task, ...]:
    """Return the tasks that a comma-separated choice names, in the suite's order; all of them for an empty one.

    An entry is a pattern of ids (``py-*``), ``tier:0`` or ``tier:1-3``, ``lang:python`` or ``topic:strings``. Entries
    of one kind are alternatives, different kinds must all hold. Raises UsageError when nothing is left.
    """
    kinds: dict[str, list[str]] = {}
    for entry in filter(None, (part.strip() for part in glob.split(","))):
        kind, colon, value = entry.partition(":")
        known_kind = colon and kind in ("tier", "lang", "language", "topic", "id")
        kinds.setdefault(kind if known_kind else "id", []).append(value if known_kind else entry)
    chosen = tuple(t for t in suite.tasks if all(_fits(t, kind, values) for kind, values in kinds.items()))
    if not chosen:
        some = ", ".join(task.id for task in suite.tasks[:4])
        raise UsageError(f"No task of {suite.id} fits {glob}.", hint=f"Its tasks are called {some} …")
    return chosen


def fetched_folder() -> Path:
    """Return where fetched suites lie. It need not exist."""
    return config.folders().data / "suites"


def _fits(task: Task, kind: str, values: list[str]) -> bool:
    if kind == "tier":
        return any(_in_range(task.tier, value) for value in values)
    text = {"lang": task.language, "language": task.language, "topic": task.topic}.get(kind, task.id)
    return any(fnmatch.fnmatchcase(text, value) for value in values)


def _in_range(tier: int, text: str) -> bool:
    if not re.fullmatch(r"\d(-\d)?", text):
        raise UsageError(f"tier:{text} is not understood.", hint="Write tier:0, or tier:1-3.")
    return int(text[0]) <= tier <= int(text[-1])


def _by_name(name: str) -> Suite:
    where = _folders().get(name)
    if where is not None:
        return _shipped(name) if where[0] == "shipped" else read_suite(where[1])
    if name in REMOTE:
        raise SuiteError(
            f"{name} is not on this computer yet.", hint=f"Fetch it with: playground suite fetch {name}"
        )
    names = [*_folders(), *REMOTE]
    close = difflib.get_close_matches(name, names, 3) or names
    if Path(name).is_dir():
        raise SuiteError(f"There is no suite {name}.", hint=f"If you mean the folder, write ./{name}.")
    raise SuiteError(f"There is no suite {name}.", hint=f"Known: {', '.join(close)}; or name a folder.")


@cache
def _shipped(name: str) -> Suite:
    return read_suite(resources.path("suites", name))


def _folders() -> dict[str, tuple[Where, Path]]:
    """Return the folders of the suites on this disk by name. A shipped one cannot be replaced."""
    found: dict[str, tuple[Where, Path]] = {}
    for where, parent in _parents():
        if parent.is_dir():
            for folder in sorted(parent.iterdir(), reverse=where == "shipped"):
                if (folder / "suite.toml").is_file():
                    found.setdefault(folder.name, (where, folder))
    return found


def _parents() -> tuple[tuple[Where, Path], ...]:
    return (("shipped", resources.path("suites")), ("fetched", fetched_folder()))


def _described(folder: Path, where: Where) -> KnownSuite:
    try:
        suite = _shipped(folder.name) if where == "shipped" else read_suite(folder)
    except PlaygroundError as error:
        return _damaged(folder, where, error)
    return KnownSuite(suite.id, suite.title, suite.version, len(suite.tasks), suite.licence, where)


def _damaged(folder: Path, where: Where, error: PlaygroundError) -> KnownSuite:
    try:
        manifest = read_manifest(folder)
    except PlaygroundError:
        return KnownSuite(folder.name, folder.name, "", 0, "", where, error.sentence())
    return KnownSuite(
        folder.name, manifest.title, manifest.version, 0, manifest.licence, where, error.sentence()
    )
