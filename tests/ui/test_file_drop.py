"""Files dropped onto the window: models are handed over with the place, anything else is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from playground.ui.file_drop import accept_models, dropped_models, slot_at

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

_LEFT = Qt.MouseButton.LeftButton
_NONE = Qt.KeyboardModifier.NoModifier
_COPY = Qt.DropAction.CopyAction


class _Scene:
    """A window of two cards, the second with a text field, and what was told of drops."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        root = QWidget()
        row = QHBoxLayout(root)
        self.a, self.editor = QWidget(), QPlainTextEdit()
        row.addWidget(self.a, 1)
        row.addWidget(self.editor, 1)
        self.window.setCentralWidget(root)
        self.window.resize(800, 400)
        self.dropped: list[tuple[list[Path], QPoint]] = []
        self.refused: list[str] = []
        accept_models(self.window, lambda paths, at: self.dropped.append((paths, at)), self.refused.append)
        self.window.show()
        qtbot.waitExposed(self.window)

    def drop(self, target: QWidget, mime: QMimeData, at: QPoint) -> bool:
        """Drag over a widget and let go; return whether the drag was taken."""
        enter = QDragEnterEvent(at, _COPY, mime, _LEFT, _NONE)
        QApplication.sendEvent(target, enter)
        if not enter.isAccepted():
            return False
        move = QDragMoveEvent(at, _COPY, mime, _LEFT, _NONE)
        QApplication.sendEvent(target, move)
        drop = QDropEvent(QPointF(at), _COPY, mime, _LEFT, _NONE)
        QApplication.sendEvent(target, drop)
        return move.isAccepted() and drop.isAccepted()


@pytest.fixture
def scene(qtbot: QtBot) -> _Scene:
    return _Scene(qtbot)


def _files(*names: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(f"/models/{name}") for name in names])
    return mime


def test_a_model_dropped_onto_the_window_is_handed_over_with_its_place(scene: _Scene) -> None:
    assert scene.drop(scene.window, _files("Qwen3 ü-Q4_K_M.GGUF"), QPoint(30, 40))
    assert scene.dropped == [([Path("/models/Qwen3 ü-Q4_K_M.GGUF")], QPoint(30, 40))]
    assert not scene.refused


def test_a_drop_onto_a_text_field_is_no_text(scene: _Scene) -> None:
    viewport = scene.editor.viewport()
    assert scene.drop(viewport, _files("a.gguf"), QPoint(10, 10))
    [(paths, at)] = scene.dropped
    assert paths == [Path("/models/a.gguf")]
    assert at == viewport.mapTo(scene.window, QPoint(10, 10))
    assert slot_at(scene.window, {"A": scene.a, "B": scene.editor}, at) == "B"
    assert scene.editor.toPlainText() == ""


def test_each_half_of_the_window_is_the_lane_above_it(scene: _Scene) -> None:
    cards = {"A": scene.a, "B": scene.editor}
    found = {x: slot_at(scene.window, cards, QPoint(x, 390)) for x in (0, 20, 380, 420, 799)}
    assert found == {0: "A", 20: "A", 380: "A", 420: "B", 799: "B"}


def test_text_is_still_dropped_into_the_text_field(scene: _Scene) -> None:
    mime = QMimeData()
    mime.setText("some words")
    scene.drop(scene.editor.viewport(), mime, QPoint(10, 10))
    assert "some words" in scene.editor.toPlainText()
    assert not scene.dropped


def test_an_address_on_the_web_is_no_file(scene: _Scene) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/a.gguf")])
    assert not scene.drop(scene.window, mime, QPoint(10, 10))
    assert not scene.dropped


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (("notes.txt",), "notes.txt is not a GGUF model"),
        (("mmproj-model-f16.gguf",), "is none itself"),
        (("model.gguf.part",), "not ended"),
        (("a.txt", "b.png"), "None of these"),
    ],
)
def test_other_files_are_refused_in_a_sentence(scene: _Scene, names: tuple[str, ...], word: str) -> None:
    assert scene.drop(scene.window, _files(*names), QPoint(1, 1))
    assert not scene.dropped
    [sentence] = scene.refused
    assert word in sentence
    assert sentence.endswith(".")


def test_the_status_bar_says_why_when_nobody_else_does(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    accept_models(window, lambda _paths, _at: None)
    mime = _files("x.zip")
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(1, 1), _COPY, mime, _LEFT, _NONE))
    QApplication.sendEvent(window, QDropEvent(QPointF(1, 1), _COPY, mime, _LEFT, _NONE))
    assert "x.zip" in window.statusBar().currentMessage()


def test_parts_of_a_split_model_are_one_model_by_its_first_part() -> None:
    parts = [Path(f"/m/x-{number:05d}-of-00003.gguf") for number in (2, 3)]
    assert dropped_models([*parts, Path("/m/y.gguf")]) == (
        [Path("/m/x-00001-of-00003.gguf"), Path("/m/y.gguf")],
        "",
    )
