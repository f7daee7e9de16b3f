"""Suites from the Hub: one data file each, turned into tasks and kept as a folder like a user's own.

Checks size and sha256, never runs or unpickles anything of it. Knows no sandbox.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from playground.bench.suite_catalog import REMOTE, RemoteSuite
from playground.bench.suite_files import checked, digest
from playground.bench.suite_formats import CONVERTERS, json_lines
from playground.bench.suites import fetched_folder
from playground.bench.task import Suite, Task
from playground.errors import SuiteError
from playground.models.hub import hub

_CANARIES = frozenset({"lbpp/python/042"})  # LBPP's marker that shows leaks, not a task
_FOREIGN_IMPORT = re.compile(
    r"^\s*(?:import|from)\s+(numpy|pandas|torch|sklearn|scipy|matplotlib|sympy)\b", re.MULTILINE
)


class Fetched(msgspec.Struct, frozen=True):
    """What a fetch left. ``left_out``: ids of tasks that need packages which the sandbox does not have."""

    suite: Suite
    folder: Path
    size_bytes: int
    sha256: str
    left_out: tuple[str, ...] = ()


def remote(name: str) -> RemoteSuite:
    """Return what is known of a suite on the Hub. Raises SuiteError."""
    if name not in REMOTE:
        raise SuiteError(f"There is no suite {name} to fetch.", hint=f"There are: {', '.join(REMOTE)}.")
    return REMOTE[name]


def fetch_suite(name: str) -> Fetched:
    """Fetch a suite, check it, and keep it in the app's folder. Blocking. Raises SuiteError and HubError.

    Nothing is kept unless all of it is in order; an earlier copy stays until then.
    """
    source = remote(name)
    raw = fetch_file(source.repo, source.path, source.revision)
    found = hashlib.sha256(raw).hexdigest()
    if source.sha256 and (len(raw), found) != (source.size_bytes, source.sha256):
        raise SuiteError(
            f"The file of {source.title} is not the one that is known ({len(raw):,} bytes).",
            hint="Try again; nothing was kept.",
            detail=f"sha256 {found}",
        )
    tasks, left_out = _tasks(source, raw)
    suite = Suite(
        id=source.id,
        title=source.title,
        version=source.version,
        licence=source.licence,
        tasks=tasks,
        description=source.description,
        caution=source.caution,
        source=f"https://huggingface.co/datasets/{source.repo}",
        sha256=digest(tasks),
    )
    folder = _keep(suite)
    return Fetched(suite, folder, len(raw), found, left_out)


def fetch_file(repo: str, path: str, revision: str) -> bytes:
    """Return one file of a dataset on the Hub. Blocking. Raises HubError, also when it is too large."""
    return hub.small_file(repo, path, revision)


def _tasks(source: RemoteSuite, raw: bytes) -> tuple[tuple[Task, ...], tuple[str, ...]]:
    name = Path(source.path).name
    convert = CONVERTERS[source.form]
    rows = json_lines(raw, name) if name.endswith(".jsonl") else _parquet_rows(raw, name)
    tasks = [convert(row, f"{name}, row {number}") for number, row in enumerate(rows, 1)]
    kept = [
        t
        for t in tasks
        if t.id not in _CANARIES and not _FOREIGN_IMPORT.search(t.reference + "\n" + t.asserts)
    ]
    if not kept:
        raise SuiteError(f"{name} holds no tasks.")
    left_out = tuple(t.id for t in tasks if t not in kept and t.id not in _CANARIES)
    return checked((f"{name}: {task.id}", task) for task in kept), left_out


def _parquet_rows(raw: bytes, name: str) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise SuiteError(
            f"{name} is a Parquet file, which needs the package pyarrow.",
            hint="Install it: pip install 'local-model-playground[suites]'",
        ) from error
    try:
        rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(raw)).to_pylist()
    except (ArrowException, OSError, ValueError) as error:
        raise SuiteError(f"{name} is not a whole Parquet file.", detail=str(error)) from error
    yield from rows


def _keep(suite: Suite) -> Path:
    """Write the suite beside its place, then swap it in."""
    parent = fetched_folder()
    target = parent / suite.id
    try:
        parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{suite.id}-", dir=parent))
        try:
            _write(new, suite)
            if target.exists():
                shutil.rmtree(target)
            new.rename(target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise SuiteError(f"{suite.title} cannot be kept in {parent}: {error.strerror or error}.") from error
    return target


def _write(folder: Path, suite: Suite) -> None:
    keys = ("id", "title", "version", "licence", "description", "caution", "source")
    lines = [f"{key} = {_quoted(getattr(suite, key))}\n" for key in keys]
    (folder / "suite.toml").write_text("".join(lines), encoding="utf-8")
    (folder / "tasks").mkdir()
    kept = {"tasks": [_without_defaults(task) for task in suite.tasks]}
    with (folder / "tasks" / "tasks.json").open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept), indent=1))
        file.flush()
        os.fsync(file.fileno())
    folder.chmod(0o755)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()  # a JSON string is a TOML basic string


def _without_defaults(task: Task) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(task)
    return {key: value for key, value in plain.items() if value not in ("", [], (), {})}
