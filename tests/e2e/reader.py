"""A screen reader for tests: the app in a real window, read and worked through the accessibility tree only."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.desktop import SYSTEM_PYTHON, Desktop, read_line

_ROOT = Path(__file__).parents[2]
_DRIVER = Path(__file__).with_name("drive.py")
_WAIT_S = 30.0
_ESCAPE, _F4 = 0xFF1B, 0xFFC1  # key symbols
_ALT = 64  # key code


@dataclass(frozen=True, slots=True)
class Node:
    """One thing in the tree; ``within`` are the names around it, outermost first."""

    name: str
    description: str
    role: str
    states: tuple[str, ...]
    actions: tuple[str, ...]
    within: tuple[str, ...]


class Reader:
    """The running app and the driver that reads it."""

    def __init__(
        self, desktop: Desktop, models: Sequence[Path], home: Path, on_disk: Sequence[Path] = ()
    ) -> None:
        self._desktop = desktop
        self.log = home / "playground" / "logs" / "playground.log"
        for model in on_disk:
            target = home / "playground" / "data" / "models" / model.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model, target)
        command = [sys.executable, "-m", "playground", "--theme", "light"]
        for model in models:
            command += ["--model", str(model)]
        environment = {
            "HF_HOME": str(home / "hf"),
            "PLAYGROUND_HOME": str(home / "playground"),
            "QT_ACCESSIBILITY": "1",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "QT_QPA_PLATFORM": "xcb",
        }
        self.app = desktop.start("app", command, environment, cwd=_ROOT)
        self._driver = desktop.start("driver", [SYSTEM_PYTHON, "-I", str(_DRIVER), str(self.app.pid)])
        self._reply()

    def nodes(self) -> list[Node]:
        """Return the whole tree from top to bottom."""
        return [_node(found) for found in self._ask("tree")]

    def named(self, beginning: str) -> Node:
        """Return the first thing whose name begins so."""
        found = self._ask("named", beginning=beginning)
        assert found, f"nothing is named {beginning!r}: {self.names()}"
        return _node(found)

    def names(self) -> list[str]:
        """Return all names in sight."""
        return [node.name for node in self.nodes() if node.name and "showing" in node.states]

    def state(self, slot: str) -> str:
        """Return what a lane's pill says."""
        return self.named(f"State {slot}:").name.partition(": ")[2]

    def press(self, name: str) -> None:
        """Press a button."""
        self._ask("press", name=name)

    def type(self, name: str, text: str) -> None:
        """Put a text into an editor."""
        self._ask("set_text", name=name, text=text)

    def select(self, name: str, beginning: str) -> None:
        """Select an item of a list."""
        self._ask("select", name=name, beginning=beginning)

    def text(self, name: str) -> str:
        """Return the whole text of an editor or a view."""
        return str(self._ask("text", name=name))

    def set_value(self, name: str, value: float) -> None:
        """Set a number."""
        assert self._ask("set_value", name=name, value=value) == value

    def press_escape(self) -> None:
        """Strike Esc on the keyboard."""
        self._ask("key", keysym=_ESCAPE)

    def close_window(self) -> int:
        """Close the window as people do, by Alt+F4 and the window manager, and return the exit status."""
        self._ask("key", keysym=_F4, held=_ALT)
        return self.app.wait(_WAIT_S)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the screen where PLAYGROUND_SCREENSHOTS names a folder."""
        if folder := os.environ.get("PLAYGROUND_SCREENSHOTS"):
            self._desktop.screenshot(Path(folder) / f"{name}.png")

    def engines(self) -> list[int]:
        """Return the process ids of the engine workers, orphans among them."""
        return [p.pid for p in self._desktop.processes() if "engine-worker" in p.cmdline()]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + _WAIT_S
        while not condition():
            assert self.app.poll() is None, f"the app ended with {self.app.returncode}: {self.errors()}"
            assert time.monotonic() < deadline, f"{what}: not in time. {self.names()} {self.errors()}"
            time.sleep(0.05)

    def errors(self) -> str:
        """Return what the app wrote to stderr."""
        return self._desktop.log("app").read_text(encoding="utf-8")

    def _ask(self, do: str, **request: Any) -> Any:  # noqa: ANN401 -- JSON
        assert self._driver.stdin is not None
        self._driver.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._driver.stdin.flush()
        return self._reply()

    def _reply(self) -> Any:  # noqa: ANN401 -- JSON
        try:
            reply = json.loads(read_line(self._driver.stdout, "the driver", _WAIT_S))
        except RuntimeError as error:
            said = self._desktop.log("driver").read_text(encoding="utf-8")
            raise AssertionError(f"{error}: {said} {self.errors()}") from None
        assert "error" not in reply, f"{reply['error']} {self.errors()}"
        return reply["value"]


def _node(found: dict[str, Any]) -> Node:
    lists = {key: tuple(found[key]) for key in ("states", "actions", "within")}
    return Node(**(found | lists))
