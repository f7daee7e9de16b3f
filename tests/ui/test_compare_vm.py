"""The Compare screen without widgets: settings, ways on from a failure, what a run is given and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from playground.chat.messages import Role
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane, LaneDone, LaneError, RunEvent
from playground.ui import compare_words as words
from playground.ui.bridge import Bridge
from playground.ui.compare_state import LaneSetup, LaneState, Phase
from playground.ui.compare_vm import CompareVm
from playground.ui.lane_actions import LaneAction, actions
from tests.support import scripted
from tests.support.scripted import REASON, ScriptedServices, fails

Scenario = Callable[[CompareVm, ScriptedServices], Coroutine[Any, Any, None]]
_OOM = "Tiny with a context of 8,192 tokens needs about 9.0 GB, and 1.0 GB is free."


def _play(scenario: Scenario, services: ScriptedServices | None = None) -> None:
    """Run a scenario with two lanes that have a model."""
    bugs: list[BaseException] = []

    async def main() -> None:
        used = services or ScriptedServices([scripted.model()])
        bridge = Bridge(bugs.append)
        vm = CompareVm(used, bridge)
        for slot in "AB":
            vm.choose_model(slot, "any")
            await vm.prepared(slot)
        await scenario(vm, used)
        await bridge.close()

    asyncio.run(asyncio.wait_for(main(), 20))
    assert not bugs


async def _done(vm: CompareVm) -> None:
    while vm.state.is_running:  # noqa: ASYNC110 -- the view-model has no event for a test to wait on
        await asyncio.sleep(0)


def _failed(error: LaneError, **changes: Any) -> LaneState:  # noqa: ANN401 -- fields of the state
    lane = LaneState("A", scripted.model(), Phase.FAILED, error=error)
    return replace(lane, **changes)


def _kinds(lane: LaneState) -> list[str]:
    return [action.kind for action in actions(lane)]


@pytest.mark.parametrize(
    ("had", "hint", "n_ctx"),
    [
        (None, "", 4096),
        (None, "Choose a context of at most 2,048 tokens.", 2048),
        (None, "Choose a context of at most 6,144 tokens.", 4096),
        (1000, "", 512),
        (400, "Choose a context of at most 256 tokens.", 256),
    ],
)
def test_out_of_memory_offers_the_next_smaller_context(had: int | None, hint: str, n_ctx: int) -> None:
    lane = _failed(LaneError("out_of_memory", _OOM, hint), load=LoadOptions(n_ctx=had))
    first, second = actions(lane)
    assert (first.kind, first.text, first.n_ctx) == ("smaller_context", "Use a smaller context", n_ctx)
    assert f"{n_ctx:,} tokens" in first.tip
    assert second.kind == "again"


@pytest.mark.parametrize("hint", ["", "Choose a smaller model."])
def test_where_no_smaller_context_helps_another_model_is_offered(hint: str) -> None:
    had = None if hint else 512
    lane = _failed(LaneError("out_of_memory", _OOM, hint), load=LoadOptions(n_ctx=had))
    assert _kinds(lane) == ["choose_model", "again"]


def test_a_context_that_cannot_be_made_counts_as_too_large() -> None:
    error = LaneError("load_failed", "A context of 8,192 tokens with a q4_0 cache cannot be made: no reason.")
    assert actions(_failed(error))[0].n_ctx == 4096


@pytest.mark.parametrize(
    ("prompt", "longest", "trained", "n_ctx"),
    [
        (9_000, 1024, 32_768, 16_384),
        (8_192, 1024, 0, 16_384),
        (16_000, 1024, 32_768, 32_768),
        (9_000, 1024, 12_000, 12_000),
    ],
)
def test_a_long_prompt_offers_the_next_larger_context(
    prompt: int, longest: int, trained: int, n_ctx: int
) -> None:
    error = LaneError(
        "prompt",
        f"The prompt has {prompt:,} tokens, but the context holds 8,192.",
        f"Shorten it, or choose a context above {prompt:,} tokens.",
    )
    lane = _failed(
        error, model=scripted.model(n_ctx_train=trained), answer=AnswerOptions(max_tokens=longest), n_ctx=8192
    )
    assert [(action.kind, action.n_ctx) for action in actions(lane)] == [
        ("larger_context", n_ctx),
        ("again", None),
    ]


@pytest.mark.parametrize("trained", [8192, 9000])
def test_a_prompt_that_the_model_cannot_hold_offers_no_context(trained: int) -> None:
    error = LaneError("prompt", "The prompt has 9,000 tokens, but the context holds 8,192.")
    assert _kinds(_failed(error, model=scripted.model(n_ctx_train=trained), n_ctx=8192)) == ["again"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("not_found", ["choose_model"]),
        ("load_failed", ["choose_model"]),
        ("crashed", ["again"]),
        ("prompt", ["again"]),
        ("internal", ["again"]),
    ],
)
def test_other_failures(kind: str, expected: list[str]) -> None:
    assert _kinds(_failed(LaneError(kind, "It failed."))) == expected


def test_a_lane_that_has_not_failed_offers_nothing() -> None:
    lane = _failed(LaneError("crashed", "It failed."))
    assert not actions(replace(lane, phase=Phase.LOADING, error=None))


def test_a_smaller_context_is_set_and_the_prompt_asked_again() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        vm.run("Hi")
        await _done(vm)
        lane = vm.state.lane("A")
        assert lane.phase is Phase.FAILED
        services.scripts.clear()
        action = actions(lane)[0]
        vm.act("A", action)
        await _done(vm)
        again = services.asked[-1]
        assert [(one.slot, one.load.n_ctx) for one in again] == [("A", 2048)]
        assert [turn.text for turn in again[0].conversation.turns] == ["Hi"]
        assert again[0].answer.sampling.seed == Sampling().seed
        assert vm.state.lane("A").phase is Phase.DONE
        assert vm.state.lane("A").load.n_ctx == 2048
        assert vm.state.lane("B").load.n_ctx is None

    hint = "Choose a context of at most 2,048 tokens."
    services = ScriptedServices([scripted.model()], A=fails("out_of_memory", _OOM, hint))
    _play(scenario, services)


def test_a_full_context_offers_a_larger_one() -> None:
    async def scenario(vm: CompareVm, _services: ScriptedServices) -> None:
        vm.run("Hi")
        await _done(vm)
        lane = vm.state.lane("A")
        assert lane.phase is Phase.DONE
        assert [(action.kind, action.n_ctx) for action in actions(lane)] == [("larger_context", 16_384)]

    def full(lane: Lane) -> list[RunEvent]:
        return [LaneDone("A", scripted.result(lane, stop="context", prompt_tokens=8000))]

    _play(scenario, ScriptedServices([scripted.model()], A=full))


def test_settings_reach_the_run_for_one_lane_or_both() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        setup = LaneSetup(LoadOptions(n_ctx=2048), AnswerOptions(max_tokens=7), "Be brief.")
        vm.set_options("A", setup)
        assert vm.state.lane("B").setup == LaneSetup()
        assert "2k ctx" in words.badges(vm.state.lane("A"))
        vm.run("Hi")
        await _done(vm)
        a, b = services.asked[-1]
        assert (a.conversation.system, a.load.n_ctx, a.answer.max_tokens) == ("Be brief.", 2048, 7)
        assert a.conversation.messages()[0].role is Role.SYSTEM
        assert b.conversation.system == ""
        vm.set_options("B", setup, both=True)
        assert vm.state.lane("A").setup == vm.state.lane("B").setup == setup
        vm.new_conversation()
        assert vm.state.lane("A").system == "Be brief."

    _play(scenario)


def test_settings_chosen_while_a_model_is_prepared_are_kept() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        services.hold = asyncio.Event()
        vm.choose_model("B", "any")
        await asyncio.sleep(0)
        setup = LaneSetup(system="Be brief.")
        vm.set_options("A", setup, both=True)
        vm.stop("B")
        await vm.prepared("B")
        lane = vm.state.lane("B")
        assert (lane.phase, lane.system) == (Phase.READY, "Be brief.")

    _play(scenario)


def test_the_reason_of_the_plan_is_said_during_a_run_and_stays_within_reach() -> None:
    async def scenario(vm: CompareVm, _services: ScriptedServices) -> None:
        seen: list[str] = []
        vm.changed.connect(lambda state: seen.append(state.sentence) if state.is_running else None)
        vm.run("Hi")
        await _done(vm)
        await asyncio.sleep(0)
        assert REASON in seen
        assert vm.state.sentence == "2 results"
        assert words.sentence_tip(vm.state) == f"2 results\n{REASON}"
        assert REASON in words.plan_tip(vm.state)
        vm.new_conversation()
        assert words.plan_reason(vm.state) == ""
        assert REASON not in words.plan_tip(vm.state)

    _play(scenario)


def test_both_answers_are_made_again_with_another_seed() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        vm.regenerate(None)
        assert not services.asked
        vm.run("Hi")
        await _done(vm)
        vm.regenerate(None)
        await _done(vm)
        first, second = services.asked
        assert [lane.slot for lane in second] == ["A", "B"]
        assert second[0].answer.sampling.seed == first[0].answer.sampling.seed + 1
        assert [turn.text for turn in second[0].conversation.turns] == ["Hi"]

    _play(scenario)


def test_warnings_of_a_result_are_notices() -> None:
    async def scenario(vm: CompareVm, _services: ScriptedServices) -> None:
        vm.run("Hi")
        await _done(vm)
        notices = [(step.level, step.text) for step in vm.take_steps("A") if step.kind == "notice"]
        assert notices == [("warn", "The cache is f16.")]

    def warns(lane: Lane) -> list[RunEvent]:
        return [LaneDone("A", scripted.result(lane, warnings=("The cache is f16.",)))]

    _play(scenario, ScriptedServices([scripted.model()], A=warns))


def test_a_copy_is_in_the_list_of_models() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        vm.make_copy("A", "Q2_K")
        await vm.prepared("A")
        assert services.copies == [(services.models[0].ref, "Q2_K")]
        assert vm.models.rowCount() == 2
        assert "Q2_K" in vm.models.index(1, 0).data()

    _play(scenario)


def test_an_action_without_a_context_changes_no_setting() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        vm.run("Hi")
        await _done(vm)
        before = vm.state.lane("A").setup
        vm.act("A", LaneAction("again", "Try again", ""))
        await _done(vm)
        assert vm.state.lane("A").setup == before
        assert len(services.asked) == 2

    _play(scenario)
