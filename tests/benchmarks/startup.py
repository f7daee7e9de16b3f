"""First window: time from process start to the first paint, against an empty PySide6 window, in alternating pairs.

Run: python tests/benchmarks/startup.py [pairs]
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_EMPTY = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event); QTimer.singleShot(0, app.quit)
app = QApplication([]); window = Window(); window.resize(1280, 800); window.show(); app.exec()
"""
_OURS = """
import asyncio, json, os, sys
from playground import app as application
from PySide6.QtCore import QEvent, QObject, QTimer
from qasync import QEventLoop
qt = application.make_application()
loop = QEventLoop(qt)
asyncio.set_event_loop(loop)
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, done)
        return False
def done():
    heavy = sorted({"llama_cpp", "numpy", "huggingface_hub", "httpx2", "pygments", "markdown_it"} & set(sys.modules))
    print(json.dumps(heavy), flush=True)
    os._exit(0)
async def main():
    running = application.App(qt, "light")
    running.set_theme("light")
    watch = Watch(); running.page.installEventFilter(watch)
    running.window.show()
    await running.wait()
loop.run_until_complete(main())
"""


def _seconds(code: str) -> tuple[float, str]:
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "PYTHONPATH": str(_ROOT)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    return time.perf_counter() - started, done.stdout.strip()


def main() -> None:
    """Print one JSON line with the ratio of medians."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    empty, ours, heavy = [], [], "[]"
    for _ in range(pairs):
        empty.append(_seconds(_EMPTY)[0])
        seconds, heavy = _seconds(_OURS)
        ours.append(seconds)
    ratio = statistics.median(b / a for a, b in zip(empty, ours, strict=True))
    result = {
        "benchmark": "first window",
        "ratio": round(ratio, 2),
        "empty_s": round(statistics.median(empty), 3),
        "playground_s": round(statistics.median(ours), 3),
        "heavy_modules": json.loads(heavy),
        "pairs": pairs,
        "machine": platform.processor() or platform.machine(),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
