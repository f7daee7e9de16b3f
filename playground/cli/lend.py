"""``playground serve-device``: lend this machine's devices to a Playground or llama.cpp on another machine."""

from __future__ import annotations

import argparse
import signal
import socket

from playground.cli import output
from playground.engines.lender import Lender, is_loopback, parse_address
from playground.errors import UsageError
from playground.models import hardware


def serve_device(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    host, port = parse_address(arguments.bind)
    if arguments.threads < 0:
        raise UsageError(
            f"{arguments.threads} threads cannot work.", hint="Leave out --threads to use all cores."
        )
    threads = arguments.threads or hardware.physical_cores()
    lender = Lender(host, port, threads=threads, memory_bytes=arguments.memory)
    if not is_loopback(host):
        output.say(
            "Warning: the connection has no password and no encryption, and whoever reaches it can make this "
            "machine compute and read what is sent. Use it on a network that you trust only."
        )
    shown = socket.gethostname() if host == "0.0.0.0" else host  # noqa: S104 -- what the user typed
    output.say(f"Lending this machine's devices at rpc://{shown}:{lender.port} - stop with Ctrl+C.")

    def end(_number: int, _frame: object) -> None:
        lender.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        lender.serve()
    finally:
        lender.close()
    return 0
