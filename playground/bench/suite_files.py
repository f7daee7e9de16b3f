"""A suite's folder, read: ``suite.toml``, and its tasks as TOML or JSON. Nothing in it is ever executed.

    my-suite/
      suite.toml          id, title, version, licence; optional: description, caution, source, published
      tasks/*.toml|*.json one task each, or several under the key ``tasks``

The keys are those of ``Task`` and ``Case``. TOML has no null, so a case may say ``args_json`` and ``expected_json``
instead: the same values as JSON text. A folder may instead name one ``data`` file in somebody else's ``format``.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from playground.bench.suite_formats import read_rows
from playground.bench.task import Suite, Task
from playground.bench.task_rules import first_problem, valid_id
from playground.errors import SuiteError

LARGEST_TOML_BYTES = 4 << 20
LARGEST_JSON_BYTES = 96 << 20
MOST_TASKS = 5000
_T = TypeVar("_T")
_AT = re.compile(r" - at `\$\.?(.*)`$")
_HINT = "The README says how a suite's folder looks."


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``suite.toml``. ``data`` and ``format``: one file in a known foreign form instead of ``tasks/``."""

    id: str
    title: str
    version: str
    licence: str
    description: str = ""
    caution: str = ""
    source: str = ""
    published: dict[str, float] = {}
    data: str = ""
    format: Literal["", "humaneval"] = ""
    notes: dict[str, str] = {}  # by task id, for the tasks of ``data``


def read_suite(folder: Path) -> Suite:
    """Return the suite in a folder. Blocking. Raises SuiteError that names the file and the key."""
    manifest = read_manifest(folder)
    tasks = _foreign(folder, manifest) if manifest.data else _own(folder)
    if not tasks:
        raise SuiteError(f"{folder.name} holds no tasks.", hint=_HINT)
    return Suite(
        id=manifest.id,
        title=manifest.title,
        version=manifest.version,
        licence=manifest.licence,
        tasks=tasks,
        description=manifest.description,
        caution=manifest.caution,
        source=manifest.source,
        sha256=digest(tasks),
        published=manifest.published,
    )


def read_manifest(folder: Path) -> Manifest:
    """Return ``suite.toml`` of a folder. Raises SuiteError."""
    path = folder / "suite.toml"
    if not path.is_file():
        raise SuiteError(f"{folder} is no suite: it has no suite.toml.", hint=_HINT)
    manifest = _converted(_parsed(path), Manifest, path.name)
    for key in ("id", "title", "version", "licence"):
        if not getattr(manifest, key).strip():
            raise SuiteError(f"{path.name}: {key} is empty.")
    if not valid_id(manifest.id) or "/" in manifest.id:
        raise SuiteError(f"{path.name}: id must be letters, digits and . _ + - only.")
    wrong = [name for name, share in manifest.published.items() if not 0 <= share <= 1]
    if wrong:
        raise SuiteError(f"{path.name}: published.{wrong[0]} must be a share of tasks, 0 to 1.")
    if bool(manifest.data) != bool(manifest.format) or Path(manifest.data).name != manifest.data:
        raise SuiteError(f"{path.name}: data must name a file beside it, and format say what it is.")
    return manifest


def digest(tasks: Iterable[Task]) -> str:
    """Return the sha256 of tasks in their canonical form: sorted keys, no defaults left out, order kept."""
    return hashlib.sha256(msgspec.json.encode(tuple(tasks), order="sorted")).hexdigest()


def checked(tasks: Iterable[tuple[str, Task]]) -> tuple[Task, ...]:
    """Return tasks that keep the rules. Takes (where it stands, task). Raises SuiteError."""
    seen: dict[str, str] = {}
    kept: list[Task] = []
    for where, task in tasks:
        if problem := first_problem(task):
            raise SuiteError(f"{where}: {problem[0]} {problem[1]}.", hint=f"Task: {task.id}.")
        if task.id in seen:
            raise SuiteError(f"{where}: id {task.id} is already used in {seen[task.id]}.")
        seen[task.id] = where
        kept.append(task)
        if len(kept) > MOST_TASKS:
            raise SuiteError(f"{where}: a suite has at most {MOST_TASKS:,} tasks.")
    return tuple(kept)


def _own(folder: Path) -> tuple[Task, ...]:
    files = sorted(path for path in folder.glob("tasks/[!.]*") if path.suffix in (".toml", ".json"))
    if len(files) > MOST_TASKS:
        raise SuiteError(f"{folder.name}/tasks: a suite has at most {MOST_TASKS:,} tasks.")
    return checked(pair for file in files for pair in _tasks_of(file))


def _foreign(folder: Path, manifest: Manifest) -> tuple[Task, ...]:
    rows = read_rows(_bytes(folder / manifest.data, LARGEST_JSON_BYTES), manifest.data, manifest.format)
    noted = (msgspec.structs.replace(task, note=manifest.notes.get(task.id, task.note)) for task in rows)
    return checked((f"{manifest.data}: {task.id}", task) for task in noted)


def _tasks_of(path: Path) -> Iterable[tuple[str, Task]]:
    where = f"tasks/{path.name}"
    data = _parsed(path)
    if not isinstance(data, dict) or "tasks" not in data:
        yield where, _task(data, where, "")
        return
    several = data["tasks"]
    if not isinstance(several, list) or len(data) > 1:
        raise SuiteError(f"{where}: tasks must be a list, and the only key of its file.")
    for number, item in enumerate(several):
        yield f"{where}: tasks[{number}]", _task(item, where, f"tasks[{number}]")


def _task(data: object, where: str, key: str) -> Task:
    if isinstance(data, dict) and isinstance(cases := data.get("cases"), list):
        prepared = [_case(case, where, f"{key}.cases[{n}]".lstrip(".")) for n, case in enumerate(cases)]
        data = {**data, "cases": prepared}
    return _converted(data, Task, where, key)


def _case(data: object, where: str, key: str) -> object:
    if not isinstance(data, dict):
        return data
    case = dict(data)
    for name in ("args", "expected"):
        text = case.pop(f"{name}_json", None)
        if text is None:
            continue
        if name in case:
            raise SuiteError(f"{where}: {key}.{name} and {name}_json cannot be used together.")
        try:
            case[name] = msgspec.json.decode(text)
        except (msgspec.DecodeError, TypeError, RecursionError) as error:
            raise SuiteError(f"{where}: {key}.{name}_json is not JSON text.") from error
    if not {"expected", "raises", "files_after"} & case.keys():
        raise SuiteError(
            f"{where}: {key}.expected is missing.", hint="null is written expected_json = 'null'."
        )
    return case


def _converted(data: object, kind: type[_T], where: str, key: str = "") -> _T:
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        text = str(error)
        at = _AT.search(text)
        inner = at[1] if at else ""
        named = f"{key}.{inner}".strip(".") if not inner.startswith("[") else f"{key}{inner}"
        said = _AT.sub("", text).replace("`", "")
        said = (
            f"{said[:1].lower()}{said[1:]}"
            if isinstance(error, msgspec.ValidationError)
            else "nested too deep"
        )
        raise SuiteError(f"{where}: {named + ': ' if named else ''}{said}.", hint=_HINT) from error


def _parsed(path: Path) -> object:
    name = path.name if path.name == "suite.toml" else f"tasks/{path.name}"
    toml = path.suffix == ".toml"
    raw = _bytes(path, LARGEST_TOML_BYTES if toml else LARGEST_JSON_BYTES)
    try:
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text) if toml else msgspec.json.decode(text)
    except UnicodeDecodeError as error:
        raise SuiteError(f"{name} is not UTF-8 text (byte {error.start:,}).") from error
    except (tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise SuiteError(f"{name} is not {'TOML' if toml else 'JSON'}: {error}.") from error
    except (RecursionError, ValueError) as error:
        raise SuiteError(
            f"{name} cannot be read: it is nested too deep or holds a number too long."
        ) from error


def _bytes(path: Path, most: int) -> bytes:
    try:
        if not path.is_file():
            raise SuiteError(f"{path.name} is missing, or is no plain file.")
        size = path.stat().st_size
        if size > most:
            raise SuiteError(f"{path.name} has {size:,} bytes; {most:,} is the most.")
        return path.read_bytes()
    except OSError as error:
        raise SuiteError(f"{path.name} cannot be read: {error.strerror or error}.") from error
