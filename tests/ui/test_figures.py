"""Figures change seldom enough to be read, and the last ones are always shown."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from playground.app_services import AppServices
from playground.chat.options import AnswerOptions, LoadOptions
from playground.compare.events import LaneDone, LaneResult, LaneText
from playground.engines.pool import EnginePool
from playground.engines.protocol import MemoryUse, Timings, Usage
from playground.models.files import ModelFile
from playground.ui.bridge import Bridge
from playground.ui.compare_state import CompareState, Phase
from playground.ui.compare_vm import CompareVm

_MODEL = ModelFile("tiny", "/tiny.gguf", "tiny", 1, "llama", "Q8_0", 1, 1, is_base=False)
_FRAMES = 2000


def test_figures_are_shown_now_and_then_and_at_the_end(qtbot: QtBot) -> None:
    bugs: list[BaseException] = []
    vm = CompareVm(AppServices(EnginePool(1)), Bridge(bugs.append))
    shown: list[CompareState] = []
    vm.changed.connect(shown.append)
    for tokens in range(1, _FRAMES + 1):
        vm._take(LaneText("A", "x", "", tokens, 0.01 * tokens))
        vm.flush()
    assert 1 <= len(shown) < _FRAMES / 10
    text = "".join(step.text for step in vm.take_steps("A"))
    assert text == "x" * _FRAMES
    vm._take(LaneDone("A", _result()))
    assert shown[-1].lane("A").phase is Phase.DONE
    assert shown[-1].lane("A").tokens == _FRAMES
    assert not bugs
    assert qtbot


def _result() -> LaneResult:
    return LaneResult(
        *("A", _MODEL, "x" * _FRAMES, "", "end", None, Usage(1, 0, _FRAMES), Timings(), MemoryUse()),
        *(LoadOptions(), AnswerOptions(), 1, False),
    )
