"""What *Downloads* knows, frozen, and its words: every state has a pill, figures that can be checked, one next step."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Literal

from playground.models.downloads.download import Download, DownloadState
from playground.ui.compare_words import size
from playground.ui.library.services import DownloadRules
from playground.ui.library.words import Pill, duration, of_size, rough, short_name, speed

Section = Literal["active", "needs", "done"]
RowAct = Literal["pause", "resume", "retry", "use_a", "use_b"]
SECTIONS: tuple[Section, ...] = ("active", "needs", "done")
LIMITS: tuple[tuple[int | None, str], ...] = (
    (None, "None"),
    (1_000_000, "1 MB/s"),
    (5_000_000, "5 MB/s"),
    (10_000_000, "10 MB/s"),
    (25_000_000, "25 MB/s"),
    (50_000_000, "50 MB/s"),
)
PARALLEL: tuple[tuple[int, str], ...] = ((1, "1"), (2, "2"), (3, "3"), (4, "4"))
_SECTION_OF: dict[DownloadState, Section] = {
    DownloadState.PAUSED: "needs",
    DownloadState.FAILED: "needs",
    DownloadState.DONE: "done",
}
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_KEPT_BYTES = 100_000_000  # what has taken some time to arrive is not thrown away without a question
_PAUSE, _RESUME = ("pause", "Pause", "pause"), ("resume", "Resume", "play")


@dataclass(frozen=True, slots=True)
class DownloadsState:
    """``now_s``: seconds of ``time.time``, as of the last look. ``problem``: why an intent was refused."""

    downloads: tuple[Download, ...] = ()
    free_bytes: int = 0
    disk_bytes: int = 0
    now_s: float = 0.0
    rules: DownloadRules = field(default_factory=lambda: DownloadRules(1, None, ""))
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """One download to be shown. ``acts``: what it does, its words, its picture; the first one is what Enter does."""

    id: str
    name: str
    quant: str
    note: str
    pill: Pill
    share: str
    fraction: float | None
    tint: str
    figures: tuple[str, ...]
    why: str
    acts: tuple[tuple[str, str, str], ...]
    removal: str
    asks_first: bool


def section(download: Download) -> Section:
    """Return where a download is listed."""
    return _SECTION_OF.get(download.state, "active")


def caption(name: Section, downloads: tuple[Download, ...]) -> str:
    """Return the line above a section."""
    if name == "active":
        pace = sum(one.bytes_per_s for one in downloads if one.state is DownloadState.ACTIVE)
        return f"ACTIVE, {speed(pace).upper()} IN ALL" if pace else "ACTIVE"
    return "NEEDS YOU" if name == "needs" else "FINISHED"


def tab_count(downloads: tuple[Download, ...]) -> int:
    """Return how many are under way or need somebody."""
    return sum(one.state is not DownloadState.DONE for one in downloads)


def status(downloads: tuple[Download, ...]) -> str:
    """Return what is under way in one line, empty when nothing is."""
    words = {DownloadState.ACTIVE: "downloading", DownloadState.VERIFYING: "checking", DownloadState.WAITING: "retrying", DownloadState.QUEUED: "queued"}  # fmt: skip
    numbers = {word: sum(one.state is state for one in downloads) for state, word in words.items()}
    return ", ".join(f"{word} {number}" for word, number in numbers.items() if number).capitalize()


def to_come(downloads: tuple[Download, ...]) -> int:
    """Return how many bytes the listed downloads still have to write."""
    return sum(
        one.total_bytes - one.received_bytes for one in downloads if one.state is not DownloadState.DONE
    )


def disk_words(state: DownloadsState) -> tuple[str, str]:
    """Return what is free in words, and what will be left."""
    coming = to_come(state.downloads)
    free = f"{rough(state.free_bytes)} free in the models folder"
    if not coming:
        return free, ""
    left = state.free_bytes - coming
    after = f"{rough(left)} left after that" if left >= 0 else f"{size(-left)} too little"
    return free, f"{size(coming)} still to come  ·  {after}"


def disk_shares(state: DownloadsState) -> tuple[tuple[float, str], ...]:
    """Return the disk as shares: what is used, what is still to come."""
    whole = max(state.disk_bytes, state.free_bytes, 1)
    used = whole - state.free_bytes
    coming = min(to_come(state.downloads), state.free_bytes)
    return (used / whole, "buffers"), (coming / whole, "accent")


def can_pause(downloads: tuple[Download, ...]) -> bool:
    """Return whether anything goes on that could be paused."""
    return any(section(one) == "active" for one in downloads)


def can_resume(downloads: tuple[Download, ...]) -> bool:
    """Return whether anything is paused."""
    return any(one.state is DownloadState.PAUSED for one in downloads)


def row(download: Download, now_s: float) -> DownloadRow:
    """Return what a download's row shows."""
    state, total = download.state, max(download.total_bytes, 1)
    is_check = state is DownloadState.VERIFYING
    fraction = (download.checked_bytes if is_check else download.received_bytes) / total
    ended = state in (DownloadState.DONE, DownloadState.FAILED)
    tints = {DownloadState.WAITING: "warn", DownloadState.VERIFYING: "ok", DownloadState.PAUSED: "faint", DownloadState.QUEUED: "faint"}  # fmt: skip
    return DownloadRow(
        id=download.id,
        name=short_name(download.repo),
        quant=download.quant,
        note="  ·  ".join(filter(None, (download.note, "" if ended else _part(download)))),
        pill=_pill(download, now_s),
        share="" if ended else f"{fraction:.0%}",
        fraction=None if ended else fraction,
        tint=tints.get(state, "accent"),
        figures=_figures(download, now_s),
        why=f"{download.error} {download.hint}".strip() if state is DownloadState.FAILED else "",
        acts=_acts(download),
        removal="Remove from this list"
        if state is DownloadState.DONE
        else "Cancel and delete what has arrived",
        asks_first=state is not DownloadState.DONE and download.received_bytes >= _KEPT_BYTES,
    )


def _part(download: Download) -> str:
    names = [item.file.path for item in download.files]
    parts = [item for item in download.files if _PART.search(item.file.path)]
    if len(parts) < 2:
        return f"{len(names)} files" if len(names) > 1 else ""
    current = next((item for item in parts if not item.is_verified), parts[-1])
    found = _PART.search(current.file.path)
    return f"part {int(found[1])} of {int(found[2])}" if found else ""


def _pill(download: Download, now_s: float) -> Pill:
    wait = download.retry_at - now_s
    pills: dict[DownloadState, Pill] = {
        DownloadState.QUEUED: ("Queued", "plain"),
        DownloadState.ACTIVE: ("Downloading", "run") if download.bytes_per_s else ("Connecting", "run"),
        DownloadState.WAITING: (f"Retry {download.attempt} in {duration(wait)}" if wait > 0 else f"Retrying, {download.attempt}", "warn"),
        DownloadState.VERIFYING: ("Verifying sha256", "run"),
        DownloadState.PAUSED: ("Paused", "plain"),
        DownloadState.FAILED: ("Failed", "bad"),
        DownloadState.DONE: ("Done", "ok"),
    }  # fmt: skip
    return pills[download.state]


def _figures(download: Download, now_s: float) -> tuple[str, ...]:
    total, here = download.total_bytes, of_size(download.received_bytes, download.total_bytes)
    left = download.seconds_left
    figures: dict[DownloadState, tuple[str, ...]] = {
        DownloadState.QUEUED: (here, "waits for its turn"),
        DownloadState.ACTIVE: (
            here,
            f"{speed(download.bytes_per_s)} over the last seconds",
            f"{duration(left)} left" if left is not None else "",
        ),
        DownloadState.WAITING: (here, download.error),
        DownloadState.VERIFYING: (f"{here} received", f"checked {size(download.checked_bytes)}"),
        DownloadState.PAUSED: (f"{here} kept", f"paused {_when(download.paused_at, now_s)}" if download.paused_at else ""),
        DownloadState.DONE: (_took(download), "sha256 matches"),
        DownloadState.FAILED: (f"{here} kept",) if 0 < download.received_bytes < total else (),
    }  # fmt: skip
    return tuple(filter(None, figures[download.state]))


def _took(download: Download) -> str:
    spent = download.ended_at - download.added_at
    timed = f" in {duration(spent)}" if download.added_at and spent > 0 else ""
    return f"{size(download.total_bytes)}{timed}"


def _when(then_s: float, now_s: float) -> str:
    then, now = (dt.datetime.fromtimestamp(seconds, tz=dt.UTC).astimezone() for seconds in (then_s, now_s))
    clock = f"{then:%H:%M}"
    return f"at {clock}" if then.date() == now.date() else f"on {then.day} {then:%B} at {clock}"


def _acts(download: Download) -> tuple[tuple[str, str, str], ...]:
    acts: dict[DownloadState, tuple[tuple[str, str, str], ...]] = {
        DownloadState.QUEUED: (_PAUSE,),
        DownloadState.ACTIVE: (_PAUSE,),
        DownloadState.WAITING: (("retry", "Retry now", "redo"), _PAUSE),
        DownloadState.PAUSED: (_RESUME,),
        DownloadState.FAILED: (("retry", "Download again", "redo"),),
        DownloadState.DONE: (("use_a", "Use as A", "compare"), ("use_b", "Use as B", "")),
    }
    return acts.get(download.state, ())


def question(shown: DownloadRow) -> tuple[str, str]:
    """Return title and text of the question before what has arrived is deleted."""
    return (
        f"Delete what has arrived of {shown.name} {shown.quant}?",
        f"{shown.figures[0] if shown.figures else 'The part that is here'}. Pausing keeps it.",
    )
