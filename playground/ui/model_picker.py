"""Where a lane's model is chosen: a filter, the list, and the ways to a model that is not in the list.

A child that covers its window rather than a window of its own: popups are left out of the accessibility tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from playground.models.files import ModelFile
from playground.ui.icons import icon
from playground.ui.meters import label
from playground.ui.model_list import MODEL_ROLE, ModelFilter, ModelList
from playground.ui.model_rows import ROW_HEIGHT, ModelRows

_WIDTH, _HEIGHT, _EDGE = 480, 400, 12
_LEAST_ROWS, _CHROME = 4, 112  # rows that there is always room for; what surrounds the list
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ModelPicker(QWidget):
    """Emits what was chosen and hides: a model's reference, a file to look for, a smaller copy to make.

    Made for one use: the rows of a hidden list stay in the accessibility tree as if they were shown.
    """

    model_chosen = Signal(str)
    file_wanted = Signal()
    copy_wanted = Signal(str)
    closed = Signal(bool)  # whether it had the focus

    def __init__(self, slot: str, models: ModelList, quant_types: Sequence[str], window: QWidget) -> None:
        super().__init__(window)
        self._slot, self._window = slot, window
        self.setAccessibleName(f"Models for {slot}")
        self._rows = ModelFilter(models, self)
        self._marks = ModelRows(self)
        self.panel = QFrame(self)
        self.panel.setObjectName("popup")
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self._make_filter())
        column.addWidget(self._make_list(), 1)
        column.addWidget(self._make_nothing(), 1)
        column.addLayout(self._make_foot(quant_types))
        self._rows.modelReset.connect(self._filtered)
        window.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._focus_moved)
        self.hide()

    def _make_filter(self) -> QLineEdit:
        self.filter = QLineEdit()
        self.filter.setAccessibleName(f"Filter models {self._slot}")
        self.filter.setPlaceholderText("Filter by name, quantization, base or chat")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._set_filter)
        self._glass = self.filter.addAction(icon("search", size=16), QLineEdit.ActionPosition.LeadingPosition)
        for button in self.filter.findChildren(QToolButton):
            is_glass = self._glass in button.actions()
            button.setAccessibleName(f"{'Search' if is_glass else 'Clear the filter'} {self._slot}")
        return self.filter

    def _make_list(self) -> QListView:
        self.list = QListView()
        self.list.setAccessibleName(f"Models {self._slot}")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setModel(self._rows)
        self.list.setItemDelegate(self._marks)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._use)
        return self.list

    def _make_nothing(self) -> QWidget:
        self._nothing = label("", "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
        return self._nothing

    def _make_foot(self, quant_types: Sequence[str]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.open_file, self.copy, self.use = (
            QPushButton(text) for text in ("Open a GGUF file…", "Make a smaller copy…", "Use")
        )
        self.open_file.clicked.connect(lambda: self._leave(self.file_wanted.emit))
        self.use.clicked.connect(lambda: self._use(self._selected()))
        self.copies = QMenu(self.copy)
        self.copies.setAccessibleName(f"Types of a smaller copy {self._slot}")
        for quant in quant_types:
            action = self.copies.addAction(quant)
            action.triggered.connect(lambda _on=False, q=quant: self._leave(lambda: self.copy_wanted.emit(q)))
        self.copy.clicked.connect(lambda: self.copies.popup(self.copy.mapToGlobal(QPoint(0, 0))))
        for button in (self.open_file, self.copy, self.use):
            button.setAccessibleName(f"{button.text()} {self._slot}")
        row.addWidget(self.open_file)
        row.addWidget(self.copy)
        row.addStretch()
        row.addWidget(self.use)
        return row

    def open_below(self, anchor: QWidget, current: ModelFile | None) -> None:
        """Show all models below a widget, within the window, with the lane's own selected."""
        window = self._window
        self.setGeometry(window.rect())
        room = window.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        place = anchor.mapTo(window, QPoint(0, anchor.height() + 4))
        rows = max(self._rows.sourceModel().rowCount(), _LEAST_ROWS)
        wanted = min(_HEIGHT, rows * ROW_HEIGHT + _CHROME)
        width, height = min(_WIDTH, room.width()), min(wanted, room.bottom() - place.y())
        self.panel.setGeometry(min(place.x(), room.right() - width), place.y(), width, height)
        self._marks.current_path = current.path if current else ""
        self._glass.setIcon(icon("search", size=16))
        self.copy.setEnabled(current is not None)
        self.filter.clear()
        self._filtered()
        self.show()
        self.raise_()
        self.filter.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Hide; nothing was chosen."""
        self._leave(lambda: None)

    def _leave(self, then: Callable[[], None]) -> None:
        if self.isVisible():
            focused = self._window.focusWidget()
            had_focus = focused is not None and self.isAncestorOf(focused)
            self.hide()
            self.closed.emit(had_focus)
            then()

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        if (
            self.isVisible()
            and new is not None
            and new.window() is self._window
            and not self.isAncestorOf(new)
        ):
            self.leave()

    def _selected(self) -> QModelIndex:
        """Return the selected row: assistive technology selects without making it the current one."""
        selected = self.list.selectionModel().selectedIndexes()
        return selected[0] if selected else QModelIndex()

    def _use(self, index: QModelIndex) -> None:
        if index.isValid():
            model: ModelFile = index.data(MODEL_ROLE)
            self._leave(lambda: self.model_chosen.emit(model.ref))

    def _set_filter(self, text: str) -> None:
        self._rows.set_text(text)
        self._filtered()

    def _filtered(self) -> None:
        """Keep a row selected while there is one, the lane's own model first; say why there is none."""
        count = self._rows.rowCount()
        paths = [self._rows.index(row, 0).data(MODEL_ROLE).path for row in range(count)]
        own = self._marks.current_path
        if count:
            self.list.setCurrentIndex(self._rows.index(paths.index(own) if own in paths else 0, 0))
        self.list.setVisible(count > 0)
        self._nothing.setVisible(count == 0)
        empty = "No models on this disk yet. Open a GGUF file to begin."
        self._nothing.setText("No model fits this filter." if self.filter.text() else empty)
        self.filter.setAccessibleDescription(f"{count} model{'s' * (count != 1)}")
        self.use.setEnabled(count > 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Go away when the window changes its size: the place below the button has moved."""
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self.leave()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Take Esc and Enter before the window's shortcuts do."""
        if isinstance(event, QKeyEvent) and _is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move in the list from the filter; choose; leave. Keys that the children use do not come here."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in _ENTER:
            self._use(self._selected())
        elif event.key() in _LIST_KEYS and not self.list.hasFocus():
            self._move(event.key())

    def _move(self, key: int) -> None:
        page = max(1, self.list.viewport().height() // ROW_HEIGHT - 1)
        step = page if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else 1
        up = key in (Qt.Key.Key_Up, Qt.Key.Key_PageUp)
        row = self.list.currentIndex().row() + (-step if up else step)
        self.list.setCurrentIndex(self._rows.index(max(0, min(row, self._rows.rowCount() - 1)), 0))

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 -- Qt's name
        """Stay inside while it is open."""
        stops = [self.filter, self.list, self.open_file, self.copy, self.use]
        usable = [stop for stop in stops if stop.isVisible() and stop.isEnabled()]
        if not usable:  # it is being hidden: the focus goes on to the window
            return super().focusNextPrevChild(forward)
        here = usable.index(self.focusWidget()) if self.focusWidget() in usable else 0
        usable[(here + (1 if forward else -1)) % len(usable)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Leave on a press beside the panel."""
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.leave()


def _is_ours(event: QKeyEvent) -> bool:
    return event.type() == QEvent.Type.ShortcutOverride and event.key() in (Qt.Key.Key_Escape, *_ENTER)
