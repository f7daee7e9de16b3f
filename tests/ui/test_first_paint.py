"""The first paint: the real way to it imports only what it shows, and what comes after it changes nothing in sight."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from playground import app as application
from playground.ui import theme
from playground.ui.by_name import set_by_name
from playground.ui.main_window import MainWindow

_TO_THE_FIRST_PAINT = """
import json, sys
from playground import __main__, cli, preflight
options = cli.window_options([])
assert options is not None and not preflight.window_problems()
from playground import app
qt = app.make_application()
window = app.open_window(qt, "system")
assert window.is_painted
print(json.dumps(sorted(sys.modules)))
"""
_NOT_SHOWN = {
    *(
        "asyncio",
        "qasync",
        "msgspec",
        "psutil",
        "platformdirs",
        "tomllib",
        "dataclasses",
        "importlib.metadata",
    ),
    *(
        "llama_cpp",
        "numpy",
        "huggingface_hub",
        "httpx2",
        "markdown_it",
        "pygments",
        "jinja2",
        "logging.handlers",
    ),
    *(
        "playground.cli.parser",
        "playground.compare.run",
        "playground.engines.pool",
        "playground.ui.compare_vm",
    ),
    *("playground.ui.lane_settings", "playground.ui.transcript.document", "playground.config"),
}
Scenario = Callable[[MainWindow], Coroutine[Any, Any, None]]


@pytest.fixture
def with_window(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[[Scenario], None]]:
    """Run a coroutine with a window that has been painted and has nothing behind it yet."""
    from playground.ui.loop import Loop

    qapp.setQuitOnLastWindowClosed(False)
    theme.load_fonts()
    window = application.open_window(qapp, "light")
    loop = Loop(qapp)
    asyncio.set_event_loop(loop)
    yield lambda scenario: loop.run_until_complete(asyncio.wait_for(scenario(window), 60))
    window.deleteLater()
    loop.close()
    asyncio.set_event_loop(None)
    assert qtbot


def _seen(window: MainWindow) -> list[tuple[str, ...]]:
    """Return what can be read of each widget in sight: kind, name, text, whether it can be used."""
    return [
        (
            type(widget).__name__,
            widget.accessibleName(),
            widget.text() if isinstance(widget, QLabel | QAbstractButton) else "",
            str(widget.isEnabled()),
        )
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
    ]


def test_the_first_paint_imports_only_what_it_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TO_THE_FIRST_PAINT], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(json.loads(done.stdout))
    assert "playground.ui.main_window" in loaded
    assert not loaded & _NOT_SHOWN


def test_what_comes_after_the_first_paint_changes_nothing_in_sight(
    with_window: Callable[[Scenario], None], qapp: QApplication
) -> None:
    async def scenario(window: MainWindow) -> None:
        window.page.prompt.editor.clearFocus()  # a caret blinks
        image, seen = window.grab().toImage(), _seen(window)
        assert any("Choose a model" in widget for widget in seen)
        running = application.App(qapp, window)
        await asyncio.sleep(0.05)
        assert _seen(window) == seen
        assert window.grab().toImage() == image
        running.end()
        await running.wait()

    with_window(scenario)


def test_a_window_that_is_closed_at_once_ends_the_app(
    with_window: Callable[[Scenario], None], qapp: QApplication
) -> None:
    async def scenario(window: MainWindow) -> None:
        assert not window.close()
        await application.serve(qapp, window, [], None)
        assert not window.isVisible()

    with_window(scenario)


def test_the_theme_button_says_what_was_chosen_when_the_colours_stay(
    with_window: Callable[[Scenario], None], qapp: QApplication
) -> None:
    async def scenario(window: MainWindow) -> None:
        running = application.App(qapp, window)
        button = next(b for b in window.findChildren(QAbstractButton) if b.accessibleName() == "Theme")
        words = []
        for _ in range(3):
            button.click()
            words.append(button.text())
        assert words == ["Dark", "System", "Light"]
        assert not theme.is_dark()
        running.end()
        await running.wait()

    with_window(scenario)


@pytest.mark.parametrize(("name", "value"), [("focusPolicy", "NoSuchPolicy"), ("noSuchProperty", "NoFocus")])
def test_a_name_that_qt_does_not_know_is_an_error(qtbot: QtBot, name: str, value: str) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    with pytest.raises(ValueError, match=value):
        set_by_name(button, **{name: value})
