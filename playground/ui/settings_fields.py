"""Fields of a settings form: each shows one value and reads it back as it is stored.

A field whose text means nothing raises UsageError on reading; values that were not touched come back unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QLocale, QObject, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from playground.ui import theme

_MOST_INT = 2_147_483_647
_NUMBER_WIDTH = 150


class Field(ABC):
    """``widget`` goes into the form; ``focus``, the widget itself or one inside it, takes the keyboard."""

    is_narrow = False  # a number: what is said about it fits beside it

    def __init__(self, widget: QWidget, focus: QWidget | None = None) -> None:
        self.widget = widget
        self.focus = focus or widget

    def set_name(self, name: str, remark: str) -> None:
        """Say for those who hear it what the field holds."""
        self.focus.setAccessibleName(name)
        self.focus.setAccessibleDescription(remark)

    @abstractmethod
    def show(self, value: Any) -> None:  # noqa: ANN401 -- fields hold values of many types
        """Show a value."""

    @abstractmethod
    def read(self) -> Any:  # noqa: ANN401 -- see show
        """Return the value. Raises UsageError."""


class WheelGuard(QObject):
    """Keeps the wheel for scrolling: a field under the pointer does not change unless it has the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Hold the wheel back from a field without the focus."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class CountField(Field):
    """A whole number. With ``none`` words, 0 (or the number below the least) stands for None."""

    is_narrow = True

    def __init__(self, limits: tuple[float, float], step: int = 1, none: str = "") -> None:
        self._spin = QSpinBox()
        super().__init__(self._spin)
        low, high = int(limits[0]), min(int(limits[1]), _MOST_INT)
        self._least, self._none = low, bool(none)
        self._spin.setRange(min(low - 1, 0) if none else low, high)
        self._spin.setSpecialValueText(none)
        self._spin.setSingleStep(step)
        self._spin.setGroupSeparatorShown(True)
        _indent(self._spin)
        if not none:
            self._spin.setFixedWidth(_NUMBER_WIDTH)

    def show(self, value: int | None) -> None:
        """Show a number or None."""
        self._spin.setValue(self._spin.minimum() if value is None else min(value, _MOST_INT))

    def read(self) -> int | None:
        """Return the number or None."""
        value = self._spin.value()
        return None if self._none and value == self._spin.minimum() else max(value, self._least)


class DecimalField(Field):
    """A number with a fraction, or a whole one too large for a CountField."""

    is_narrow = True

    def __init__(self, limits: tuple[float, float], step: float = 0.05, decimals: int = 3) -> None:
        self._spin = _Decimal()
        super().__init__(self._spin)
        self._whole = decimals == 0
        self._spin.setDecimals(decimals)
        self._spin.setRange(*limits)
        self._spin.setSingleStep(step)
        _indent(self._spin)
        self._spin.setFixedWidth(_NUMBER_WIDTH)

    def show(self, value: float) -> None:
        """Show a number."""
        self._given = value
        self._spin.setValue(value)
        self._shown = self._spin.value()

    def read(self) -> float:
        """Return the number."""
        value = self._spin.value()
        if value == self._shown:
            return self._given
        return int(value) if self._whole else round(value, self._spin.decimals())


class _Decimal(QDoubleSpinBox):
    def __init__(self) -> None:
        super().__init__()
        self.setLocale(QLocale.c())

    def textFromValue(self, value: float) -> str:  # noqa: N802 -- Qt's name
        return f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".") if self.decimals() else f"{value:.0f}"


class ChoiceField(Field):
    """One of a few values, by their words."""

    def __init__(self, choices: Mapping[str, Any]) -> None:
        self._box = QComboBox()
        super().__init__(self._box)
        self._values = list(choices.values())
        self._box.addItems(list(choices))

    def show(self, value: object) -> None:
        """Show a value."""
        self._box.setCurrentIndex(self._values.index(value))

    def read(self) -> Any:  # noqa: ANN401 -- the values' own type
        """Return the value."""
        return self._values[self._box.currentIndex()]


class SwitchField(Field):
    """On or off, with words behind the box."""

    def __init__(self, words: str) -> None:
        self._box = QCheckBox(words)
        super().__init__(self._box)

    def show(self, value: bool) -> None:
        """Show a value."""
        self._box.setChecked(value)

    def read(self) -> bool:
        """Return the value."""
        return self._box.isChecked()


class LineField(Field):
    """A value as one line of text."""

    def __init__(self, parse: Callable[[str], Any], shown: Callable[[Any], str], hint: str = "") -> None:
        self._edit = QLineEdit()
        super().__init__(self._edit)
        self._edit.setPlaceholderText(hint)
        self._parse, self._shown = parse, shown

    def show(self, value: object) -> None:
        """Show a value."""
        self._edit.setText(self._shown(value))

    def read(self) -> Any:  # noqa: ANN401 -- the parser's type
        """Return the value. Raises UsageError."""
        return self._parse(self._edit.text())


class TextField(Field):
    """A value as several lines of text."""

    def __init__(
        self,
        parse: Callable[[str], Any] = str,
        shown: Callable[[Any], str] = str,
        *,
        hint: str = "",
        lines: int = 3,
        code: bool = True,
    ) -> None:
        self._edit = text_box(hint, lines, code=code)
        super().__init__(self._edit)
        self._parse, self._shown = parse, shown

    def show(self, value: object) -> None:
        """Show a value."""
        self._edit.setPlainText(self._shown(value))

    def read(self) -> Any:  # noqa: ANN401 -- the parser's type
        """Return the value. Raises UsageError."""
        return self._parse(self._edit.toPlainText())


class NumberOrWordField(Field):
    """One of a few words, or a number that is typed beside them."""

    def __init__(self, words: Mapping[str, str], number_words: str) -> None:
        self._values = list(words.values())
        self._box = QComboBox()
        self._box.addItems([*words, number_words])
        self._number = CountField((0, 1000))
        super().__init__(beside(self._box, self._number.widget), self._box)
        self._box.currentIndexChanged.connect(lambda i: self._number.widget.setEnabled(i == len(words)))

    def set_name(self, name: str, remark: str) -> None:
        """Name the number too."""
        super().set_name(name, remark)
        self._number.set_name(f"{name}, number", remark)

    def show(self, value: str | int) -> None:
        """Show a word's value or a number."""
        number = value if isinstance(value, int) else None
        index = self._values.index(value) if isinstance(value, str) else len(self._values)
        self._box.setCurrentIndex(index)
        self._number.widget.setEnabled(number is not None)
        self._number.show(number or 0)

    def read(self) -> str | int | None:
        """Return the word's value or the number."""
        index = self._box.currentIndex()
        return self._values[index] if index < len(self._values) else self._number.read()


def _indent(spin: QSpinBox | QDoubleSpinBox) -> None:
    """Keep the text off the frame: a spin box takes no padding at its left from the style sheet."""
    spin.lineEdit().setTextMargins(7, 0, 0, 0)


def text_box(hint: str, lines: int, *, code: bool) -> QPlainTextEdit:
    """Return an edit for a few lines, whose Tab key goes to the next field."""
    made = QPlainTextEdit()
    made.setPlaceholderText(hint)
    made.setTabChangesFocus(True)
    made.setFont(theme.font(9.25, mono=code))
    made.setFixedHeight(lines * made.fontMetrics().lineSpacing() + 18)
    return made


def beside(*widgets: QWidget) -> QWidget:
    """Return widgets in one row."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(
            widget, 0 if widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Maximum else 1
        )
    return holder


def beside_nothing(widget: QWidget) -> QWidget:
    """Return a widget at the left that keeps its own width."""
    widget.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return beside(widget, QWidget())


def stacked(*widgets: QWidget) -> QWidget:
    """Return widgets in one column."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    for widget in widgets:
        column.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
    return holder
