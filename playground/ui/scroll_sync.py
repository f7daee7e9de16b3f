"""Scrolls views together, in proportion, while it is switched on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar


class ScrollSync(QObject):
    """Off until ``set_enabled``."""

    def __init__(self, views: Sequence[QAbstractScrollArea]) -> None:
        super().__init__(views[0])
        self._bars = [view.verticalScrollBar() for view in views]
        self._enabled = False
        self._moving = False
        for bar in self._bars:
            bar.valueChanged.connect(lambda _value, source=bar: self._follow(source))

    def set_enabled(self, enabled: bool) -> None:
        """Switch on or off."""
        self._enabled = enabled
        if enabled:
            self._follow(self._bars[0])

    def _follow(self, source: QScrollBar) -> None:
        if not self._enabled or self._moving or not source.maximum():
            return
        self._moving = True
        share = source.value() / source.maximum()
        for bar in self._bars:
            if bar is not source:
                bar.setValue(round(share * bar.maximum()))
        self._moving = False
