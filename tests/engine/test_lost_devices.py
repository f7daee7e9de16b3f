"""Servers that are not there, are no RPC servers, or go away: an error of one lane, in words, in bounded time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import LaneDone, LaneResult, LaneStage, LaneText, RunEvent, Stage
from playground.compare.run import Comparison
from playground.engines.pool import EnginePool
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind
from tests.support import bad_servers
from tests.support.bad_servers import bad_server
from tests.support.comparisons import lane, results
from tests.support.lenders import RunningLender, lender
from tests.support.tiny_gguf import build

_ENDLESS = AnswerOptions(Sampling(temperature=0.0), max_tokens=600)
_BEHAVIOURS = {
    bad_servers.silent: "no answer",
    bad_servers.dripping: "no answer",
    bad_servers.echo: "no RPC server",
    bad_servers.http: "no RPC server",
    bad_servers.rude: "reset",
    bad_servers.older: "version 3.1",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    return build("llama", path, script="All work and no play. ", endless=True)


@pytest.fixture
def lent() -> Iterator[tuple[RunningLender, RunningLender]]:
    with lender() as one, lender() as two:
        yield one, two


async def _described(device: str) -> EngineError:
    engine = EngineProcess()
    try:
        await engine.start()
        with pytest.raises(EngineError) as caught:
            await engine.describe((device.removeprefix("rpc://"),))
        return caught.value
    finally:
        await engine.close()


def test_servers_that_are_none_are_named() -> None:
    async def scenario(devices: list[str]) -> list[EngineError]:
        return await asyncio.gather(*(_described(device) for device in devices))

    with ExitStack() as stack:
        devices = [stack.enter_context(bad_server(behaviour)) for behaviour in _BEHAVIOURS]
        errors = asyncio.run(scenario(devices))
    for device, words, error in zip(devices, _BEHAVIOURS.values(), errors, strict=True):
        assert error.kind is ErrorKind.DEVICE_LOST
        assert device.removeprefix("rpc://") in error.message
        assert words in error.message
        assert "serve-device" in error.hint


@pytest.mark.parametrize(
    "address", ["nowhere", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "[::1]:50052", ":1"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    error = asyncio.run(_described(address))
    assert error.kind is ErrorKind.LOAD_FAILED
    assert error.message == f"{address} is not the address of an RPC server."


def test_a_server_that_is_not_there_costs_its_lane_only(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        device = f"rpc://127.0.0.1:{probe.getsockname()[1]}"
    lanes = [lane(model, LoadOptions(devices=(device,))), lane(model, LoadOptions(), "B")]
    found = asyncio.run(results(lanes))
    _check_lost(found["A"])
    assert found["B"].error is None


def test_a_server_that_hangs_up_on_the_first_question_is_lost(model: Path) -> None:
    with bad_server(bad_servers.vanishing) as device:
        _check_lost(asyncio.run(results([lane(model, LoadOptions(devices=(device,)))]))["A"])


def _check_lost(found: LaneResult) -> None:
    assert found.error is not None
    assert found.error.kind == "device_lost"
    assert found.error.hint.endswith(".")


def _kill_when_both_write(victim: RunningLender) -> tuple[list[int], object]:
    written = {"A": 0, "B": 0}
    at_the_kill: list[int] = []

    def hear(event: RunEvent) -> None:
        if isinstance(event, LaneText):
            written[event.slot] = event.tokens
            if not at_the_kill and min(written.values()) > 5:
                os.kill(victim.process.pid, signal.SIGKILL)
                at_the_kill.append(written["B"])

    return at_the_kill, hear


def test_a_server_killed_amid_an_answer_costs_its_lane_only(
    model: Path, lent: tuple[RunningLender, RunningLender]
) -> None:
    victim, other = lent
    lanes = [
        lane(model, LoadOptions(n_ctx=1024, devices=(device.device,)), slot, _ENDLESS)
        for slot, device in (("A", victim), ("B", other))
    ]
    at_the_kill, hear = _kill_when_both_write(victim)
    found = asyncio.run(results(lanes, "together", hear))  # type: ignore[arg-type]
    assert at_the_kill
    _check_lost(found["A"])
    assert found["A"].answer
    assert 0 < found["A"].usage.completion_tokens < 600
    assert found["B"].error is None
    assert found["B"].usage.completion_tokens == 600 > at_the_kill[0]


def test_a_lane_that_shares_no_device_goes_on_and_the_lost_one_can_run_again(
    model: Path, lent: tuple[RunningLender, RunningLender]
) -> None:
    gone, there = lent
    os.kill(gone.process.pid, signal.SIGKILL)
    gone.process.wait(30)
    both = LoadOptions(n_ctx=1024, devices=(there.device, gone.device), tensor_split=(1, 1))
    _check_lost(asyncio.run(results([lane(model, both)]))["A"])
    one = LoadOptions(n_ctx=1024, devices=(there.device,))
    assert asyncio.run(results([lane(model, one)]))["A"].error is None


@pytest.mark.parametrize("stage", [Stage.LOADING, Stage.ANSWERING])
def test_a_lane_on_a_frozen_server_can_be_stopped(model: Path, stage: Stage) -> None:
    async def scenario(frozen: RunningLender) -> list[LaneResult]:
        pool, done = EnginePool(1), []
        run = Comparison([lane(model, LoadOptions(devices=(frozen.device,)), "A", _ENDLESS)], "auto", pool)
        try:
            async for event in run.events():
                if isinstance(event, LaneStage) and event.stage is stage and not event.fraction:
                    for child in frozen.children():
                        child.suspend()
                    run.stop()
                elif isinstance(event, LaneDone):
                    done.append(event.result)
        finally:
            await pool.close()
        return done

    with lender() as frozen:
        (found,) = asyncio.run(scenario(frozen))
    assert (found.error, found.stop) == (None, "cancelled")
