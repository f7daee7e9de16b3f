"""What the probe runs: tries to get out in the ways that matter most, and says which of them worked."""

from __future__ import annotations

import os
import sys

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value


def _reads(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))


def _connects(_: str) -> None:
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _creates(path: str) -> None:
    os.close(os.open(path + ".new", os.O_CREAT | os.O_WRONLY))


def _lists(path: str) -> None:
    os.listdir(path[: path.rindex("/")])  # noqa: PTH208 -- pathlib takes time to import


def main(config: Value) -> None:
    """Set the walls and report what got through."""
    channel = Channel()
    put_up(config)
    channel.send({"ready": 1})
    through = []
    for name, attempt in (("read", _reads), ("network", _connects), ("write", _creates), ("list", _lists)):
        try:
            attempt(config["canary"])
        except OSError:
            continue
        through.append(name)
    channel.send(
        {"id": config["id"], "through": through, "version": ".".join(map(str, sys.version_info[:3]))}
    )
