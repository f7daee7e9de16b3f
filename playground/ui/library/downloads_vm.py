"""*Downloads* without widgets: what the service says, at most four times a second, and what is asked of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from playground.errors import PlaygroundError
from playground.models.downloads.download import Download, DownloadState
from playground.ui.library.downloads_words import DownloadsState
from playground.ui.library.services import LibraryServices

TOLD_MS, _TICK_MS = 250, 1000


class DownloadsVm(QObject):
    """``finished`` names downloads that have become whole since the last look."""

    changed = Signal(object)
    finished = Signal(object)
    use_wanted = Signal(str, str)

    def __init__(
        self,
        services: LibraryServices,
        parent: QObject | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._services, self._clock = services, clock
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(TOLD_MS)
        self._soon.timeout.connect(self._rest)
        self._is_late = False
        self._ticks = QTimer(self)
        self._ticks.setInterval(_TICK_MS)
        self._ticks.timeout.connect(self.look)
        self.state = DownloadsState(
            services.downloads(), services.disk_free_bytes(), rules=services.rules(), now_s=clock()
        )
        services.set_downloads_listener(self._told)
        self._tick_if_counting()

    def look(self) -> None:
        """Read how downloads stand."""
        old = {one.id: one.state for one in self.state.downloads}
        downloads = self._services.downloads()
        self._set(
            replace(
                self.state,
                downloads=downloads,
                free_bytes=self._services.disk_free_bytes(),
                rules=self._services.rules(),
                now_s=self._clock(),
            )
        )
        self._tick_if_counting()
        fresh = [
            one for one in downloads if one.state is DownloadState.DONE and old.get(one.id) is not one.state
        ]
        if fresh:
            self.finished.emit(tuple(fresh))

    def set_disk(self, disk_bytes: int) -> None:
        """Take how large the disk is."""
        self._set(replace(self.state, disk_bytes=disk_bytes))

    def act(self, id_: str, act: str) -> None:
        """Do what a row's button says."""
        if act in ("use_a", "use_b"):
            if path := next((one.path for one in self.state.downloads if one.id == id_), ""):
                self.use_wanted.emit(act[-1].upper(), path)
            return
        intents: dict[str, Callable[[str], None]] = {
            "pause": self._services.pause,
            "resume": self._services.resume,
            "retry": self._services.retry,
        }
        self._try(lambda: intents[act](id_))

    def remove(self, id_: str) -> None:
        """Take a download off the list; one that is not done is ended, and what has arrived is deleted."""
        found: Download | None = next((one for one in self.state.downloads if one.id == id_), None)
        if found is not None:
            done = found.state is DownloadState.DONE
            self._try(lambda: (self._services.forget if done else self._services.cancel)(id_))

    def pause_all(self) -> None:
        """Pause what goes on."""
        self._try(self._services.pause_all)

    def resume_all(self) -> None:
        """Go on with what is paused."""
        self._try(self._services.resume_all)

    def set_limit(self, bytes_per_s: int | None) -> None:
        """Set how fast all go together."""
        self._try(lambda: self._services.set_limit(bytes_per_s))

    def set_parallel(self, count: int) -> None:
        """Set how many go at once."""
        self._try(lambda: self._services.set_parallel(count))

    def _try(self, intent: Callable[[], object]) -> None:
        problem = ""
        try:
            intent()
        except PlaygroundError as error:
            problem = error.sentence()
        self._set(replace(self.state, problem=problem))
        self.look()

    def _told(self) -> None:
        """Look at once, and then not again for a while: bytes arrive faster than anybody reads."""
        if self._soon.isActive():
            self._is_late = True
        else:
            self._soon.start()
            self.look()

    def _rest(self) -> None:
        if self._is_late:
            self._is_late = False
            self._soon.start()
            self.look()

    def _tick_if_counting(self) -> None:
        counting = any(one.state is DownloadState.WAITING for one in self.state.downloads)
        if counting != self._ticks.isActive():
            (self._ticks.start if counting else self._ticks.stop)()

    def _set(self, state: DownloadsState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
