"""PySide6 6.12.0 drops a reference to None or True with every call on Python below 3.12, and then aborts."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
class Sender(QObject):
    said = Signal(bool)
app = QCoreApplication([])
sender, timer = Sender(), QTimer()
before = sys.getrefcount(None), sys.getrefcount(True)
for _ in range(200):
    sender.said.emit(True)
    timer.setInterval(5)
after = sys.getrefcount(None), sys.getrefcount(True)
print(max(abs(a - b) for a, b in zip(after, before)))
"""


def test_calls_into_qt_keep_the_reference_counts() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50
