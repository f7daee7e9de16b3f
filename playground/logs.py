"""Logging: one rotating file for the app, one for what the native engines say. Knows only config.

Prompts, answers and tokens are logged at DEBUG only, and the file's level is INFO unless the user asks.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

NATIVE = "playground.native"
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def get(room: str) -> logging.Logger:
    """Return the logger of a room, ``playground.<room>``."""
    return logging.getLogger(f"playground.{room}")


def start() -> None:
    """Send the app's log to ``<logs>/playground.log`` and the engines' native log to ``<logs>/native.log``.

    A folder that cannot be written to is not an error: the app runs without a log file.
    """
    from playground import config

    logging.raiseExceptions = False  # a disk that is full takes no log, and a terminal no tracebacks instead
    folder = config.folders().logs
    level = logging.DEBUG if os.environ.get("PLAYGROUND_DEBUG") else logging.INFO
    logger, native = logging.getLogger("playground"), logging.getLogger(NATIVE)
    logger.setLevel(level)
    native.setLevel(logging.INFO)
    native.propagate = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        logger.addHandler(_file(folder / "playground.log"))
        native.addHandler(_file(folder / "native.log"))
    except OSError:
        logger.addHandler(logging.NullHandler())
        native.addHandler(logging.NullHandler())


def _file(path: Path) -> logging.Handler:
    import logging.handlers  # behind the first paint

    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=2 << 20, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter(_FORMAT))
    return handler
