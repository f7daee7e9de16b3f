"""A coding task and a suite of them: frozen values, whatever file they came from. Knows no sandbox."""

from __future__ import annotations

from typing import Literal

import msgspec

Language = Literal["python", "javascript", "sql", "bash"]
Match = Literal["exact", "close", "unordered"]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program may use. ``time_s``: wall clock of the whole task, ``call_s`` of one call."""

    time_s: float = 8.0
    call_s: float = 4.0
    cpu_s: int = 6
    memory_bytes: int = 512 << 20
    processes: int = 12
    file_bytes: int = 8 << 20
    output_bytes: int = 256 << 10


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test. Inputs go into the sandbox, expectations never do.

    A function is called with ``args``; ``expected`` is its value, or ``raises`` the name of what it must raise.
    SQL: ``setup`` is run behind the task's, ``expected`` is a list of rows. Bash: ``stdin`` and ``files`` are given,
    ``expected`` is what it prints, ``files_after`` what must lie there then.
    """

    args: tuple[object, ...] = ()
    expected: object = None
    raises: str = ""
    match: Match = "close"
    setup: str = ""
    stdin: str = ""
    files: dict[str, str] = {}
    files_after: dict[str, str] = {}
    name: str = ""


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One task. ``prompt`` is for chat models, ``completion`` the beginning that a base model goes on with.

    ``asserts``: Python that tests the entry point, instead of cases; ``candidate`` names it there when it defines
    ``check(candidate)``. ``setup``: SQL run before each query. ``forbid``: names that a solution must not use.
    ``reference`` must pass and every one of ``wrong`` must fail.
    """

    id: str
    title: str
    language: Language
    tier: int
    topic: str
    prompt: str
    reference: str
    entry_point: str = ""
    completion: str = ""
    cases: tuple[Case, ...] = ()
    asserts: str = ""
    setup: str = ""
    forbid: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    limits: Limits = Limits()
    licence: str = ""
    note: str = ""


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tasks with a name. ``version`` changes with any task; ``sha256`` is that of the tasks as read.

    ``caution``: what must be said beside every score ("probably in training data"). ``published``: scores that makers
    published for it, by model family, share of tasks 0 to 1.
    """

    id: str
    title: str
    version: str
    licence: str
    tasks: tuple[Task, ...]
    description: str = ""
    caution: str = ""
    source: str = ""
    sha256: str = ""
    published: dict[str, float] = {}
