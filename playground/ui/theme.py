"""Colours, fonts and the style sheet.

Fusion with an own palette: the platform's colour scheme is a silent no-op without a desktop, so it only decides
the default.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from PySide6 import QtCore
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from playground import resources

UI_FAMILY, CODE_FAMILY = "Inter", "JetBrains Mono"


class Tokens(NamedTuple):
    """Colours by role. Text on its background has a contrast of at least 4.5."""

    bg: str
    panel: str
    raised: str
    line: str
    line2: str
    text: str
    muted: str
    faint: str
    accent: str
    accent2: str
    onaccent: str
    ok: str
    okbg: str
    bad: str
    badbg: str
    warn: str
    warnbg: str
    code: str
    codehead: str
    sel: str
    a: str
    b: str
    kw: str
    fn: str
    st: str
    nu: str
    cm: str
    bi: str
    op: str


LIGHT = Tokens(
    bg="#f4f5f7", panel="#ffffff", raised="#fafbfc", line="#e1e4e9", line2="#cfd4dc", text="#1c2230",
    muted="#5b6475", faint="#697283", accent="#3557d6", accent2="#e8edfd", onaccent="#ffffff", ok="#0e6f50",
    okbg="#e3f5ee", bad="#b93434", badbg="#fdecec", warn="#8a5800", warnbg="#fff3dc", code="#f6f7f9",
    codehead="#eceef2", sel="#cfdafc", a="#3557d6", b="#a4479b", kw="#b3267a", fn="#5b3fd1", st="#0f6e56",
    nu="#a04a00", cm="#667080", bi="#1a5fb4", op="#4a5263",
)  # fmt: skip
DARK = Tokens(
    bg="#14161b", panel="#1b1e25", raised="#20242c", line="#2b303a", line2="#3a414d", text="#e6e9ef",
    muted="#a2abba", faint="#8d96a4", accent="#7c97ff", accent2="#263056", onaccent="#0e1220", ok="#4fc99a",
    okbg="#173329", bad="#ff8080", badbg="#3b2024", warn="#eab85c", warnbg="#392d17", code="#15181e",
    codehead="#232831", sel="#35437d", a="#7c97ff", b="#dd8ad4", kw="#f08cc0", fn="#b8a5ff", st="#7ed6b2",
    nu="#f2b27a", cm="#7f8896", bi="#86b8ff", op="#b5bdca",
)  # fmt: skip
_ROLES = {
    QPalette.ColorRole.Window: "bg",
    QPalette.ColorRole.Base: "panel",
    QPalette.ColorRole.AlternateBase: "raised",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.Highlight: "sel",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.PlaceholderText: "faint",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.ToolTipBase: "panel",
    QPalette.ColorRole.ToolTipText: "text",
}


class ThemeNotifier(QObject):
    """Says that the colours have changed; what paints by itself listens."""

    changed = Signal()


class _Current:
    tokens = LIGHT


@cache
def notifier() -> ThemeNotifier:
    """Return the one notifier."""
    return ThemeNotifier()


def current() -> Tokens:
    """Return the colours in force."""
    return _Current.tokens


def is_dark() -> bool:
    """Return whether the dark colours are in force."""
    return _Current.tokens is DARK


def starts_dark(app: QApplication) -> bool:
    """Return whether the desktop asks for dark colours, as long as the app has set none of its own.

    Fusion's first palette follows the desktop's colour scheme, and asking the palette does not make the Python
    enums of the namespace ``Qt``, which are made all at once, 14 ms, when the first is touched.
    """
    palette = app.palette()
    return palette.window().color().lightness() < palette.windowText().color().lightness()


def system_prefers_dark(app: QApplication) -> bool:
    """Return what the desktop asks for now; False where it does not say. Ends ``tell_platform``."""
    app.styleHints().unsetColorScheme()
    return app.styleHints().colorScheme() == QtCore.Qt.ColorScheme.Dark


def tell_platform(app: QApplication) -> None:
    """Let the frames that the platform draws follow the colours in force."""
    scheme = QtCore.Qt.ColorScheme
    app.styleHints().setColorScheme(scheme.Dark if is_dark() else scheme.Light)


def choose(dark: bool) -> None:
    """Put the light or dark colours in force for what is built from now on."""
    _Current.tokens = DARK if dark else LIGHT


def apply(app: QApplication, dark: bool) -> None:
    """Put the light or dark colours in force everywhere."""
    choose(dark)
    dress(app)
    notifier().changed.emit()


def dress(app: QApplication) -> None:
    """Give the application the palette and the style sheet in the colours in force."""
    tokens = current()
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, name)))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.faint))
    app.setPalette(palette)
    app.setStyleSheet(style_sheet(tokens))


def style_sheet(tokens: Tokens) -> str:
    """Return the style sheet with ``@name`` replaced by the colours, ``@icons`` by their folder.

    ``@tick`` is the file of the mark that can be seen on the accent: Qt gives style sheets no coloured icons.
    """
    tick = "tick-dark.svg" if tokens is DARK else "tick-light.svg"
    colours = {**tokens._asdict(), "icons": resources.path("icons").as_posix(), "tick": tick}
    return re.sub(r"@([a-z]+\d?)", lambda match: colours[match[1]], resources.text("style", "app.qss"))


def load_fonts() -> None:
    """Make the fonts that ship with the app known to Qt."""
    for file in sorted(resources.path("fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(file))


def font(point_size: float = 10, weight: int = 400, *, mono: bool = False) -> QFont:
    """Return the interface's font, or the one for code, in which ``<=`` stays two signs."""
    found = QFont(CODE_FAMILY if mono else UI_FAMILY)
    found.setPointSizeF(point_size)
    found.setWeight(QFont.Weight(weight))
    if mono:
        found.setStyleHint(QFont.StyleHint.Monospace)
        for feature in ("calt", "liga"):
            found.setFeature(QFont.Tag(feature), 0)
    return found
