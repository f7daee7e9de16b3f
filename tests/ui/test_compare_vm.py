"""The Compare screen without widgets: settings, ways on from a failure, what a run is given and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from playground.chat.messages import Role
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Lane, LaneDone, LaneError, LaneLoaded, LaneText, RunEvent
from playground.engines.protocol import LoadedModel, MemoryUse
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
    ("had", "fitting", "n_ctx"),
    [
        (None, None, 4096),
        (None, 2048, 2048),
        (None, 6144, 4096),
        (1000, None, 512),
        (400, 256, 256),
    ],
)
def test_out_of_memory_offers_the_next_smaller_context(
    had: int | None, fitting: int | None, n_ctx: int
) -> None:
    error = LaneError("out_of_memory", _OOM, needed_tokens=had, fitting_tokens=fitting)
    lane = _failed(error, load=LoadOptions(n_ctx=had))
    first, second = actions(lane)
    assert (first.kind, first.text, first.n_ctx) == ("smaller_context", "Use a smaller context", n_ctx)
    assert f"{n_ctx:,} tokens" in first.tip
    assert second.kind == "again"


@pytest.mark.parametrize(("had", "fitting"), [(None, 0), (512, None)])
def test_where_no_smaller_context_helps_another_model_is_offered(
    had: int | None, fitting: int | None
) -> None:
    error = LaneError("out_of_memory", _OOM, fitting_tokens=fitting)
    assert _kinds(_failed(error, load=LoadOptions(n_ctx=had))) == ["choose_model", "again"]


@pytest.mark.parametrize("words", ["", "A context of 64 tokens fits. Choose at most 64 tokens."])
def test_what_is_offered_does_not_depend_on_the_words_of_an_error(words: str) -> None:
    error = LaneError("out_of_memory", words or _OOM, words)
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
    error = LaneError("prompt", "The prompt is too long.", needed_tokens=prompt, fitting_tokens=8192)
    lane = _failed(
        error, model=scripted.model(n_ctx_train=trained), answer=AnswerOptions(max_tokens=longest), n_ctx=8192
    )
    assert [(action.kind, action.n_ctx) for action in actions(lane)] == [
        ("larger_context", n_ctx),
        ("again", None),
    ]


@pytest.mark.parametrize("trained", [8192, 9000])
def test_a_prompt_that_the_model_cannot_hold_offers_no_context(trained: int) -> None:
    error = LaneError("prompt", "The prompt is too long.", needed_tokens=9000, fitting_tokens=8192)
    assert _kinds(_failed(error, model=scripted.model(n_ctx_train=trained), n_ctx=8192)) == ["again"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("not_found", ["choose_model"]),
        ("load_failed", ["choose_model", "settings"]),
        ("device_lost", ["again", "settings"]),
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

    services = ScriptedServices([scripted.model()], A=fails("out_of_memory", _OOM, fitting_tokens=2048))
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


_STEPPED_DOWN = "13 of 19 layers are on the devices: more did not fit in their memory."


def _loads_with_a_warning(lane: Lane) -> list[RunEvent]:
    loaded = LoadedModel(8192, 8192, 18, 13, is_base=False, thinks=False, description="tiny")
    return [
        LaneLoaded(lane.slot, loaded, MemoryUse(), (_STEPPED_DOWN,)),
        LaneText(lane.slot, "Yes.", "", 3, 0.1),
        LaneDone(lane.slot, scripted.result(lane, warnings=(_STEPPED_DOWN, "The answer was cut."))),
    ]


def _notices(vm: CompareVm) -> list[str]:
    return [step.text for step in vm.take_steps("A") if step.kind == "notice"]


def test_warnings_of_a_load_are_shown_once_and_those_of_an_answer_each_time() -> None:
    async def scenario(vm: CompareVm, _services: ScriptedServices) -> None:
        vm.run("Hi")
        await _done(vm)
        assert _notices(vm) == [_STEPPED_DOWN, "The answer was cut."]
        vm.run("And again")
        await _done(vm)
        assert _notices(vm) == ["The answer was cut."]
        vm.regenerate("A")
        await _done(vm)
        assert _notices(vm) == [_STEPPED_DOWN, "The answer was cut."], (
            "it goes with the answer that is removed"
        )

    _play(scenario, ScriptedServices([scripted.model()], A=_loads_with_a_warning))


def test_the_first_token_is_shown_with_the_first_text() -> None:
    async def scenario(vm: CompareVm, _services: ScriptedServices) -> None:
        vm.run("Hi")
        while vm.state.lane("A").phase is not Phase.ANSWERING:  # noqa: ASYNC110 -- no event for it
            await asyncio.sleep(0)
        assert vm.state.lane("A").first_token_s is not None
        assert words.first_token(vm.state.lane("A")) != words.DASH
        await _done(vm)
        assert words.first_token(vm.state.lane("A")) == "200 ms", "the engine's own figure"
        vm.run("And again")
        assert words.first_token(vm.state.lane("A")) == words.DASH
        await _done(vm)

    _play(scenario)


async def _counted(vm: CompareVm, said: str) -> None:
    async with asyncio.timeout(5):
        while words.prompt_sizes(vm.state)[0] != said:  # noqa: ASYNC110 -- no event for it
            await asyncio.sleep(0)


def test_the_prompt_is_counted_with_the_conversation_before_it_is_sent() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        vm.set_options("A", LaneSetup(system="Be brief."))
        vm.run("Hi")
        await _done(vm)
        services.sizes = {"A": (1234, 8192), "B": (1240, 8192)}
        vm.write_prompt("More")
        await _counted(vm, "A 1,234 of 8,192 tokens · B 1,240 of 8,192")
        asked = next(lane for lane in services.counted if lane.slot == "A")
        assert [turn.text for turn in asked.conversation.turns] == ["Hi", "Yes.", "More"]
        assert asked.conversation.system == "Be brief."
        services.sizes = {"A": (9120, 8192)}
        vm.write_prompt("Much more")
        await _counted(vm, "A: 9,120 tokens do not fit its context of 8,192")
        vm.write_prompt(" ")
        assert words.prompt_sizes(vm.state)[0] == ""

    _play(scenario)


def test_what_was_counted_of_an_older_text_is_not_shown() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        services.hold, services.sizes = asyncio.Event(), {"A": (1, 8192)}
        vm.write_prompt("First")
        await asyncio.sleep(0)
        vm.write_prompt("Second")
        seen: list[str] = []
        vm.changed.connect(lambda state: seen.append(words.prompt_sizes(state)[0]))
        services.sizes = {"A": (2, 8192)}
        services.hold.set()
        await _counted(vm, "A 2 of 8,192 tokens")
        assert set(seen) <= {"", "A 2 of 8,192 tokens"}
        assert [lane.conversation.turns[-1].text for lane in services.counted][-1] == "Second"

    _play(scenario)


def test_a_count_that_comes_during_a_run_is_not_shown() -> None:
    async def scenario(vm: CompareVm, services: ScriptedServices) -> None:
        services.hold, services.sizes = asyncio.Event(), {"A": (1, 8192)}
        vm.write_prompt("Hi")
        await asyncio.sleep(0)
        vm.run("Hi")
        vm.write_prompt("")
        services.hold.set()
        await _done(vm)
        await asyncio.sleep(0)
        assert words.prompt_sizes(vm.state)[0] == ""

    _play(scenario)
