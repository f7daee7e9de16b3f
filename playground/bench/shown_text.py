"""Text that anyone may have written, as it can be shown anywhere: no control and no direction marks, not without end."""

from __future__ import annotations

LONGEST_CHARS = 20_000
_CONTROLS = {c: "\ufffd" for c in (*range(32), *range(127, 160)) if c not in (9, 10)}
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C)
_TABLE: dict[int, str] = {**_CONTROLS, **{c: f"⟨U+{c:04X}⟩" for c in _DIRECTIONS}}


def shown(text: str, longest: int = LONGEST_CHARS) -> str:
    """Return at most ``longest`` characters of a text; a last line says how many are left out."""
    rest = f"\n… {len(text) - longest:,} more characters are in the run file." if len(text) > longest else ""
    return harmless(text[:longest]) + rest


def harmless(text: str) -> str:
    """Return a text without control characters but tabs and line ends, its direction marks spelled out."""
    return text.replace("\r\n", "\n").translate(_TABLE)
