"""*Run tests* in Compare, without widgets: offers the tests of the last prompt and judges the answers in both lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from playground.compare.events import LaneResult
from playground.errors import PlaygroundError
from playground.ui.bridge import Bridge
from playground.ui.compare_state import CompareState, Phase
from playground.ui.compare_vm import CompareVm
from playground.ui.results import lane_tests_state as state_of
from playground.ui.results.lane_tests_state import LaneTests, TestPhase
from playground.ui.results.services import JudgeServices
from playground.ui.results.task_state import can_be_read

_OPEN = (TestPhase.OFFERED, TestPhase.DONE)


class LaneTestsVm(QObject):
    """``changed`` carries a LaneTests; ``prompts_found``: the tasks with tests as prompts."""

    changed = Signal(object)
    prompts_found = Signal(object)

    def __init__(
        self, services: JudgeServices, compare: CompareVm, bridge: Bridge, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._compare, self._bridge = services, compare, bridge
        self.lanes = {lane.slot: LaneTests(lane.slot) for lane in compare.state.lanes}
        self._seen: dict[str, LaneResult | None] = dict.fromkeys(self.lanes)
        compare.changed.connect(self._take)

    def start(self) -> None:
        """Learn which prompts have tests."""
        self._spawn(self._learn(), "")

    def run(self) -> None:
        """Run the tests in each lane where they are offered."""
        for lane in self.lanes.values():
            if lane.phase is TestPhase.OFFERED and (why := self._compare.state.blocked):
                self._set(replace(lane, trouble=why))  # it would disturb the times of what has the engines
            elif lane.phase is TestPhase.OFFERED:
                self._set(replace(lane, phase=TestPhase.RUNNING, trouble=""))
                self._spawn(self._judge(lane.slot), lane.slot)

    def again(self, slot: str) -> None:
        """Offer a lane's tests again."""
        lane = self.lanes[slot]
        if lane.phase in _OPEN:
            self._set(replace(lane, phase=TestPhase.OFFERED, result=None))
            self.run()

    def allow(self, slot: str) -> None:
        """Run a lane's program with the user's rights: a person has read it and said so."""
        lane = self.lanes[slot]
        if lane.phase is TestPhase.ASKING and lane.result is not None and not self._compare.state.blocked:
            self._set(replace(lane, phase=TestPhase.RUNNING))
            self._spawn(self._judge_unsafe(slot), slot)

    def refuse(self, slot: str) -> None:
        """Do not run a lane's program."""
        if self.lanes[slot].phase is TestPhase.ASKING:
            self._set(replace(self.lanes[slot], phase=TestPhase.DONE))

    # ---- work

    async def _learn(self) -> None:
        prompts = tuple(await asyncio.to_thread(self._services.task_prompts))
        self._compare.more_prompts = prompts
        self.prompts_found.emit(prompts)

    def _take(self, state: CompareState) -> None:
        """Offer the tests when an answer has come, and take them away when it goes."""
        for lane in state.lanes:
            result = lane.result if lane.phase is Phase.DONE and not lane.is_running else None
            if result is self._seen[lane.slot]:
                continue
            self._seen[lane.slot] = result
            self._set(LaneTests(lane.slot))
            prompt = self._compare.last_prompt(lane.slot)
            if result is not None and result.answer and prompt:
                self._spawn(self._offer(lane.slot, prompt, result), lane.slot)

    async def _offer(self, slot: str, prompt: str, result: LaneResult) -> None:
        task = await asyncio.to_thread(self._services.task_of, prompt)
        if task is not None and self._seen[slot] is result:
            self._set(LaneTests(slot, TestPhase.OFFERED, task))

    async def _judge(self, slot: str) -> None:
        lane, answered = self.lanes[slot], self._seen[slot]
        if lane.task is None or answered is None:
            return
        sandbox = await asyncio.to_thread(self._services.sandbox)
        result = await self._services.judge(state_of.answer_of(answered, lane.task), lane.task)
        if self._seen[slot] is not answered:
            return
        asks = not sandbox.is_safe and can_be_read(result.extracted.code)
        phase = TestPhase.ASKING if asks else TestPhase.DONE
        self._set(replace(lane, phase=phase, result=result, risk=sandbox.guarantee if asks else ""))

    async def _judge_unsafe(self, slot: str) -> None:
        lane, answered = self.lanes[slot], self._seen[slot]
        if lane.task is None or lane.result is None:
            return
        judged = await self._services.judge_unsafe(lane.task, lane.result.extracted.code)
        if self._seen[slot] is answered:
            result = msgspec.structs.replace(lane.result, judged=judged)
            self._set(replace(lane, phase=TestPhase.DONE, result=result))

    def _spawn(self, work: Coroutine[Any, Any, None], slot: str) -> None:
        def fail(error: PlaygroundError) -> None:
            if slot:
                self._set(replace(self.lanes[slot], phase=TestPhase.OFFERED, trouble=error.sentence()))

        self._bridge.spawn(work, self, fail)

    def _set(self, lane: LaneTests) -> None:
        if lane != self.lanes[lane.slot]:
            self.lanes[lane.slot] = lane
            self.changed.emit(lane)
