"""Reads and works a window through AT-SPI, as a screen reader does. Knows names and roles, nothing of the app.

Runs under the system's Python, where pyatspi lives: ``python3 drive.py PID``. It takes one JSON object a line
(``{"do": "press", "name": "Run both"}``) and answers each with ``{"value": ...}`` or ``{"error": "..."}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pyatspi
from gi.repository import GLib

_STATES = ("SHOWING", "ENABLED", "FOCUSABLE", "ACTIVE", "EDITABLE")
_APPEARS_S = 25.0
_NO_CACHE = 0
_READINGS = 5
Node = Any
T = TypeVar("T")


class Window:
    """The accessible tree of one process."""

    def __init__(self, pid: int) -> None:
        self._root = _application(pid)
        self._root.set_cache_mask(_NO_CACHE)

    def tree(self) -> list[dict[str, Any]]:
        """Return all nodes from top to bottom; ``within`` are the names around one, outermost first."""
        return _read(lambda: [_described(node, within) for node, within in _walk(self._root, ())])

    def named(self, beginning: str) -> dict[str, Any] | None:
        """Return the first node whose name begins so, None without one."""
        return _read(lambda: self._named(beginning))

    def press(self, name: str) -> None:
        """Press what has this name, when it is enabled."""
        node, index = _read(lambda: self._find(name, lambda found: _actions(found).index("Press")))
        if not node.queryAction().doAction(index):
            raise LookupError(f"{name!r} was not pressed")

    def set_text(self, name: str, text: str) -> None:
        """Put a text in place of what an editor holds."""
        _node, editor = _read(lambda: self._find(name, lambda found: found.queryEditableText()))
        if not editor.setTextContents(text):
            raise LookupError(f"{name!r} took no text")

    def set_value(self, name: str, value: float) -> float:
        """Set a number and return what has become of it."""
        _node, field = _read(lambda: self._find(name, lambda found: found.queryValue()))
        field.currentValue = value
        return float(field.currentValue)

    def select(self, name: str, beginning: str) -> None:
        """Select the item of a list whose name begins so."""
        items, chosen = _read(lambda: self._find(name, lambda found: found.querySelection()))
        index = next((i for i, item in enumerate(items) if item.name.startswith(beginning)), -1)
        if index < 0 or not chosen.selectChild(index):
            raise LookupError(f"{beginning!r} was not selected in {[item.name for item in items]}")

    def text(self, name: str) -> str:
        """Return the whole text of what has this name."""
        return str(_read(lambda: self._find(name, lambda found: found.queryText().getText(0, -1)))[1])

    def key(self, keysym: int, held: int | None = None) -> None:
        """Strike a key of the real keyboard while another, given by its key code, is held."""
        strike = pyatspi.Registry.generateKeyboardEvent
        if held is not None:
            strike(held, None, pyatspi.KEY_PRESS)
        strike(keysym, None, pyatspi.KEY_SYM)
        if held is not None:
            strike(held, None, pyatspi.KEY_RELEASE)

    def _named(self, beginning: str) -> dict[str, Any] | None:
        for node, within in _walk(self._root, ()):
            if node.name.startswith(beginning):
                return _described(node, within)
        return None

    def _find(self, name: str, wanted: Callable[[Node], Any]) -> tuple[Node, Any]:
        for node, _within in _walk(self._root, ()):
            if node.name == name:
                try:
                    return node, wanted(node)
                except (NotImplementedError, ValueError):
                    continue  # a label that is named like its field
        raise LookupError(f"nothing named {name!r} can do this now")


def _read(reading: Callable[[], T]) -> T:
    """Return what was read; a tree that changed meanwhile, as when a button is disabled, is read again."""
    for _ in range(_READINGS - 1):
        try:
            return reading()
        except GLib.Error:
            time.sleep(0.05)
    return reading()


def _application(pid: int) -> Node:
    deadline = time.monotonic() + _APPEARS_S
    while time.monotonic() < deadline:
        for app in pyatspi.Registry.getDesktop(0):
            if app is not None and app.get_process_id() == pid and app.childCount:
                return app
        time.sleep(0.05)
    raise LookupError(f"process {pid} showed no window")


def _walk(node: Node, within: tuple[str, ...]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    yield node, within
    inner = (*within, node.name) if node.name else within
    for child in node:
        if child is not None:  # it went away meanwhile
            yield from _walk(child, inner)


def _described(node: Node, within: tuple[str, ...]) -> dict[str, Any]:
    states = node.getState()
    return {
        "name": node.name,
        "description": node.description,
        "role": node.getRoleName().removeprefix("push "),  # "button" since at-spi2-core 2.54
        "states": [name.lower() for name in _STATES if states.contains(getattr(pyatspi, f"STATE_{name}"))],
        "actions": _actions(node),
        "within": within,
    }


def _actions(node: Node) -> list[str]:
    try:
        actions = node.queryAction()
    except NotImplementedError:
        return []
    return [actions.getName(index) for index in range(actions.nActions)]


def main() -> None:
    window = Window(int(sys.argv[1]))
    print(json.dumps({"value": "ready"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            value = getattr(window, request.pop("do"))(**request)
            reply = {"value": value}
        except Exception as error:  # noqa: BLE001 -- the test decides what an error means
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
