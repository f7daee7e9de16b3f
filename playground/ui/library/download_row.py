"""One download as a row: what it is, how far it is, what can be done. Shows what it is given; made once."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from playground.ui.library.bars import ShareBar
from playground.ui.library.downloads_words import DownloadRow
from playground.ui.library.kit import (
    STRETCH,
    button,
    column,
    on_click,
    pill,
    plain,
    row,
    set_button,
    set_shown,
    set_text,
    show_pill,
)
from playground.ui.meters import ElidedLabel, label

_ACTS_WIDTH = 236
_SLOTS = 2


class DownloadRowView(QFrame):
    """Emits what its buttons and keys ask for: an act, or to go."""

    acted = Signal(str, str)
    removal_wanted = Signal(str)
    moved = Signal(int)

    def __init__(self, id_: str) -> None:
        super().__init__()
        self.id = id_
        self.row: DownloadRow | None = None
        self.setObjectName("download")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._name, self._quant, self._note = ElidedLabel(), pill("", "badge"), ElidedLabel()
        self._name.setProperty("role", "h2")
        self._note.setProperty("role", "small")
        self._share, self._pill = label("", "h2"), pill()
        self._bar, self._figures, self._why = ShareBar("Downloaded"), ElidedLabel(), label("", "why")
        self._figures.setProperty("role", "small")
        self._why.setWordWrap(True)
        self.buttons = [on_click(button(""), partial(self._act, n)) for n in range(_SLOTS)]
        self.remove = on_click(
            button("", "close", "Cancel", kind="square"), lambda: self.removal_wanted.emit(self.id)
        )
        head = row(self._name, self._quant, (self._note, 1), self._share, self._pill)
        body = column(head, self._bar, self._why, self._figures, gap=6)
        acts = plain(row(STRETCH, *self.buttons, self.remove, gap=6))
        acts.setFixedWidth(_ACTS_WIDTH)
        self.setLayout(row((plain(body), 1), acts, gap=16, margins=(15, 7, 7, 7)))

    def show_row(self, shown: DownloadRow) -> None:
        """Show how it stands; sets only what differs."""
        if shown == self.row:
            return
        self.row = shown
        self._name.set_whole_text(shown.name)
        set_text(self._quant, shown.quant)
        self._note.set_whole_text(shown.note)
        set_text(self._share, shown.share)
        set_shown(self._share, bool(shown.share))
        show_pill(self._pill, *shown.pill)
        set_shown(self._bar, shown.fraction is not None)
        self._bar.show_parts(((shown.fraction or 0.0, shown.tint),), shown.share)
        self._figures.set_whole_text("  ·  ".join(shown.figures))
        set_shown(self._figures, bool(shown.figures))
        set_text(self._why, shown.why)
        set_shown(self._why, bool(shown.why))
        self._show_acts(shown)
        self.setAccessibleName(f"{shown.name} {shown.quant}, {shown.pill[0]} {shown.share}".strip())
        self.setAccessibleDescription("; ".join(filter(None, (shown.why, *shown.figures))))

    def _show_acts(self, shown: DownloadRow) -> None:
        for index, made in enumerate(self.buttons):
            is_used = index < len(shown.acts)
            set_shown(made, is_used)
            if is_used:
                act, text, picture = shown.acts[index]
                set_button(made, text, picture, primary=act == "use_a")
                made.setAccessibleDescription(f"{shown.name} {shown.quant}")
        self.remove.setToolTip(f"{shown.removal}  (Delete)")
        self.remove.setAccessibleName(f"{shown.removal}: {shown.name} {shown.quant}")

    def _act(self, index: int) -> None:
        if self.row is not None and index < len(self.row.acts):
            self.acted.emit(self.id, self.row.acts[index][0])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Enter does what the first button does, Space pauses or goes on, Delete removes, arrows go on."""
        keys = Qt.Key
        key = event.key()
        if key in (keys.Key_Return, keys.Key_Enter):
            focused = next((n for n, made in enumerate(self.buttons) if made.hasFocus()), 0)
            self.removal_wanted.emit(self.id) if self.remove.hasFocus() else self._act(focused)
        elif key == keys.Key_Space:
            places = (
                [n for n, act in enumerate(self.row.acts) if act[0] in ("pause", "resume")]
                if self.row
                else []
            )
            if places:
                self._act(places[0])
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self.removal_wanted.emit(self.id)
        elif key in (keys.Key_Up, keys.Key_Down):
            self.moved.emit(-1 if key == keys.Key_Up else 1)
        else:
            super().keyPressEvent(event)
