"""The tab *On disk*: every model on this machine, whoever put it there. Renders states, forwards intents."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QFrame,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QTableView,
    QToolButton,
    QWidget,
)

from playground.ui.icons import icon
from playground.ui.library import disk_words as words
from playground.ui.library.bars import ShareBar, Swatch
from playground.ui.library.disk_cells import ROW_HEIGHT, DiskCells
from playground.ui.library.disk_table import DISK_ROLE, NAME
from playground.ui.library.disk_vm import DiskVm
from playground.ui.library.disk_words import DiskView
from playground.ui.library.kit import (
    STRETCH,
    button,
    column,
    frame,
    on_click,
    plain,
    row,
    set_button,
    set_shown,
    set_text,
)
from playground.ui.library.notices import Note, Plate, Skeleton
from playground.ui.library.question import ask
from playground.ui.meters import ElidedLabel, label

_WIDTHS = (40, 0, 100, 170, 84, 82, 130, 190)
_NARROW_WIDTHS = (40, 0, 84, 128, 76, 76, 116, 164)


class DiskRows(QTableView):
    """Space marks, Enter uses, Delete asks."""

    key_used = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Take the keys that do something with a row."""
        keys = Qt.Key
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        intents = {
            keys.Key_Space: "mark",
            keys.Key_Return: "B" if shift else "A",
            keys.Key_Enter: "B" if shift else "A",
            keys.Key_Delete: "remove",
        }
        intent = intents.get(keys(event.key()))
        if intent is None:
            super().keyPressEvent(event)
        else:
            self.key_used.emit(intent)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 -- Qt's name
        """Let Tab leave the table: its cells hold nothing to stop at."""
        return QWidget.focusNextPrevChild(self, forward)


class DiskPage(QWidget):
    """Emits ``search_wanted`` where there is nothing yet."""

    search_wanted = Signal()

    def __init__(self, vm: DiskVm) -> None:
        super().__init__()
        self._vm = vm
        self._keys: tuple[str, ...] = ()
        self.add = on_click(button("Add a folder…", "new"), self._choose_folder)
        self.folders = on_click(
            button("Folders", "folder", "Folders that you have added"), self._open_folders
        )
        self.again = on_click(button("Scan again", "redo", "Look for models again  (F5)"), vm.refresh)
        self.tools: tuple[QPushButton, ...] = (self.folders, self.add, self.again)
        self._problem, self._notes = Note("alert", "Bad"), Note("alert", "Warn")
        self.setLayout(column(self._make_strip(), self._problem, self._notes, (self._make_card(), 1), gap=10))
        vm.changed.connect(self.render_state)
        self.set_narrow(False)
        self.render_state(vm.state)

    # ---- building

    def _make_strip(self) -> QWidget:
        self._bar, self._total = ShareBar("Disk use by place", 10), label("", "small")
        self._legend = row(gap=6)
        self._legend_texts: tuple[tuple[str, str, str], ...] = ()
        self._legend_parts: list[QWidget] = []
        line = row(self._legend, STRETCH, self._total, gap=12)
        return frame("strip", column(self._bar, line, gap=7, margins=(14, 10, 14, 8)))

    def _make_card(self) -> QWidget:
        self.chips = QTabBar()
        self.chips.setObjectName("chips")
        self.chips.setAccessibleName("Filter by place")
        self.chips.setDrawBase(False)
        self.chips.setExpanding(False)
        self.chips.currentChanged.connect(lambda _index: self._filter())
        self.field = QLineEdit()
        self.field.setPlaceholderText("Filter by name")
        self.field.setAccessibleName("Filter by name")
        self.field.setClearButtonEnabled(True)
        self._glass = self.field.addAction(icon("search", size=16), QLineEdit.ActionPosition.LeadingPosition)
        for made in self.field.findChildren(QToolButton):
            made.setAccessibleName("Filter" if self._glass in made.actions() else "Clear the filter")
        self.field.textChanged.connect(lambda _text: self._filter())
        head = row((self.chips, 1), self.field, margins=(10, 7, 10, 5))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_table())
        skeleton = plain(column(Skeleton("Looking for models", ROW_HEIGHT + 12, gap=0), margins=(8, 8, 8, 8)))
        self._stack.addWidget(skeleton)
        self._plate = Plate("Find a model")
        self._plate.retry_wanted.connect(self._vm.refresh)
        self._plate.other_wanted.connect(self.search_wanted)
        self._stack.addWidget(self._plate)
        return frame("card", column(head, (self._stack, 1), self._make_foot(), gap=0, margins=(1, 1, 1, 1)))

    def _make_table(self) -> QTableView:
        table = self.table = DiskRows()
        table.setAccessibleName("Models on disk")
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setItemDelegate(DiskCells(table))
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        heading = table.horizontalHeader()
        heading.setHighlightSections(False)
        heading.setMinimumSectionSize(30)
        heading.setSortIndicatorShown(False)
        heading.setSectionsClickable(True)
        heading.sectionClicked.connect(self._sort)
        table.setModel(self._vm.rows)
        table.selectionModel().currentRowChanged.connect(self._moved)
        table.key_used.connect(self._key)
        table.doubleClicked.connect(lambda _index: self._vm.use("A"))
        return table

    def _make_foot(self) -> QWidget:
        self._selected, self._hint = label("", "h2"), ElidedLabel()
        self._hint.setProperty("role", "small")
        self.use = [
            on_click(
                button(f"Use as {slot}", "", f"Put it into pane {slot} of Compare  ({key})"),
                partial(self._vm.use, slot),
            )
            for slot, key in (("A", "Enter"), ("B", "Shift+Enter"))
        ]
        self.fetch = on_click(
            button("Fetch missing parts", "get", "Fetch only what is missing"), self._vm.fetch_missing
        )
        self.remove = on_click(
            button("Delete…", "bin", "Asks once and names every file  (Delete)"), self._ask
        )
        line = row(
            self._selected, (self._hint, 1), *self.use, self.fetch, self.remove, margins=(16, 8, 12, 8)
        )
        return frame("cardfoot", line)

    # ---- rendering

    def render_state(self, state: DiskView) -> None:
        """Show a state; sets only what differs."""
        self._render_strip(state)
        self._render_chips(state)
        trouble = state.trouble
        self._problem.show_text(state.problem or (trouble.text if trouble and state.disk else ""))
        self._notes.show_text(" ".join(state.disk.notes) if state.disk else "")
        if self._vm.rows.rowCount():
            self._stack.setCurrentIndex(0)
        elif trouble is not None and state.disk is None:
            self._plate.show_trouble(trouble)
            self._stack.setCurrentIndex(2)
        elif state.disk is None:
            self._stack.setCurrentIndex(1)
        else:
            self._plate.show_words(*words.nothing(state), "folder", other=not state.models)
            self._stack.setCurrentIndex(2)
        self.again.setEnabled(not state.is_looking)
        set_shown(self.folders, bool(state.added_folders) and not self.isHidden())
        self._render_foot(state)

    def _render_strip(self, state: DiskView) -> None:
        looking = f"Looking in {state.looking}…" if state.looking else "Looking for models…"
        if state.disk is not None:
            self._bar.show_parts(words.shares(state.disk), words.total(state.disk))
            self._render_legend(words.legend(state.disk))
        known = words.total(state.disk) if state.disk else ""
        set_text(self._total, looking if state.is_looking else known)

    def _render_legend(self, texts: tuple[tuple[str, str, str], ...]) -> None:
        if texts == self._legend_texts:
            return
        self._legend_texts = texts
        for part in self._legend_parts:
            self._legend.removeWidget(part)
            part.deleteLater()
        self._legend_parts = []
        for tint, name, held in (*texts, ("other", "Other files", "")):
            words_ = label(f"{name} {held}".strip(), "small")
            words_.setContentsMargins(0, 0, 8, 0)
            self._legend_parts += [Swatch(tint), words_]
        for part in self._legend_parts:
            self._legend.addWidget(part)

    def _render_chips(self, state: DiskView) -> None:
        chips = words.chips(state)
        blocked = self.chips.blockSignals(True)
        if tuple(key for key, _ in chips) != self._keys:
            self._keys = tuple(key for key, _ in chips)
            while self.chips.count():
                self.chips.removeTab(0)
            for _, text in chips:
                self.chips.addTab(text)
        for index, (_, text) in enumerate(chips):
            if self.chips.tabText(index) != text:
                self.chips.setTabText(index, text)
        self.chips.setCurrentIndex(self._keys.index(state.chip) if state.chip in self._keys else 0)
        self.chips.blockSignals(blocked)

    def _render_foot(self, state: DiskView) -> None:
        foot = words.foot(state)
        set_text(self._selected, foot.selected)
        self._hint.set_whole_text(foot.hint)
        for made in self.use:
            made.setEnabled(foot.can_use)
        set_shown(self.fetch, foot.can_fetch)
        set_button(
            self.remove,
            foot.remove,
            "bin",
            primary=bool(state.checked) and foot.can_remove,
            tip=self.remove.toolTip(),
        )
        self.remove.setEnabled(foot.can_remove)

    # ---- what the user does

    def _filter(self) -> None:
        index = self.chips.currentIndex()
        self._vm.set_filter(
            self._keys[index] if 0 <= index < len(self._keys) else words.ALL, self.field.text()
        )

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        self._vm.go_to(now.data(DISK_ROLE).path if now.isValid() else "")

    def _sort(self, section: int) -> None:
        """Sort by a heading; the other way round on the next click, and as it was on the third."""
        heading = self.table.horizontalHeader()
        order = heading.sortIndicatorOrder()
        again = heading.isSortIndicatorShown() and heading.sortIndicatorSection() == section
        if section == 0 or (again and order is Qt.SortOrder.DescendingOrder):
            heading.setSortIndicatorShown(False)
            self._vm.rows.sort(-1)
            return
        order = Qt.SortOrder.DescendingOrder if again else Qt.SortOrder.AscendingOrder
        heading.setSortIndicatorShown(True)
        heading.setSortIndicator(section, order)
        self._vm.rows.sort(section, order)

    def _key(self, intent: str) -> None:
        path = self._vm.state.current
        if intent == "mark":
            self._vm.toggle(path)
        elif intent == "remove":
            self._ask()
        else:
            self._vm.use(intent)

    def _ask(self) -> None:
        """Ask about what is marked, else about the row that the table is at; just what was named is deleted."""
        if doomed := words.doomed(self._vm.state):
            title, text, yes, listed = words.question(doomed)
            ask(self.window(), title, text, yes, partial(self._vm.remove, doomed), listed)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self.window(), "A folder with GGUF models")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._vm.add_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open_folders(self) -> None:
        menu = QMenu(self.folders)
        menu.setAccessibleName("Added folders")
        for path in self._vm.state.added_folders:
            action = menu.addAction(f"Look no longer in {path.replace('&', '&&')}")
            action.triggered.connect(lambda _on=False, p=path: self._vm.remove_folder(p))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.folders.mapToGlobal(QPoint(0, self.folders.height())))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go from the filter into the table."""
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.field.hasFocus():
            self.focus_first()
        elif event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        else:
            super().keyPressEvent(event)

    def focus_first(self) -> None:
        """Give the focus to the table, with a row selected."""
        rows = self._vm.rows
        if rows.rowCount() and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(rows.index(0, NAME))
        (self.table if rows.rowCount() else self.field).setFocus(Qt.FocusReason.OtherFocusReason)

    def set_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self._glass.setIcon(icon("search", size=16))

    def set_narrow(self, narrow: bool) -> None:
        """Give the columns less room in a small window."""
        heading = self.table.horizontalHeader()
        for section, width in enumerate(_NARROW_WIDTHS if narrow else _WIDTHS):
            mode = QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch
            heading.setSectionResizeMode(section, mode)
            if width:
                heading.resizeSection(section, width)
        self.field.setFixedWidth(150 if narrow else 220)
