"""The fetcher: a child process that brings one file of the Hub into the cache, whole and checked.

Owns the process's two pipes. It is killed to cancel it, and goes on where it was when it is started again. It ends when
its stdin closes, so that none is left without an app. The Hub's token comes by ``HF_TOKEN``, set by the app.
"""

from __future__ import annotations

import io
import os
import sys
import threading

import msgspec

from playground.errors import DownloadError, HubError
from playground.models.downloads.fetch_messages import Done, Event, Job, Limit, failed
from playground.models.downloads.fetch_transfer import Transfer

_ORPHANED_EXIT = 4


def main() -> int:
    """Read one job from stdin, report on stdout, return the exit status: 0 done, 1 failed, 2 no job."""
    pipe = io.FileIO(
        0, closefd=False
    )  # not sys.stdin: the interpreter cannot end while a thread waits in that
    try:
        job = msgspec.json.decode(pipe.readline(), type=Job)
    except msgspec.DecodeError as error:
        sys.stderr.write(f"playground: the fetcher got no job: {error}\n")
        return 2
    transfer = Transfer(job, os.environ.get("HF_TOKEN", "").strip(), _tell)
    threading.Thread(target=_listen, args=(pipe, transfer), name="stdin", daemon=True).start()
    try:
        path = transfer.run()
    except (DownloadError, HubError) as error:
        _tell(failed(error))
        return 1
    _tell(Done(str(path)))
    return 0


def _listen(pipe: io.FileIO, transfer: Transfer) -> None:
    for line in iter(pipe.readline, b""):
        transfer.limit_bytes_per_s = msgspec.json.decode(line, type=Limit).limit_bytes_per_s
    os._exit(_ORPHANED_EXIT)  # the app is gone: nobody waits, and all that is on disk is good


def _tell(event: Event) -> None:
    try:
        sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
        sys.stdout.buffer.flush()
    except OSError:
        os._exit(_ORPHANED_EXIT)
