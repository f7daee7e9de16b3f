"""*On disk*: filters, marks, what may be deleted and how, what is missing, folders, and every state of looking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton

from playground.errors import ModelError, UsageError
from playground.models.disk.inventory_values import Disk, DiskState, Place
from playground.ui.bridge import Bridge
from playground.ui.library import disk_words as words
from playground.ui.library.disk_page import DiskPage
from playground.ui.library.disk_table import CHECK, NAME, PILL_ROLE, SIZE
from playground.ui.library.disk_vm import DiskVm
from playground.ui.library.disk_words import DiskView
from tests.support import library_models as made
from tests.support.scripted_library import ScriptedLibrary
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


class _Tab:
    def __init__(self, services: ScriptedLibrary) -> None:
        self.services = services
        self.bugs: list[BaseException] = []
        self.bridge = Bridge(self.bugs.append)
        self.vm = DiskVm(services, self.bridge)
        self.said: list[tuple[str, ...]] = []
        self.vm.use_wanted.connect(lambda slot, ref: self.said.append((slot, ref)))
        self.vm.downloads_wanted.connect(lambda: self.said.append(("downloads",)))
        self.page = DiskPage(self.vm)
        self.page.resize(1000, 600)
        self.page.show()
        self.page.activateWindow()

    async def found(self) -> None:
        self.vm.refresh()
        await come_true(lambda: not self.vm.state.is_looking)

    def names(self) -> list[str]:
        return [self.vm.rows.index(row, NAME).data() for row in range(self.vm.rows.rowCount())]

    def row(self, name: str) -> int:
        return self.names().index(name)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.page.focusWidget(), key, modifiers)

    def dialog(self) -> QDialog:
        return next(one for one in self.page.findChildren(QDialog) if one.isVisible())


Scenario = Callable[[_Tab], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(run: Runner) -> Play:
    """Run a scenario on a shown tab over scripted services."""

    async def drive(scenario: Scenario, services: ScriptedLibrary) -> None:
        tab = _Tab(services)
        try:
            await come_true(tab.page.isActiveWindow)
            await scenario(tab)
        finally:
            await tab.bridge.close()
            tab.page.deleteLater()
            tab.vm.deleteLater()
            await asyncio.sleep(0.01)  # Qt deletes when its loop comes round
        assert not tab.bugs

    return lambda scenario, services=None: run(drive(scenario, services or ScriptedLibrary()), 20)


def test_models_with_a_problem_come_first_and_places_are_counted(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        assert tab.names()[:4] == ["Qwen3-Coder-Next", "gemma-4-26B-A4B-it", "gemma-4-12b-it", "Qwen3.5-9B"]
        assert [text for _, text in words.chips(tab.vm.state)] == [
            "All  14", "Hub cache  5", "LM Studio  4", "Ollama  2", "Folder  3", "With a problem  4",
        ]  # fmt: skip
        assert tab.vm.rows.index(3, NAME).data(PILL_ROLE) == ("Same as in Hub cache", "plain")
        assert tab.page._total.text() == "181 GB in 14 models  ·  312 GB free"
        disk = tab.vm.state.disk
        assert disk is not None
        assert words.legend(disk)[0] == ("accent", "Hub cache", "46 GB")
        assert sum(share for share, _ in words.shares(disk)) == pytest.approx((600 - 312) / 600)

    play(scenario)


def test_places_and_words_filter(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.chips.setCurrentIndex(3)
        assert sorted(tab.names()) == ["gpt-oss:20b", "qwen2.5-coder:7b"]
        tab.page.field.setText("MXFP4 gpt")
        assert tab.names() == ["gpt-oss:20b"]
        tab.page.field.setText("zebra")
        assert tab.page._plate.accessibleName() == "No model fits this filter"
        tab.page.field.clear()
        tab.page.chips.setCurrentIndex(5)
        assert len(tab.names()) == 4
        await tab.found()
        assert tab.page.chips.tabText(tab.page.chips.currentIndex()) == "With a problem  4"

    play(scenario)


def test_only_what_may_be_deleted_can_be_marked(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        table, row = tab.page.table, tab.row("Qwen3-Coder-Next")
        place = table.visualRect(tab.vm.rows.index(row, CHECK)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert tab.vm.rows.index(row, CHECK).data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        locked = tab.row("gpt-oss:20b")
        assert tab.vm.rows.index(locked, CHECK).data(Qt.ItemDataRole.CheckStateRole) is None
        tab.vm.check("/ollama/gpt-oss:20b-MXFP4.gguf", on=True)
        assert [model.name for model in tab.vm.state.chosen()] == ["Qwen3-Coder-Next"]
        assert "Delete it in Ollama." in tab.vm.rows.index(locked, NAME).data(Qt.ItemDataRole.ToolTipRole)
        assert words.foot(tab.vm.state).selected == "1 selected, 17.2 GB"
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert tab.vm.state.chosen() == ()

    play(scenario)


def test_deleting_names_every_file_asks_once_and_looks_again(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        paths = ["/hub/Qwen3-Coder-Next-UD-Q3_K_XL.gguf", "/folder/gemma-4-12b-it-Q4_0.gguf"]
        for path in paths:
            tab.vm.check(path, on=True)
        assert tab.page.remove.text() == "Delete 23.4 GB…"
        tab.page.remove.click()
        dialog = tab.dialog()
        assert dialog.windowTitle() == "Delete 2 models, 23.4 GB?"
        assert all(path in dialog.findChildren(QPlainTextEdit)[0].toPlainText() for path in paths)
        dialog.reject()
        assert tab.services.asked("remove") == []
        tab.page.remove.click()
        next(b for b in tab.dialog().findChildren(QPushButton) if b.text() == "Delete 23.4 GB").click()
        await come_true(lambda: len(tab.vm.state.models) == 12 and not tab.vm.state.is_looking)
        assert set(tab.services.asked("remove")[0][0]) == set(paths)  # type: ignore[call-overload]
        assert tab.page._hint.text() == "Deleted: 23.4 GB are free again."
        assert not tab.vm.state.checked

    play(scenario)


def test_deleting_that_fails_says_why_and_keeps_the_marks(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.services.failures["remove"] = ModelError("The file is in use.")
        tab.vm.check("/hub/Qwen3.5-4B-Q4_K_M.gguf", on=True)
        tab.vm.remove(tab.vm.state.chosen())
        await come_true(
            lambda: tab.page._problem.text == "The file is in use." and not tab.vm.state.is_looking
        )
        assert tab.page.remove.text() == "Delete 2.6 GB…"
        assert tab.page.remove.isEnabled()

    play(scenario)


def test_keys_mark_use_and_delete(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.focus_first()
        assert tab.page.table.hasFocus()
        assert (tab.page.remove.text(), tab.page.remove.isEnabled()) == ("Delete 17.2 GB…", True)
        assert [made_.isEnabled() for made_ in tab.page.use] == [False, False]
        tab.key(Qt.Key.Key_Space)
        assert [model.name for model in tab.vm.state.chosen()] == ["Qwen3-Coder-Next"]
        tab.key(Qt.Key.Key_Space)
        assert tab.vm.state.chosen() == ()
        tab.page.table.selectRow(tab.row("Qwen3.6-27B"))
        tab.key(Qt.Key.Key_Return)
        tab.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        assert tab.said == [("A", "/hub/Qwen3.6-27B-Q4_K_M.gguf"), ("B", "/hub/Qwen3.6-27B-Q4_K_M.gguf")]
        tab.key(Qt.Key.Key_Delete)
        assert tab.dialog().windowTitle() == "Delete 1 model, 15.7 GB?"
        tab.dialog().reject()
        assert tab.vm.state.chosen() == ()
        tab.page.table.selectRow(tab.row("gpt-oss:20b"))
        assert (tab.page.remove.text(), tab.page.remove.isEnabled()) == ("Delete…", False)
        tab.key(Qt.Key.Key_Delete)
        assert not [one for one in tab.page.findChildren(QDialog) if one.isVisible()]

    play(scenario)


def test_missing_parts_are_fetched(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        tab.page.table.selectRow(tab.row("gemma-4-12b-it"))
        assert not tab.page.fetch.isVisible()
        tab.page.table.selectRow(tab.row("Qwen3-Coder-Next"))
        assert tab.page._hint.text() == "Part 2 of 2 is missing."
        tab.page.fetch.click()
        await come_true(lambda: tab.said == [("downloads",)])
        assert tab.services.asked("download") == [
            ("unsloth/Qwen3-Coder-Next-GGUF", "UD-Q3_K_XL", "missing parts")
        ]

    play(scenario)


def test_headings_sort_and_a_third_click_takes_it_back(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        first = tab.names()
        for wanted in ("Qwen3.5-0.8B", "Qwen3.8-Flash-Next", first[0]):
            tab.page.table.horizontalHeader().sectionClicked.emit(SIZE)
            assert tab.names()[0] == wanted

    play(scenario)


def test_folders_can_be_added_and_left_again(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        assert not tab.page.folders.isVisible()
        tab.services.failures["add_folder"] = UsageError("/x cannot be read.")
        tab.vm.add_folder("/x")
        assert tab.page._problem.text == "/x cannot be read."
        del tab.services.failures["add_folder"]
        tab.vm.add_folder("/data/models")
        await come_true(lambda: not tab.vm.state.is_looking)
        assert tab.page._problem.text == ""
        assert tab.vm.state.added_folders == ("/data/models",)
        tab.vm.remove_folder("/data/models")
        assert not tab.services.folders
        await come_true(lambda: not tab.vm.state.added_folders)

    play(scenario)


def test_looking_failing_and_finding_nothing_have_their_own_faces(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        tab.services.holds["disk"] = asyncio.Event()
        tab.vm.refresh()
        await come_true(lambda: tab.page._total.text() == "Looking in the Hub cache…")
        assert tab.page._stack.currentIndex() == 1
        del tab.services.holds["disk"]
        tab.services.failures["disk"] = ModelError("The cache cannot be read.")
        await tab.found()
        assert tab.page._plate.accessibleDescription() == "The cache cannot be read."
        del tab.services.failures["disk"]
        tab.services.its_disk = Disk(
            (), made.bytes_of(600), made.bytes_of(312), notes=("No right to read /mnt.",)
        )
        tab.page._plate.retry.click()
        await come_true(lambda: tab.vm.state.disk is not None and not tab.vm.state.is_looking)
        assert tab.page._plate.accessibleName() == "No models on this disk yet"
        assert tab.page._notes.text == "No right to read /mnt."
        assert tab.page._total.text() == "No models  ·  312 GB free"

    play(scenario)


def test_assistive_technology_reads_rows(play: Play) -> None:
    async def scenario(tab: _Tab) -> None:
        await tab.found()
        assert tab.page.table.accessibleName() == "Models on disk"
        table = QAccessible.queryAccessibleInterface(tab.page.table)
        assert table is not None
        texts = [child.text(QAccessible.Text.Name) for n in range(30) if (child := table.child(n))]
        assert "Qwen3-Coder-Next, UD-Q3_K_XL, 17.2 GB, Hub cache, Part missing" in texts

    play(scenario)


@pytest.mark.parametrize("state", list(DiskState))
@pytest.mark.parametrize("place", list(Place))
def test_every_state_and_place_has_words(state: DiskState, place: Place) -> None:
    model = made.disk_model(
        "Odd", place=place, state=state, fraction=0.5 if state is DiskState.PARTIAL else None
    )
    assert words.state_pill(model)[0]
    assert words.spoken(model).startswith("Odd, Q4_K_M, 1.0 GB, ")
    assert words.can_use(model) == (state in (DiskState.READY, DiskState.DUPLICATE))
    assert words.can_fetch(model) <= model.can_delete
    assert words.is_shown(model, place.value, "odd q4") == words.is_shown(model, words.ALL, "")
    assert words.foot(DiskView(Disk((model,), 1, 1), current=model.path)).selected == "Odd Q4_K_M"


def test_a_model_that_was_loaded_tells_what_it_took() -> None:
    model = made.disk_model("Qwen3.6-27B")
    assert words.measured(model) == ""
    loaded = msgspec.structs.replace(
        model, measured_bytes=19_200_000_000, estimated_bytes=19_600_000_000, measured_n_ctx=8192
    )
    assert words.measured(loaded) == "Measured 19.2 GB with a context of 8k, estimated 19.6 GB"
    assert words.measured(loaded) in words.tip(loaded)
