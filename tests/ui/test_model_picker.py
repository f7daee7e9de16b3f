"""The model picker: filter, keys, pointer, and what assistive technology sees and does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from playground.models.files import ModelFile
from playground.ui import theme
from playground.ui.model_list import ModelFilter, ModelList
from playground.ui.model_picker import ModelPicker
from tests.support.scripted import model

_THREE = (model("Gemma 3 270M", base=True), model("Qwen3 Coder", "Q8_0"), model("Qwen3 Coder", "IQ2_XS"))


class _Opened:
    """A picker over a window, with what it has said."""

    def __init__(self, qtbot: QtBot, models: tuple[ModelFile, ...], current: ModelFile | None) -> None:
        self.window = QWidget()
        self.window.resize(1024, 640)
        qtbot.addWidget(self.window)
        self.anchor = QPushButton("Model", self.window)
        self.anchor.move(600, 40)
        self.models = ModelList()
        self.models.set_models(models)
        self.window.show()
        self.picker = ModelPicker("A", self.models, ("Q2_K", "Q8_0"), self.window)
        self.said: list[str] = []
        self.picker.model_chosen.connect(self.said.append)
        self.picker.file_wanted.connect(lambda: self.said.append("file"))
        self.picker.copy_wanted.connect(lambda quant: self.said.append(f"copy {quant}"))
        self.picker.open_below(self.anchor, current)

    def key(self, key: Qt.Key) -> None:
        focused = self.window.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, key)

    def type(self, text: str) -> None:
        focused = self.window.focusWidget()
        assert focused is not None
        QTest.keyClicks(focused, text)

    def rows(self) -> list[str]:
        shown = self.picker.list.model()
        return [shown.index(row, 0).data() for row in range(shown.rowCount())]


@pytest.fixture
def opened(qtbot: QtBot) -> _Opened:
    theme.load_fonts()
    return _Opened(qtbot, _THREE, _THREE[1])


def test_the_filter_takes_words_in_any_order(opened: _Opened) -> None:
    opened.type("q8 CODER")
    assert opened.rows() == ["Qwen3 Coder, Q8_0, 1.5 GB, chat"]
    opened.picker.filter.setText("base")
    assert opened.rows() == ["Gemma 3 270M, Q4_K_M, 1.5 GB, base"]
    opened.picker.filter.clear()
    assert len(opened.rows()) == 3


def test_keys_choose(opened: _Opened) -> None:
    opened.key(Qt.Key.Key_Down)
    opened.key(Qt.Key.Key_Down)
    opened.key(Qt.Key.Key_Return)
    assert opened.said == [_THREE[2].ref]
    assert not opened.picker.isVisible()


def test_the_lanes_own_model_is_selected_first(opened: _Opened) -> None:
    opened.key(Qt.Key.Key_Up)
    opened.key(Qt.Key.Key_Enter)
    assert opened.said == [_THREE[0].ref]


def test_enter_on_nothing_chooses_nothing_and_escape_leaves(opened: _Opened) -> None:
    closed: list[bool] = []
    opened.picker.closed.connect(closed.append)
    opened.type("zzz")
    opened.key(Qt.Key.Key_Return)
    assert opened.picker.isVisible()
    assert not opened.picker.use.isEnabled()
    opened.key(Qt.Key.Key_Escape)
    assert not opened.picker.isVisible()
    assert opened.said == []
    assert closed == [True]


def test_a_click_chooses_and_a_press_beside_it_leaves(opened: _Opened) -> None:
    where = opened.picker.list.visualRect(opened.picker.list.model().index(2, 0)).center()
    QTest.mouseClick(opened.picker.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert opened.said == [_THREE[2].ref]
    opened.picker.open_below(opened.anchor, None)
    QTest.mousePress(opened.picker, Qt.MouseButton.LeftButton, pos=QPoint(5, 600))
    assert not opened.picker.isVisible()


def test_the_other_ways_to_a_model(opened: _Opened) -> None:
    opened.picker.open_file.click()
    assert opened.said == ["file"]
    opened.picker.open_below(opened.anchor, _THREE[0])
    opened.picker.copies.actions()[1].trigger()
    assert opened.said == ["file", "copy Q8_0"]
    opened.picker.open_below(opened.anchor, None)
    assert not opened.picker.copy.isEnabled()


def test_tab_stays_inside_while_it_is_open(opened: _Opened) -> None:
    seen = []
    for _ in range(5):
        seen.append(opened.window.focusWidget())
        opened.key(Qt.Key.Key_Tab)
    assert opened.window.focusWidget() is opened.picker.filter
    assert len(set(map(id, seen))) == 5


@pytest.mark.parametrize("count", [0, 1, 500])
def test_any_number_of_models_fits_the_window(qtbot: QtBot, count: int) -> None:
    theme.load_fonts()
    long = "Qwen3-Coder-Next-Instruct-Distilled-With-A-Name-That-No-Row-Can-Hold-In-Full-" * 2
    opened = _Opened(qtbot, tuple(model(f"{long}{n}", "UD-Q4_K_XL") for n in range(count)), None)
    picker = opened.picker
    assert opened.window.rect().contains(picker.panel.geometry())
    assert picker.list.isVisible() == (count > 0)
    assert picker.list.horizontalScrollBar().maximum() == 0
    assert not picker.grab().isNull()
    opened.key(Qt.Key.Key_PageDown)
    opened.key(Qt.Key.Key_Return)
    assert len(opened.said) == min(count, 1)


def test_names_that_are_too_long_are_shortened_in_the_middle(qtbot: QtBot) -> None:
    theme.load_fonts()
    short, long = model("x"), model("x" * 300)
    pictures = []
    for one in (short, long):
        opened = _Opened(qtbot, (one,), None)
        QTest.qWait(1)
        view = opened.picker.list
        row = view.visualRect(view.model().index(0, 0))
        image = view.viewport().grab(row).toImage()
        pictures.append(image.copy(image.width() - 170, 0, 170, image.height()))
    assert pictures[0] == pictures[1]  # quantization, size and kind stay where they are


def test_assistive_technology_reads_and_selects_rows(opened: _Opened) -> None:
    picker = opened.picker
    listed = QAccessible.queryAccessibleInterface(picker.list)
    assert listed is not None
    assert listed.role() == QAccessible.Role.List
    assert listed.text(QAccessible.Text.Name) == "Models A"
    rows = [listed.child(row) for row in range(listed.childCount())]
    assert [row.text(QAccessible.Text.Name) for row in rows if row] == opened.rows()
    assert all(row.state().selectable for row in rows if row)
    field = QAccessible.queryAccessibleInterface(picker.filter)
    assert field is not None
    assert field.role() == QAccessible.Role.EditableText
    assert field.text(QAccessible.Text.Name) == "Filter models A"
    assert field.text(QAccessible.Text.Description) == "3 models"
    selection = listed.selectionInterface()
    assert selection.select(rows[2])
    picker.use.click()
    assert opened.said == [_THREE[2].ref]


def test_the_list_changes_while_it_is_open(opened: _Opened) -> None:
    opened.models.set_models(_THREE[:1])
    assert len(opened.rows()) == 1
    opened.key(Qt.Key.Key_Return)
    assert opened.said == [_THREE[0].ref]


def test_a_filter_looks_at_references_too() -> None:
    models = ModelList()
    models.set_models(_THREE)
    owner = QObject()
    shown = ModelFilter(models, owner)
    shown.set_text("/models/gemma")
    assert shown.rowCount() == 1
