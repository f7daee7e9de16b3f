"""The first line of a run: made when it begins, compared when it goes on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path

from playground import __version__
from playground.bench.machine import this_machine
from playground.bench.record import SCHEMA, Header, LaneInfo, RunSettings, TaskInfo
from playground.bench.sandbox import Sandbox
from playground.bench.task import Suite, Task
from playground.errors import SuiteError


async def new_header(
    suite: Suite, tasks: Sequence[Task], lanes: tuple[LaneInfo, ...], settings: RunSettings, sandbox: Sandbox
) -> Header:
    """Return the header of a run that begins now, on this machine."""
    engine, machine = await this_machine()
    return Header(
        schema=SCHEMA,
        id=uuid.uuid4().hex,
        started_at=now(),
        app_version=__version__,
        engine=engine,
        suite_id=suite.id,
        suite_version=suite.version,
        suite_sha256=suite.sha256,
        suite_title=suite.title,
        caution=suite.caution,
        tasks=tuple(task.id for task in tasks),
        settings=settings,
        lanes=lanes,
        machine=machine,
        sandbox=sandbox.name,
        task_infos=tuple(_info(task) for task in tasks),
        published=suite.published,
        suite_tasks=len(suite.tasks),
    )


def check_same(
    path: Path,
    header: Header,
    suite: Suite,
    tasks: tuple[str, ...],
    lanes: Sequence[LaneInfo],
    settings: RunSettings,
) -> None:
    """Raise SuiteError when a run file belongs to other tasks, models or settings."""
    if header.suite_sha256 != suite.sha256 or header.tasks != tasks:
        raise SuiteError(
            f"{path.name} was begun with other tasks ({header.suite_id} {header.suite_version}).",
            hint="Use that version of the suite, or begin a new run.",
        )
    for known, lane in zip(header.lanes, lanes, strict=False):
        if known.sha256 != lane.sha256:
            raise SuiteError(
                f"{lane.model.name} is not the file that lane {known.slot} was begun with.",
                hint="Use the same file again, or begin a new run.",
            )
    if header.settings != settings or len(header.lanes) != len(lanes):
        raise SuiteError(
            f"{path.name} was begun with other settings.",
            hint="Leave them away to go on with the same ones.",
        )


def now() -> str:
    """Return the time as run files have it: ISO 8601, UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _info(task: Task) -> TaskInfo:
    return TaskInfo(
        *(task.id, task.title, task.language, task.tier, task.topic, task.prompt, task.completion),
        entry_point=task.entry_point,
        cases=len(task.cases),
    )
