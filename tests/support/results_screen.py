"""A window with the Results page over scripted services, for the tests that click through it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from playground.ui import theme
from playground.ui.bridge import Bridge
from playground.ui.compare_page import ComparePage
from playground.ui.main_window import MainWindow
from playground.ui.results.page import ResultsPage
from playground.ui.results.vm import Place, ResultsVm
from tests.support import results_runs
from tests.support.scripted_results import ScriptedResults
from tests.support.waiting import come_true

WHOLE, PART = "/runs/whole.jsonl", "/runs/part.jsonl"
_W = TypeVar("_W", bound=QWidget)
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


class Screen:
    """A window with the page, and the scripted services behind it."""

    def __init__(self, services: ScriptedResults, size: tuple[int, int]) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = ResultsVm(services, self.bridge)
        self.page = ResultsPage(self.vm)
        self.window = MainWindow(ComparePage(), "light")
        self.window.show_page("results", self.page)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()

    async def ready(self) -> None:
        await come_true(
            lambda: self.vm.start.state.chosen is not None and self.vm.start.state.sandbox is not None
        )

    async def opened(self, path: str = WHOLE) -> None:
        self.vm.open_file(Path(path))
        await come_true(lambda: self.vm.place is Place.VERDICT)

    def find(self, name: str, kind: type[_W], root: QWidget | None = None) -> _W:
        shown = [w for w in (root or self.page).findChildren(kind) if w.isVisible()]
        return next(w for w in shown if w.accessibleName() == name)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifiers)

    def is_at(self, place: Place) -> bool:
        return self.vm.place is place

    def has_said(self, name: str) -> bool:
        return name in self.vm.open.state.said

    def seen(self) -> str:
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible())


Scenario = Callable[[Screen], Coroutine[Any, Any, None]]


async def drive(
    qapp: QApplication, scenario: Scenario, services: ScriptedResults | None, size: tuple[int, int]
) -> None:
    """Run a scenario on a shown window, with services, and end it in order."""
    files = {WHOLE: results_runs.whole(), PART: results_runs.part()}
    theme.apply(qapp, dark=False)
    screen = Screen(services or ScriptedResults(files), size)
    theme.apply(qapp, dark=False)
    try:
        await screen.ready()
        await scenario(screen)
    finally:
        await screen.bridge.close()
        screen.window.close_now()
        screen.window.deleteLater()
    assert not screen.bugs
