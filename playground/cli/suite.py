"""``playground suite``: the suites there are, whether one can be trusted, and fetching one from the Hub."""

from __future__ import annotations

import argparse
import asyncio

import msgspec

from playground.bench import suites
from playground.bench.sandbox.probe import probe
from playground.bench.suite_check import Checkup, check_suite
from playground.bench.suite_fetch import fetch_suite, remote
from playground.bench.task import Suite
from playground.cli import output
from playground.errors import SetupError


def list_suites(arguments: argparse.Namespace) -> int:
    """List the suites that can be named."""
    known = suites.known()
    if arguments.json:
        output.json_data({"schema": "playground.suites/1", "suites": msgspec.to_builtins(known)})
        return 0
    for suite in known:
        where = f"fetch it with: playground suite fetch {suite.id}" if suite.where == "hub" else suite.where
        tasks = f"{suite.tasks} tasks" if suite.tasks else "damaged"
        output.data(f"{suite.id:12} {tasks:>10}  {suite.licence:12} {suite.title} {suite.version}, {where}\n")
        if suite.problem:
            output.say(f"{suite.id}: {suite.problem}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Run a suite's references and wrong solutions; status 1 when one does not do what it must."""
    suite = suites.load(arguments.suite)
    sandbox = probe()
    if not sandbox.is_safe:
        raise SetupError("A suite is only checked in a sandbox, and there is none.", hint=sandbox.guarantee)
    found = asyncio.run(check_suite(suite, sandbox, _progress))
    output.status("")
    if arguments.json:
        output.json_data(_report(suite, found, sandbox.name))
    else:
        _show(suite, found, sandbox.name)
    return 1 if found.problems else 0


def fetch(arguments: argparse.Namespace) -> int:
    """Fetch a suite from the Hub and say what it is."""
    source = remote(arguments.name)
    output.say(f"Fetching {source.title} from {source.repo} on the Hub, licence {source.licence} …")
    fetched = fetch_suite(arguments.name)
    suite = fetched.suite
    output.data(f"{fetched.folder}\n")
    output.say(
        f"{suite.title}: {len(suite.tasks)} tasks, {fetched.size_bytes:,} bytes, sha256 {fetched.sha256}"
    )
    if fetched.left_out:
        output.say(
            f"Left out, because they need packages beyond Python's own: {', '.join(fetched.left_out)}."
        )
    if suite.caution:
        output.say(suite.caution)
    return 0


def _progress(done: int, total: int) -> None:
    output.status(f"{done} of {total} programs")


def _show(suite: Suite, found: Checkup, sandbox: str) -> None:
    for finding in found.problems:
        must = "must pass" if finding.program == "reference" else "must fail"
        output.data(f"{finding.task}: {finding.program} {must}, but: {finding.outcome}. {finding.said}\n")
    for line in found.advice:
        output.say(line)
    wrong = sum(1 for finding in found.findings if finding.program != "reference")
    word = f"{len(found.problems)} do not do what they must" if found.problems else "all do what they must"
    output.data(
        f"{suite.title} {suite.version}: {len(suite.tasks)} tasks, {len(suite.tasks)} references and "
        f"{wrong} wrong solutions run in {sandbox}; {word}.\n"
    )


def _report(suite: Suite, found: Checkup, sandbox: str) -> dict[str, object]:
    return {
        "schema": "playground.suite-check/1",
        "suite": {
            "id": suite.id,
            "version": suite.version,
            "sha256": suite.sha256,
            "tasks": len(suite.tasks),
        },
        "sandbox": sandbox,
        "ok": not found.problems,
        "findings": msgspec.to_builtins(found.findings),
        "advice": list(found.advice),
    }
