"""The settings dialog: every option has a field, what is saved is what was shown, nonsense is refused."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)
from pytestqt.qtbot import QtBot

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.models.files import ModelFile
from playground.ui import theme
from playground.ui.compare_state import LaneSetup
from playground.ui.lane_settings import LaneSettings

# What Qt's offscreen platform says of every dialog that is shown.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

_ALL_CHANGED = LaneSetup(
    LoadOptions(
        n_ctx=4096,
        gpu_layers=12,
        threads=2,
        flash_attention="off",
        kv_type="q8_0",
        mmap=False,
        mlock=True,
        devices=("CUDA0", "rpc://10.0.0.2:50052"),
        split_mode="row",
        tensor_split=(3.0, 1.0),
        main_gpu=1,
        cpu_experts="all",
        kv_offload=False,
        sequences=2,
        draft="/models/draft.gguf",
        draft_tokens=8,
        template="{{ messages }}",
    ),
    AnswerOptions(
        Sampling(
            temperature=0.123456,
            dynamic_range=0.5,
            top_k=0,
            top_p=0.9,
            min_p=0.1,
            typical_p=0.8,
            xtc_probability=0.5,
            xtc_threshold=0.2,
            dry_multiplier=0.8,
            dry_base=2.0,
            dry_allowed_length=3,
            repeat_penalty=1.1,
            frequency_penalty=-1.5,
            presence_penalty=1.5,
            penalty_tokens=128,
            mirostat=2,
            mirostat_tau=4.0,
            mirostat_eta=0.2,
            logit_bias=((" foo", -5.0), ("42", 1.5)),
            grammar='root ::= "yes"',
            json_schema='{"type": "object"}',
            seed=0xFFFFFFFE,
        ),
        max_tokens=77,
        stop=("\n\n", "# end"),
        n=2,
        thinking=False,
        preserve_thinking=True,
        reasoning_effort="high",
        reasoning_budget=0,
        context_shift=True,
    ),
    "You are brief.\nVery.",
)


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> QWidget:
    theme.load_fonts()
    qapp.setFont(theme.font(10))
    theme.apply(qapp, dark=False)
    window = QWidget()
    window.resize(1024, 640)
    qtbot.addWidget(window)
    window.show()
    return window


def _opened(
    window: QWidget, setup: LaneSetup, model: ModelFile | None = None
) -> tuple[LaneSettings, list[tuple[LaneSetup, bool]]]:
    dialog = LaneSettings("A", setup, 4, window, model)
    chosen: list[tuple[LaneSetup, bool]] = []
    dialog.chosen.connect(lambda made, both: chosen.append((made, both)))
    dialog.open()
    return dialog, chosen


def _named(dialog: LaneSettings, name: str) -> QWidget:
    return next(w for w in dialog.findChildren(QWidget) if w.accessibleName() == name)


def _line(dialog: LaneSettings, name: str) -> QLineEdit:
    found = _named(dialog, name)
    assert isinstance(found, QLineEdit)
    return found


def test_every_option_has_a_field(window: QWidget) -> None:
    known = {"system"}
    for kind in (LoadOptions, Sampling, AnswerOptions):
        known |= set(kind.__struct_fields__)
    dialog, _chosen = _opened(window, LaneSetup())
    assert set(dialog.fields) == known - {"sequences", "n", "sampling"}


@pytest.mark.parametrize("setup", [LaneSetup(), _ALL_CHANGED], ids=["defaults", "all changed"])
def test_what_is_shown_is_saved_unchanged(window: QWidget, setup: LaneSetup) -> None:
    dialog, chosen = _opened(window, setup)
    dialog.save.click()
    assert chosen == [(setup, False)]
    assert not dialog.isVisible()


def test_changes_are_saved_for_both_lanes(window: QWidget) -> None:
    dialog, chosen = _opened(window, LaneSetup())
    system = _named(dialog, "System prompt")
    assert isinstance(system, QPlainTextEdit)
    system.setPlainText("Be brief.")
    _line(dialog, "Tensor split").setText("3, 1")
    context = _named(dialog, "Context, tokens")
    assert isinstance(context, QAbstractSpinBox)
    QTest.keyClick(context, Qt.Key.Key_Up)
    dialog.both.click()
    dialog.save.click()
    (setup, both) = chosen[0]
    assert (setup.system, setup.load.tensor_split, setup.load.n_ctx) == ("Be brief.", (3.0, 1.0), 1024)
    assert both


def test_nonsense_is_said_in_a_sentence_and_the_dialog_stays(window: QWidget) -> None:
    dialog, chosen = _opened(window, LaneSetup())
    dialog.pages.setCurrentIndex(2)
    split = _line(dialog, "Tensor split")
    split.setText("a,b")
    dialog.save.click()
    assert dialog.isVisible()
    assert dialog.problem.isVisible()
    assert dialog.problem.text() == "Tensor split: “a” is not a number."
    assert dialog.pages.currentIndex() == 0
    assert dialog.focusWidget() is split
    split.setText("3, 200")
    dialog.save.click()
    assert dialog.problem.text() == "Tensor split: it must be at most 100."
    assert not chosen
    split.setText("3, 1")
    dialog.save.click()
    assert chosen[0][0].load.tensor_split == (3.0, 1.0)


def test_reset_shows_the_defaults(window: QWidget) -> None:
    dialog, chosen = _opened(window, _ALL_CHANGED)
    dialog.reset.click()
    dialog.save.click()
    setup = chosen[0][0]
    assert setup.system == ""
    assert setup.load == LoadOptions(sequences=2)
    assert setup.answer == AnswerOptions(n=2)


def test_the_dialog_fits_a_small_window_and_scrolls(window: QWidget) -> None:
    dialog, _chosen = _opened(window, _ALL_CHANGED)
    QTest.qWait(1)
    assert dialog.width() <= window.width()
    assert dialog.height() <= window.height()
    for index in range(dialog.pages.count()):
        dialog.pages.setCurrentIndex(index)
        area = dialog.pages.widget(index)
        assert isinstance(area, QScrollArea)
        page = area.widget()
        assert page is not None
        assert page.width() <= area.viewport().width()
        assert area.verticalScrollBar().maximum() > 0


def test_pages_say_when_their_settings_take_effect(window: QWidget) -> None:
    dialog, _chosen = _opened(window, LaneSetup())
    said = " ".join(found.text() for found in dialog.findChildren(QLabel))
    assert "next load" in said
    assert "next prompt" in said
    assert "top-k, DRY, penalties" in said


def test_every_field_has_a_name_for_those_who_hear_it(window: QWidget) -> None:
    dialog, _chosen = _opened(window, _ALL_CHANGED)
    kinds = (QComboBox, QAbstractSpinBox, QPlainTextEdit)
    fields = [box for kind in kinds for box in dialog.findChildren(kind)]
    fields += [e for e in dialog.findChildren(QLineEdit) if not isinstance(e.parent(), QAbstractSpinBox)]
    assert len(fields) > 30
    assert [box for box in fields if not box.accessibleName()] == []
    face = QAccessible.queryAccessibleInterface(_named(dialog, "Tensor split"))
    assert face is not None
    assert face.role() == QAccessible.Role.EditableText


def _of_family(arch: str, *, base: bool = False) -> ModelFile:
    return ModelFile("m", "/m.gguf", "Qwen3.6-27B", 1, arch, "Q4_K_M", 1, 8192, is_base=base)


@pytest.mark.parametrize(("thinking", "temperature", "penalty"), [(None, 0.6, 0.0), (False, 0.7, 1.5)])
def test_recommended_values_are_filled_in(
    window: QWidget, thinking: bool | None, temperature: float, penalty: float
) -> None:
    setup = LaneSetup(answer=AnswerOptions(thinking=thinking, sampling=Sampling(seed=9, dry_multiplier=0.5)))
    dialog, chosen = _opened(window, setup, _of_family("qwen35"))
    button = dialog.recommended
    assert button is not None
    assert button.text() == "Recommended for Qwen3.5 and Qwen3.6"
    assert "https://huggingface.co/Qwen/Qwen3.6-27B" in button.toolTip()
    dialog.pages.setCurrentIndex(1)
    assert button.isVisible()
    button.click()
    assert not chosen, "only Save saves"
    dialog.save.click()
    sampling = chosen[0][0].answer.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (
        temperature,
        *((0.8, 20) if thinking is False else (0.95, 20)),
    )
    assert (sampling.presence_penalty, sampling.seed, sampling.dry_multiplier) == (penalty, 9, 0.5)


@pytest.mark.parametrize("model", [None, _of_family("llama"), _of_family("qwen35", base=True)])
def test_nothing_is_recommended_where_nothing_is_known(window: QWidget, model: ModelFile | None) -> None:
    assert _opened(window, LaneSetup(), model)[0].recommended is None
