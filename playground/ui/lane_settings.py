"""The settings of a lane: how its model is loaded and how it answers."""

from __future__ import annotations

from typing import get_args

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from playground.chat.options import AnswerOptions, FlashAttention, KvType, LoadOptions
from playground.ui.meters import label

_THINKING = {"The model's default": None, "On": True, "Off": False}
_GPU = ("auto", "none", "all", "a number of layers")


class LaneSettings(QDialog):
    """Opened, never executed; ``accepted_options`` carries the new options."""

    accepted_options = Signal(object, object)

    def __init__(
        self, slot: str, load: LoadOptions, answer: AnswerOptions, cores: int, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Settings of lane {slot}")
        self._load, self._answer = load, answer
        layout = QVBoxLayout(self)
        self._form = QFormLayout()
        layout.addLayout(self._form)
        self._add_load(load, cores)
        self._add_answer(answer)
        layout.addWidget(
            label("Loading options take effect when the model is loaded with the next prompt.", "small")
        )
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def _row(self, name: str, widget: QWidget) -> None:
        widget.setAccessibleName(name)
        self._form.addRow(name, widget)

    def _add_load(self, load: LoadOptions, cores: int) -> None:
        self._context = _spin(0, 4_194_304, load.n_ctx or 0, "The model's own, at most 8,192")
        self._context.setSingleStep(1024)
        self._row("Context, tokens", self._context)
        self._gpu = QComboBox()
        self._gpu.addItems(_GPU)
        is_number = isinstance(load.gpu_layers, int)
        self._gpu.setCurrentText(_GPU[3] if is_number else str(load.gpu_layers))
        self._row("Layers on the GPU", self._gpu)
        self._layers = _spin(0, 1000, load.gpu_layers if isinstance(load.gpu_layers, int) else 0)
        self._layers.setEnabled(is_number)
        self._gpu.currentIndexChanged.connect(lambda index: self._layers.setEnabled(index == len(_GPU) - 1))
        self._row("Number of layers", self._layers)
        self._threads = _spin(
            0, cores, min(load.threads or 0, cores), f"Shared out by the app, at most {cores}"
        )
        self._row("Threads, at most", self._threads)
        self._flash = _choice(get_args(FlashAttention), load.flash_attention)
        self._row("Flash attention", self._flash)
        self._kv = _choice(get_args(KvType), load.kv_type)
        self._row("Type of the KV cache", self._kv)
        self._mmap = QCheckBox("Read the weights from the file as needed")
        self._mmap.setChecked(load.mmap)
        self._row("Memory mapping", self._mmap)

    def _add_answer(self, answer: AnswerOptions) -> None:
        self._temperature = QDoubleSpinBox()
        self._temperature.setRange(0, 10)
        self._temperature.setSingleStep(0.1)
        self._temperature.setValue(answer.sampling.temperature)
        self._row("Temperature", self._temperature)
        self._seed = _spin(0, 2_147_483_647, min(answer.sampling.seed, 2_147_483_647))
        self._row("Seed", self._seed)
        self._max_tokens = _spin(1, 1_000_000, answer.max_tokens)
        self._row("Longest answer, tokens", self._max_tokens)
        self._thinking = QComboBox()
        self._thinking.addItems(list(_THINKING))
        self._thinking.setCurrentIndex(list(_THINKING.values()).index(answer.thinking))
        self._row("Thinking", self._thinking)

    def _accept(self) -> None:
        gpu = self._layers.value() if self._gpu.currentIndex() == len(_GPU) - 1 else self._gpu.currentText()
        load = {
            "n_ctx": max(self._context.value(), 8) if self._context.value() else None,
            "gpu_layers": gpu,
            "threads": self._threads.value() or None,
            "flash_attention": self._flash.currentText(),
            "kv_type": self._kv.currentText(),
            "mmap": self._mmap.isChecked(),
        }
        sampling = msgspec.structs.replace(
            self._answer.sampling, temperature=round(self._temperature.value(), 2), seed=self._seed.value()
        )
        answer = msgspec.structs.replace(
            self._answer,
            sampling=sampling,
            max_tokens=self._max_tokens.value(),
            thinking=_THINKING[self._thinking.currentText()],
        )
        self.accepted_options.emit(msgspec.convert(load, LoadOptions), answer)
        self.accept()


def _spin(low: int, high: int, value: int, zero: str = "") -> QSpinBox:
    made = QSpinBox()
    made.setRange(low, high)
    made.setValue(value)
    made.setGroupSeparatorShown(True)
    if zero:
        made.setSpecialValueText(zero)
    return made


def _choice(values: tuple[str, ...], value: str) -> QComboBox:
    made = QComboBox()
    made.addItems(list(values))
    made.setCurrentText(value)
    return made
