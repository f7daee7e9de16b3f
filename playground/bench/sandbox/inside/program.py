"""Becomes another program, which keeps the private way to the judge as descriptors 3 and 4 and nothing else."""

from __future__ import annotations

import os

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value


def main(config: Value) -> None:
    """Set the walls and execute ``config["command"]``."""
    channel = Channel()
    put_up(config)
    channel.send({"ready": 1})
    for fd, private in zip(channel.fds(), (103, 104)):  # noqa: B905 -- Python 3.8 has no strict
        os.dup2(fd, private, inheritable=False)
    os.closerange(3, 103)
    os.dup2(103, 3)
    os.dup2(104, 4)
    os.execv(config["command"][0], config["command"])  # noqa: S606 -- that is its purpose
