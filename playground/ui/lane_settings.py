"""The settings of a lane as a dialog: how its model is loaded, how tokens are drawn, how it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.errors import UsageError
from playground.models.catalog.recommended import Family, recommendation
from playground.models.files import ModelFile
from playground.ui import settings_text as text
from playground.ui.compare_state import LaneSetup
from playground.ui.meters import label
from playground.ui.settings_fields import Field, WheelGuard, beside, beside_nothing, stacked
from playground.ui.settings_pages import Row, answer_rows, model_rows, sampling_rows

_SIZE, _EDGE = QSize(640, 700), 48
_AT_LOAD = "All but the threads take effect at the next load: the next prompt loads the model again when they differ."
_AT_PROMPT = "Takes effect with the next prompt; nothing is loaded again."


_Options = TypeVar("_Options", LoadOptions, Sampling, AnswerOptions)


class LaneSettings(QDialog):
    """Opened, never executed. ``chosen`` carries a LaneSetup, and whether it is for both lanes."""

    chosen = Signal(object, bool)

    def __init__(
        self,
        slot: str,
        setup: LaneSetup,
        cores: int,
        window: QWidget,
        model: ModelFile | None = None,
        devices: str = "",
    ) -> None:
        super().__init__(window)
        self.setWindowTitle(f"Settings of lane {slot}")
        self._setup = setup
        self._rows: dict[str, Row] = {}
        self._forms: dict[str, QFormLayout] = {}
        self.fields: dict[str, Field] = {}
        self._guard = WheelGuard(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(10)
        self.pages = QTabWidget()
        self.pages.setAccessibleName("Settings pages")
        self._add_page("Model", _AT_LOAD, model_rows(cores, devices))
        self._add_page("Sampling", f"The order is fixed: {text.sampling_order()}", sampling_rows())
        self._add_recommendation(model)
        self._add_page("Answer", _AT_PROMPT, answer_rows())
        column.addWidget(self.pages, 1)
        self.problem = label("", "problem")
        self.problem.setWordWrap(True)
        self.problem.hide()
        column.addWidget(self.problem)
        self.both = QCheckBox("Use these settings for both lanes")
        column.addWidget(self.both)
        column.addLayout(self._make_buttons())
        self._show(setup)
        room = window.size() - QSize(_EDGE, _EDGE)
        self.resize(_SIZE.boundedTo(room))

    def _add_page(self, title: str, note: str, rows: Sequence[Row]) -> None:
        page = QWidget()
        page.setObjectName("page")
        form = QFormLayout(page)
        form.setContentsMargins(16, 12, 16, 16)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(9)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        top = label(note, "small")
        top.setWordWrap(True)
        form.addRow(top)
        for row in rows:
            self._add_row(form, row)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pages.addTab(area, title)
        self._forms[title] = form

    def _add_recommendation(self, model: ModelFile | None) -> None:
        self.recommended: QPushButton | None = None
        found = recommendation(model) if model is not None else None
        if found is None:
            return
        button = self.recommended = QPushButton(text.recommendation_words(found))
        button.setToolTip(text.recommendation_source(found))
        button.setAccessibleDescription(text.recommendation_source(found))
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._recommend(found))
        self._forms["Sampling"].insertRow(1, beside_nothing(button))

    def _recommend(self, family: Family) -> None:
        """Fill in what is recommended; the other fields stay as they are."""
        values = family.plain if self.fields["thinking"].read() is False else family.thinking
        for name, value in msgspec.structs.asdict(values).items():
            self.fields[name].show(value)

    def _add_row(self, form: QFormLayout, row: Row) -> None:
        field = row.make()
        self._rows[row.name], self.fields[row.name] = row, field
        field.set_name(row.label, row.remark)
        if row.head:
            head = label(row.head, "group")
            head.setIndent(0)
            form.addRow(head)
        caption = label(row.label)
        caption.setBuddy(field.focus)
        caption.setMinimumWidth(160)
        form.addRow(caption, _with_remark(field, row.remark))
        for kind in (QAbstractSpinBox, QComboBox):
            for box in [*field.widget.findChildren(kind), field.widget]:
                if isinstance(box, kind):
                    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                    box.installEventFilter(self._guard)

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.reset = QPushButton("Reset to defaults")
        self.reset.setAutoDefault(False)
        self.reset.clicked.connect(lambda: self._show(LaneSetup()))
        self.cancel, self.save = QPushButton("Cancel"), QPushButton("Save")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.reject)
        self.save.setObjectName("primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._save)
        row.addWidget(self.reset)
        row.addStretch()
        row.addWidget(self.cancel)
        row.addWidget(self.save)
        return row

    def _show(self, setup: LaneSetup) -> None:
        for name, field in self.fields.items():
            field.show(setup.system if name == "system" else getattr(_owner(setup, name), name))
        self.problem.hide()

    def _save(self) -> None:
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                values[name] = field.read()
            except UsageError as error:
                self._complain(name, error.message)
                return
        try:
            setup = _with_values(self._setup, values)
        except msgspec.ValidationError as error:
            self._complain(*text.limit_words(error))
            return
        self.chosen.emit(setup, self.both.isChecked())
        self.accept()

    def _complain(self, name: str, why: str) -> None:
        """Say in one sentence what is wrong, and go to its field."""
        row, field = self._rows[name], self.fields[name]
        sentence = f"{row.label}: {why}."
        self.problem.setText(sentence)
        self.problem.setAccessibleName(sentence)
        self.problem.show()
        for index in range(self.pages.count()):
            area = self.pages.widget(index)
            if isinstance(area, QScrollArea) and area.isAncestorOf(field.focus):
                self.pages.setCurrentIndex(index)
                area.ensureWidgetVisible(field.focus)
        field.focus.setFocus(Qt.FocusReason.OtherFocusReason)


def _with_remark(field: Field, remark: str) -> QWidget:
    """Return the field with its remark: beside a number, below anything else."""
    if field.is_narrow:
        field.widget.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    elif not remark:
        return field.widget
    said = label(remark, "small")
    said.setWordWrap(not field.is_narrow)
    return beside(field.widget, said) if field.is_narrow else stacked(field.widget, said)


def _owner(setup: LaneSetup, name: str) -> msgspec.Struct:
    owners = (setup.load, setup.answer, setup.answer.sampling)
    return next(owner for owner in owners if name in owner.__struct_fields__)


def _with_values(setup: LaneSetup, values: dict[str, Any]) -> LaneSetup:
    """Return the setup with other values. Raises ValidationError for one that is out of its limits."""
    load = _checked(LoadOptions, setup.load, values)
    sampling = _checked(Sampling, setup.answer.sampling, values)
    answer = _checked(AnswerOptions, setup.answer, {**values, "sampling": sampling})
    return LaneSetup(load, answer, values["system"])


def _checked(kind: type[_Options], old: _Options, values: dict[str, Any]) -> _Options:
    known = {name: values[name] for name in kind.__struct_fields__ if name in values}
    return msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(old, **known)), kind)
