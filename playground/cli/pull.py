"""``playground models pull``: fetches models from the Hub. Paths or events on stdout, words and progress on stderr."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from playground.cli import output, pull_words
from playground.errors import DownloadError, HubError, PlaygroundError, UsageError
from playground.models.downloads.download import Download, DownloadState
from playground.models.downloads.download_run import DownloadRun
from playground.models.downloads.downloads import new_download
from playground.models.hub import hub_api, hub_reference
from playground.models.hub.grouping import chosen

SCHEMA = "playground.pull/1"
_INTERRUPTED_EXIT = 130
_EVENT_S, _BAR_S, _LINE_S = 0.5, 0.1, 5.0  # between two reports of progress


class _Report(Protocol):
    def begun(self, ref: str, download: Download) -> None:
        """Say what is fetched."""

    def moved(self, ref: str, download: Download) -> None:
        """Say how far it is; called for every change."""

    def done(self, ref: str, download: Download) -> None:
        """Say where it is."""

    def failed(self, ref: str, error: PlaygroundError) -> None:
        """Say why it failed."""

    def stopped(self) -> None:
        """Say that the user ended it."""


def pull(arguments: argparse.Namespace) -> int:
    """Fetch models one after another. Returns 0 when all are here, 1 when one failed, 130 when interrupted."""
    report: _Report = _Events() if arguments.json else _Words()
    refs = list(dict.fromkeys(arguments.refs))
    for ref in refs:
        hub_reference.parse(ref, hub_api.own_host())  # before the first byte of another
    try:
        return asyncio.run(_pull(refs, report))
    except KeyboardInterrupt:
        report.stopped()
        return _INTERRUPTED_EXIT


async def _pull(refs: Sequence[str], report: _Report) -> int:
    failures = 0
    for ref in refs:
        try:
            await _one(ref, report)
        except UsageError:
            raise
        except PlaygroundError as error:
            failures += 1
            report.failed(ref, error)
    return 1 if failures else 0


async def _one(ref: str, report: _Report) -> None:
    repository = await hub_api.repository(ref)
    wanted = hub_reference.parse(ref, hub_api.own_host()).quant
    download = new_download(repository, chosen(repository, wanted))
    report.begun(ref, download)
    run = DownloadRun(download, lambda changed: report.moved(ref, changed))
    report.done(ref, await run.run())


class _Events:
    """One JSON object per line on stdout."""

    def __init__(self) -> None:
        self._due_s = 0.0
        self._state = DownloadState.QUEUED

    def begun(self, ref: str, download: Download) -> None:
        files = [
            {"path": item.file.path, "size_bytes": item.file.size_bytes, "sha256": item.file.sha256}
            for item in download.files
        ]
        self._tell(
            "begin",
            ref=ref,
            repo=download.repo,
            commit=download.commit,
            quant=download.quant,
            total_bytes=download.total_bytes,
            files=files,
        )

    def moved(self, ref: str, download: Download) -> None:
        now = time.monotonic()
        if (
            download.state is self._state
            and now < self._due_s
            and download.state is not DownloadState.WAITING
        ):
            return
        self._state, self._due_s = download.state, now + _EVENT_S
        if download.state is DownloadState.WAITING:
            seconds = max(0.0, round(download.retry_at - time.time(), 1))
            self._tell(
                "waiting",
                ref=ref,
                reason=download.error,
                hint=download.hint,
                seconds=seconds,
                attempt=download.attempt,
            )
        elif download.state is DownloadState.VERIFYING:
            self._tell("checking", ref=ref, checked_bytes=download.checked_bytes)
        elif download.state is DownloadState.ACTIVE:
            left = download.seconds_left
            self._tell(
                "progress",
                ref=ref,
                received_bytes=download.received_bytes,
                total_bytes=download.total_bytes,
                bytes_per_s=round(download.bytes_per_s),
                seconds_left=None if left is None else round(left, 1),
            )

    def done(self, ref: str, download: Download) -> None:
        self._tell("done", ref=ref, path=download.path, total_bytes=download.total_bytes)

    def failed(self, ref: str, error: PlaygroundError) -> None:
        kind = str(error.kind) if isinstance(error, HubError | DownloadError) else "not_found"
        self._tell("failed", ref=ref, kind=kind, message=error.message, hint=error.hint)

    def stopped(self) -> None:
        self._tell("stopped")

    def _tell(self, event: str, **values: object) -> None:
        output.data(json.dumps({"schema": SCHEMA, "event": event, **values}) + "\n")


class _Words:
    """A line that moves on a terminal; elsewhere some lines, and the paths on stdout."""

    def __init__(self) -> None:
        self._due_s = 0.0 if output.is_terminal() else time.monotonic() + _LINE_S
        self._error = ""

    def begun(self, ref: str, download: Download) -> None:
        output.say(pull_words.beginning(ref, download))

    def moved(self, ref: str, download: Download) -> None:
        now = time.monotonic()
        if download.error and download.error != self._error:
            with self._line():
                output.say(pull_words.setback(download))
        self._error = download.error
        if now < self._due_s:
            return
        if output.is_terminal():
            self._due_s = now + _BAR_S
            output.status(pull_words.bar(download))
        else:
            self._due_s = now + _LINE_S
            output.say(f"{ref}: {pull_words.figures(download)}")

    def done(self, _ref: str, download: Download) -> None:
        with self._line():
            output.data(f"{download.path}\n")

    def failed(self, ref: str, error: PlaygroundError) -> None:
        with self._line():
            sentence = error.sentence()
            repo = ref.removeprefix("hf:").partition(":")[0]
            named = sentence if sentence.startswith(f"{repo} ") else f"{ref}: {sentence}"
            output.say(f"playground: {named}")

    def stopped(self) -> None:
        with self._line():
            output.say("playground: Stopped. What is here is kept; the same command goes on with it.")

    @contextlib.contextmanager
    def _line(self) -> Iterator[None]:
        output.status("")
        yield
