"""File dialogs of the Results screen, which are opened and never waited for, and a plot as PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFileDialog, QWidget

from playground.errors import PlaygroundError
from playground.ui import theme

_SCALE = 2
FORMS = {"html": ("Report as HTML", "HTML (*.html)"), "markdown": ("Report as Markdown", "Markdown (*.md)")}
_SUFFIXES = {"html": "html", "markdown": "md"}


def ask_for_run(parent: QWidget, then: Callable[[Path], object]) -> QFileDialog:
    """Ask which run file is to be opened."""
    dialog = QFileDialog(parent, "Open a run file", "", "Runs (*.jsonl);;All files (*)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _opened(dialog, lambda path: then(Path(path)))


def ask_for_report(parent: QWidget, form: str, name: str, then: Callable[[Path], object]) -> QFileDialog:
    """Ask where a report is to be written."""
    title, kind = FORMS[form]
    dialog = QFileDialog(parent, title, f"{name}.{_SUFFIXES[form]}", kind)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(_SUFFIXES[form])
    return _opened(dialog, lambda path: then(Path(path)))


def ask_for_picture(parent: QWidget, name: str, then: Callable[[Path], object]) -> QFileDialog:
    """Ask where the plots are to be written."""
    dialog = QFileDialog(parent, "Plots", f"{name}.svg", "SVG (*.svg);;PNG (*.png)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("svg")
    return _opened(dialog, lambda path: then(Path(path)))


def _opened(dialog: QFileDialog, then: Callable[[str], object]) -> QFileDialog:
    dialog.fileSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def write_svg(svg: str, path: Path) -> None:
    """Write an SVG text. Blocking. Raises PlaygroundError."""
    try:
        path.write_text(svg, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        raise PlaygroundError(
            f"The picture {path} cannot be written: {reason}.", hint="Name another file."
        ) from error


def write_png(svg: str, path: Path) -> None:
    """Write an SVG text to a file called ``.png``, at twice its size. Raises PlaygroundError."""
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    size = renderer.defaultSize() * _SCALE
    image = QImage(size, QImage.Format.Format_ARGB32)
    image.fill(QColor(theme.current().panel))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    if not image.save(str(path)):
        raise PlaygroundError(f"The picture {path} cannot be written.", hint="Name another file.")
