"""Where the app's files lie. Knows no other room.

``PLAYGROUND_HOME`` moves all of them below one folder; without it they follow the platform's conventions.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP_NAME = "playground"


@dataclass(frozen=True, slots=True)
class Folders:
    """The app's own folders. None of them needs to exist yet."""

    data: Path
    config: Path
    logs: Path
    cache: Path

    @property
    def models(self) -> Path:
        """Model files that the app made itself: the assembled starter, smaller copies."""
        return self.data / "models"


def folders() -> Folders:
    """Return the app's folders for the current environment."""
    home = os.environ.get("PLAYGROUND_HOME")
    if home:
        base = Path(home).expanduser().absolute()
        return Folders(base / "data", base / "config", base / "logs", base / "cache")
    dirs = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
    return Folders(
        Path(dirs.user_data_dir),
        Path(dirs.user_config_dir),
        Path(dirs.user_log_dir),
        Path(dirs.user_cache_dir),
    )
