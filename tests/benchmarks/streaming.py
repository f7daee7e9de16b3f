"""What two streaming answers cost the window: its thread's CPU per frame and its share of a core.

Run: python -m tests.benchmarks.streaming [tokens] [--seconds S]

The real page, view-model, comparison, engine client and pipes, offscreen; only the two workers are scripted. A frame
reaches from one tick of the page's timer to the next, so it holds everything that the window's thread did for it:
reading the pipes, decoding messages, new states, text, layout and painting. Figures are CPU time of that thread.
``growth`` is the exponent by which the median frame grows with the length of the answers (0: not at all).
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
import struct
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from playground import app as application
from playground.app_services import AppServices
from playground.engines.pool import EnginePool
from playground.ui.bridge import Bridge
from playground.ui.compare_vm import CompareVm
from playground.ui.loop import Loop
from playground.ui.transcript.blocks import prewarm
from tests.benchmarks import result
from tests.support.waiting import until

_LANES = 2
_FAST, _USUAL = 500, 100  # tokens per second and lane
_LENGTHS = (2_000, 8_000, 32_000)
_REACH = 1_000  # a frame counts for a length that it is no further from
_MEMORY_MS = 2000
_REST_S = 0.2  # for the last frame, and for the run behind it to end


@dataclass(slots=True)
class Frames:
    """(tokens in each lane, CPU seconds) of every frame."""

    found: list[tuple[int, float]] = field(default_factory=list)

    def near(self, length: int) -> list[float]:
        """Return the frames in which the answers had about that length."""
        return [cpu_s for tokens, cpu_s in self.found if abs(tokens - length) <= _REACH]

    def figures(self, lengths: list[int]) -> dict[str, object]:
        """Return milliseconds at each length, and the growth between the first and the last."""
        found: dict[str, object] = {"all": _milliseconds([cpu_s for _, cpu_s in self.found])}
        found |= {f"at_{length}": _milliseconds(self.near(length)) for length in lengths}
        if len(lengths) > 1:
            first, last = (median(self.near(length)) for length in (lengths[0], lengths[-1]))
            found["growth"] = round(math.log(last / first) / math.log(lengths[-1] / lengths[0]), 3)
        return found


class Stage:
    """The window with two scripted models."""

    def __init__(self, qt: QApplication, model: Path) -> None:
        worker = Path(__file__).with_name("scripted_worker.py")
        self._model = model
        self._pool = EnginePool(_LANES, [sys.executable, "-P", str(worker)])
        services = AppServices(self._pool)
        self._bridge = Bridge(_raise)
        self._vm = CompareVm(services, self._bridge)
        self._window = application.make_window(qt, "light")
        self._page = self._window.page
        self._page.connect_to(self._vm, services.prompts(), services.quant_types(), _LANES)
        self._vm.changed.connect(self._window.render_state)
        self._memory = QTimer(self._window)
        self._memory.timeout.connect(self._vm.read_memory)

    async def open(self) -> None:
        """Show the window and choose the models, as the app does when it starts."""
        self._window.show()
        self._memory.start(_MEMORY_MS)
        prewarm()
        for lane in self._vm.state.lanes:
            self._vm.choose_model(lane.slot, str(self._model))
            await self._vm.prepared(lane.slot)
        gc.collect()
        gc.freeze()

    async def frames(self, kind: str, tokens: int) -> Frames:
        """Stream both answers in a new conversation and return every frame."""
        frames, before = Frames(), time.thread_time()

        def tick() -> None:
            nonlocal before
            now = time.thread_time()
            if written := self._vm.state.lane("A").tokens:
                frames.found.append((written, now - before))
            before = now

        self._vm.new_conversation()
        timer = self._page.findChild(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
        assert timer is not None
        connection = timer.timeout.connect(tick)
        await self._run(kind, tokens, _FAST)
        timer.timeout.disconnect(connection)
        return frames

    async def share(self, seconds: int) -> float:
        """Go on in the conversation at a usual speed; return the thread's share of a core, from the first text on."""
        started = 0.0, 0.0

        def text() -> None:
            nonlocal started
            if not started[0] and self._vm.state.lane("A").tokens:
                started = time.perf_counter(), time.thread_time()

        self._vm.streaming.connect(text)
        await self._run("prose", seconds * _USUAL, _USUAL)
        wall_s, cpu_s = time.perf_counter() - started[0], time.thread_time() - started[1]
        self._vm.streaming.disconnect(text)
        return cpu_s / wall_s

    async def close(self) -> None:
        """End the workers and the window."""
        self._memory.stop()
        await self._bridge.close()
        await self._pool.close()
        self._window.close_now()

    async def _run(self, kind: str, tokens: int, per_s: int) -> None:
        self._vm.run(f"{tokens} tokens of {kind} at {per_s} tokens/s")
        await until(self._vm, lambda state: not state.is_running)
        await asyncio.sleep(_REST_S)
        for lane in self._vm.state.lanes:
            if lane.error is not None or lane.tokens != tokens:
                raise RuntimeError(f"lane {lane.slot} wrote {lane.tokens} tokens: {lane.error}")


async def measured(qt: QApplication, model: Path, tokens: int, seconds: int) -> dict[str, object]:
    """Return the figures of every case."""
    lengths = [length for length in _LENGTHS if length <= tokens]
    stage = Stage(qt, model)
    await stage.open()
    figures: dict[str, object] = {}
    try:
        figures["share_of_a_core"] = round(await stage.share(seconds), 3)
        for kind in ("code", "prose"):
            frames = await stage.frames(kind, tokens)
            figures[f"{kind}_frame_ms"] = frames.figures(lengths)
        figures["share_of_a_core_behind_long_answers"] = round(await stage.share(seconds), 3)
    finally:
        await stage.close()
    return figures


def main() -> None:
    """Print one JSON line."""
    parser = result.arguments(__doc__)
    parser.add_argument(
        "tokens", type=int, nargs="?", default=_LENGTHS[-1] + _REACH, help="of each long answer"
    )
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement of the share")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_HOME"] = folder
        qt = application.make_application()
        loop = Loop(qt)
        asyncio.set_event_loop(loop)
        model = Path(folder) / "scripted.gguf"
        model.write_bytes(_header())
        with loop:
            figures = loop.run_until_complete(measured(qt, model, wanted.tokens, wanted.seconds))
    speeds = {"lanes": _LANES, "tokens": wanted.tokens, "fast_per_s": _FAST, "usual_per_s": _USUAL}
    result.write("streaming", __spec__.name, {**speeds, **figures})


def _header() -> bytes:
    """Return a GGUF file of the smallest kind: one key and no tensors."""
    key, value = b"general.architecture", b"llama"
    pairs = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pairs


def _milliseconds(frames: list[float]) -> dict[str, float]:
    return {
        "p50": round(median(frames) * 1000, 2),
        "p99": round(result.percentile(frames, 99) * 1000, 2),
        "frames": len(frames),
    }


def _raise(error: BaseException) -> None:
    raise error


if __name__ == "__main__":
    main()
