"""The words of ``playground models pull``: sizes, speed and time left on one line. Pure."""

from __future__ import annotations

import shutil

from playground.models.downloads.download import Download, DownloadState

_BAR = 24


def beginning(ref: str, download: Download) -> str:
    """Return what is fetched: its name, parts and size."""
    parts = f", {len(download.files)} parts" if len(download.files) > 1 else ""
    return f"{ref}: {download.quant}, {size(download.total_bytes)}{parts}"


def bar(download: Download) -> str:
    """Return a line for a terminal, no wider than it."""
    done = download.received_bytes / download.total_bytes if download.total_bytes else 1.0
    full = round(_BAR * done)
    line = f"[{'#' * full}{'.' * (_BAR - full)}] {done:4.0%}  {figures(download)}"
    return line[: shutil.get_terminal_size().columns - 1]


def figures(download: Download) -> str:
    """Return how far it is."""
    if download.state is DownloadState.VERIFYING:
        return f"checking what is here: {size(download.checked_bytes)}"
    if download.state is DownloadState.WAITING:
        return f"waiting, attempt {download.attempt}"
    text = f"{size(download.received_bytes)} of {size(download.total_bytes)}"
    left = download.seconds_left
    if left is None:
        return text
    return f"{text}, {size(round(download.bytes_per_s))}/s, {duration(left)} left"


def setback(download: Download) -> str:
    """Return why it waits."""
    return (
        f"{download.error} Trying again (attempt {download.attempt})." if download.attempt else download.error
    )


def size(size_bytes: int) -> str:
    """Return a size as a person reads it."""
    for unit, digits in (("GB", 2), ("MB", 1)):
        scale = 1e9 if unit == "GB" else 1e6
        if size_bytes >= scale:
            return f"{size_bytes / scale:.{digits}f} {unit}"
    return f"{size_bytes / 1e3:.1f} kB"


def duration(seconds: float) -> str:
    """Return a duration as a person reads it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
