"""Which pairs are proposed to which machine, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.models.catalog.catalog import shipped
from playground.models.catalog.catalog_values import Catalog, Proposal
from playground.models.catalog.proposals import proposals
from playground.models.fitness import Machine
from playground.models.placement import DeviceMemory

_GB = 10**9


def _machine(ram: float, gpu: float = 0.0) -> Machine:
    devices = (DeviceMemory("GPU", int(gpu * _GB)),) if gpu else ()
    return Machine(int(ram * _GB), int(ram * _GB), devices)


def _found(machine: Machine, on_disk: dict[tuple[str, str], str] | None = None) -> tuple[Proposal, ...]:
    return proposals(machine, 8192, on_disk, known=shipped())


@pytest.mark.parametrize(
    ("machine", "story", "second"),
    [
        (_machine(3.2), "neither", "tiny"),
        (_machine(6), "neither", "small"),
        (_machine(13), "neither", "laptop"),
        (_machine(51, 22.4), "only_compact", "start-24"),
        (_machine(60), "only_compact", "coder-64"),
        (_machine(120), "in_turn", "mixture-96"),
        (_machine(250), "together", "story-whole"),
    ],
)
def test_the_story_comes_first_and_then_what_fits_best(machine: Machine, story: str, second: str) -> None:
    found = _found(machine)
    assert found[0].pair.is_story
    assert found[0].fit.how == story
    assert found[1].pair.id == second
    assert found[1].fit.how == "together"


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 300 * _GB), st.integers(0, 100 * _GB))
def test_the_order_holds_on_any_machine(ram: int, gpu: int) -> None:
    machine = _machine(ram / _GB, gpu / _GB)
    story, *others = _found(machine)
    assert story.pair.is_story
    assert len(others) >= 3
    assert len({item.pair.id for item in others}) == len(others)
    runs = [item.fit.how in ("together", "in_turn") for item in others]
    assert runs == sorted(runs, reverse=True)
    if not all(runs):
        assert len(others) == 3
    ranks = [
        ("partly" in (item.fit.compact.verdict, item.fit.larger.verdict), item.fit.how != "together")
        for item in others
        if item.fit.how in ("together", "in_turn")
    ]
    assert ranks == sorted(ranks)


def test_what_is_here_need_not_be_fetched() -> None:
    here = {("unsloth/Qwen3.6-27B-GGUF", "Q4_K_M"): "/models/27b.gguf"}
    before, after = _found(_machine(250))[0], _found(_machine(250), here)[0]
    assert before.compact.path == ""
    assert after.compact.path == "/models/27b.gguf"
    assert before.fetch_bytes - after.fetch_bytes == after.compact.quant.size_bytes
    assert after.fetch_bytes == after.larger.quant.size_bytes


def test_an_empty_catalog_proposes_nothing() -> None:
    assert proposals(_machine(16), 8192, known=Catalog()) == ()
