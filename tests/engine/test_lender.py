"""A lender outlives its clients, hostile ones too, lends no more than it has, and leaves no process behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
import pytest

from playground.engines.process import EngineProcess
from tests.support import rpc_client
from tests.support.lenders import RunningLender, lender
from tests.support.rpc_client import RpcClient

_MIB = 1 << 20


@pytest.fixture
def lent() -> Iterator[RunningLender]:
    with lender("--memory", "16MiB") as running:
        yield running


async def _free_bytes(endpoint: str) -> int:
    """Return what a real client is told."""
    engine = EngineProcess()
    try:
        await engine.start()
        devices = (await engine.describe((endpoint,))).devices
        return next(device.free_bytes for device in devices if device.name.endswith(endpoint))
    finally:
        await engine.close()


def _hostile() -> dict[str, bytes]:
    chance = random.Random(7)
    hello = struct.pack("<BQ", rpc_client.HELLO, 24) + bytes(24)

    def request(command: int, data: bytes, size: int | None = None) -> bytes:
        return hello + struct.pack("<BQ", command, len(data) if size is None else size) + data

    return {
        "nothing": b"",
        "noise": chance.randbytes(5000),
        "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "half a greeting": hello[:20],
        "a greeting that is too long": struct.pack("<BQ", rpc_client.HELLO, 1 << 62) + bytes(100),
        "an unknown command": hello + b"\xff" * 100,
        "a tensor of exabytes": request(rpc_client.SET_TENSOR, bytes(64), 1 << 62),
        "a tensor of noise": request(rpc_client.SET_TENSOR, chance.randbytes(600)),
        "a graph of noise": request(rpc_client.GRAPH_COMPUTE, bytes(4) + chance.randbytes(2000)),
        "a graph of nothing": request(rpc_client.GRAPH_COMPUTE, bytes(2000)),
        "a read from nowhere": request(rpc_client.GET_TENSOR, chance.randbytes(312)),
        "a buffer that is none": request(rpc_client.FREE_BUFFER, struct.pack("<Q", 0xDEADBEEF)),
        "a buffer of exabytes": request(rpc_client.ALLOC_BUFFER, struct.pack("<IQ", 0, 1 << 62)),
        "a buffer of another device": request(rpc_client.ALLOC_BUFFER, struct.pack("<IQ", 77, 1 << 10)),
    }


def test_hostile_bytes_cost_their_sender_only(lent: RunningLender) -> None:
    with RpcClient(lent.port) as bystander:
        buffer = bystander.allocate(_MIB)
        for data in list(_hostile().values())[::3]:
            client = RpcClient(lent.port, greet=False)
            client.send(data)
            client.close()
        for data in _hostile().values():
            with RpcClient(lent.port, greet=False) as client:
                client.send(data)
                client.end()
                client.wait_closed()
        assert bystander.memory() == (15 * _MIB, 16 * _MIB)
        bystander.free(buffer)
        assert bystander.memory() == (16 * _MIB, 16 * _MIB)
    assert asyncio.run(_free_bytes(lent.endpoint)) == 16 * _MIB
    assert lent.process.poll() is None


def test_clients_at_the_same_time_get_a_process_each(lent: RunningLender) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(RpcClient(lent.port, greet=False)) for _ in range(6)]
        for client in clients:
            client.request(rpc_client.HELLO, bytes(24))
        for client in clients:
            assert len(client.read(36)) == 36
        for client in clients:
            assert client.memory()[1] == 16 * _MIB


def test_a_limit_holds_over_all_clients(lent: RunningLender) -> None:
    with RpcClient(lent.port) as second:
        with RpcClient(lent.port) as first:
            assert first.memory() == (16 * _MIB, 16 * _MIB)
            taken = first.allocate(10 * _MIB)
            assert taken
            assert second.memory()[0] == 6 * _MIB
            assert not second.allocate(7 * _MIB)
            assert second.allocate(4 * _MIB)
            first.free(taken)
            assert first.memory()[0] == 12 * _MIB
            assert first.allocate(12 * _MIB)
            assert second.memory()[0] == 0
        _wait_until(lambda: second.memory()[0] == 12 * _MIB)  # the first client's process has ended


def test_what_a_process_held_when_it_died_is_free_again(lent: RunningLender) -> None:
    (waiting,) = lent.children()
    with RpcClient(lent.port) as first, RpcClient(lent.port) as second:
        assert first.allocate(10 * _MIB)
        assert second.memory()[0] == 6 * _MIB
        waiting.kill()
        first.wait_closed()
        _wait_until(lambda: second.memory()[0] == 16 * _MIB)


def test_without_a_limit_no_more_is_lent_than_is_free() -> None:
    with lender() as lent, RpcClient(lent.port) as client:
        free, total = client.memory()
        assert 0 < free < total <= psutil.virtual_memory().total
        assert not client.allocate(total)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_no_process_outlives_the_lender(number: signal.Signals) -> None:
    with lender() as lent, RpcClient(lent.port) as client, RpcClient(lent.port):
        _wait_until(lambda: len(lent.children()) == 3)  # two clients' and one in waiting
        children = lent.children()
        os.kill(lent.process.pid, number)
        if number is signal.SIGINT:
            os.kill(lent.process.pid, number)  # a person who is in a hurry
        status = lent.process.wait(30)
        assert (
            status in {signal.SIGTERM: (0,), signal.SIGINT: (0, -number), signal.SIGKILL: (-number,)}[number]
        )
        gone, alive = psutil.wait_procs(children, timeout=30)
        assert not alive
        assert len(gone) == 3
        client.wait_closed()


def test_a_client_that_goes_takes_its_process_along(lent: RunningLender) -> None:
    waiting = {child.pid for child in lent.children()}
    assert len(waiting) == 1
    with RpcClient(lent.port):
        _wait_until(lambda: len(lent.children()) == 2)
        assert waiting < {child.pid for child in lent.children()}
    _wait_until(lambda: len(lent.children()) == 1)
    assert not waiting & {child.pid for child in lent.children()}


def test_a_process_in_waiting_that_died_is_replaced(lent: RunningLender) -> None:
    (waiting,) = lent.children()
    waiting.kill()
    _wait_until(lambda: waiting.status() == psutil.STATUS_ZOMBIE)
    with RpcClient(lent.port) as client:
        assert client.memory() == (16 * _MIB, 16 * _MIB)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
