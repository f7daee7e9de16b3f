"""Model files dropped anywhere onto a window. Looks at names only; what to do with them is the window's matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from playground.models.disk.model_names import is_model, is_partial, part_name, split_place

OnDrop = Callable[[list[Path], QPoint], None]
OnRefused = Callable[[str], None]
_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
_REFUSED_MS = 8000


def accept_models(window: QWidget, on_drop: OnDrop, on_refused: OnRefused | None = None) -> None:
    """Let a window take GGUF files wherever they are dropped, on a text field, too.

    ``on_drop`` gets the models, each once, and where in the window; ``on_refused`` a sentence when there was none,
    by default for the status bar. Call it when the window's widgets are made.
    """
    refused = on_refused or _in_status_bar(window)
    drop = _FileDrop(window, on_drop, refused)
    window.setAcceptDrops(True)
    for widget in (window, *window.findChildren(QWidget)):
        if widget.acceptDrops():
            widget.installEventFilter(drop)


def slot_at(window: QWidget, cards: Mapping[str, QWidget], place: QPoint) -> str:
    """Return which of the cards, side by side, a place in the window is at: the one above or below it, else the nearest."""

    def distance(slot: str) -> int:
        card = cards[slot]
        left = card.mapTo(window, QPoint(0, 0)).x()
        return max(left - place.x(), place.x() - left - card.width(), 0)

    return min(cards, key=distance)


def dropped_models(paths: Sequence[Path]) -> tuple[list[Path], str]:
    """Return the models among files, of split ones the first parts, and a sentence when there is none."""
    models: dict[Path, None] = {}
    for path in paths:
        if is_model(path.name):
            place = split_place(path.name)
            models[path.with_name(part_name(place, 1)) if place else path] = None
    return list(models), "" if models else _why_not(paths)


def _why_not(paths: Sequence[Path]) -> str:
    if len(paths) != 1:
        return "None of these files is a GGUF model: drop a file whose name ends in .gguf."
    name = paths[0].name
    if is_partial(name):
        return f"{name} is a download that has not ended."
    if name.lower().endswith(".gguf"):
        return f"{name} belongs to a model and is none itself: drop the model's own file."
    return f"{name} is not a GGUF model: drop a file whose name ends in .gguf."


class _FileDrop(QObject):
    """Takes drags of files from the widgets that it filters; other drags go on as ever."""

    def __init__(self, window: QWidget, on_drop: OnDrop, on_refused: OnRefused) -> None:
        super().__init__(window)
        self._window, self._on_drop, self._on_refused = window, on_drop, on_refused

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Accept files, and hand them over when they are dropped."""
        if (
            event.type() not in _DRAGS
            or not isinstance(event, QDropEvent)
            or not isinstance(watched, QWidget)
        ):
            return False
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not paths:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._take(paths, watched.mapTo(self._window, event.position().toPoint()))
        return True

    def _take(self, paths: list[Path], place: QPoint) -> None:
        models, refusal = dropped_models(paths)
        if models:
            self._on_drop(models, place)
        else:
            self._on_refused(refusal)


def _in_status_bar(window: QWidget) -> OnRefused:
    def show(sentence: str) -> None:
        if isinstance(window, QMainWindow):
            window.statusBar().showMessage(sentence, _REFUSED_MS)

    return show
