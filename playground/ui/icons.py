"""Icons from SVG files, in the colour that is asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from playground import resources
from playground.ui import theme


def icon(name: str, color: str | None = None, size: int = 20) -> QIcon:
    """Return an icon at 1x and 2x; without a colour, in the muted one of the current theme."""
    return _icon(name, color or theme.current().muted, size)


@lru_cache(maxsize=128)
def _icon(name: str, color: str, size: int) -> QIcon:
    svg = resources.text("icons", f"{name}.svg").replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    found = QIcon()
    for scale in (1, 2):
        pixmap = QPixmap(size * scale, size * scale)
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        pixmap.setDevicePixelRatio(scale)
        found.addPixmap(pixmap)
    return found
