"""What the Library screen needs of the rest, as types. ``app`` gives it the real ones, tests give scripted ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.models.catalog.catalog_values import Proposal
from playground.models.disk.inventory_values import Disk, DiskModel
from playground.models.downloads.download import Download
from playground.models.fitness import Fit, Machine
from playground.models.hub.repository import Page, Query, Repository

OnLooking = Callable[[str], None]  # what is being looked at, in a few words


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """How downloads go: how many at once, how fast together (None: as fast as they can), and where to.

    ``problem``: why their list cannot be kept for the next start, as a sentence.
    """

    parallel: int
    limit_bytes_per_s: int | None
    folder: str
    problem: str = ""


class LibraryServices(Protocol):
    """Everything behind the Library screen. All is called in the window's thread; what takes long is a coroutine.

    Failures are PlaygroundErrors: HubError with its kind, DownloadError, ModelError, UsageError. A coroutine that
    is cancelled ends its request at once.
    """

    async def machine(self) -> Machine:
        """Return this machine's memory as it is now."""

    async def proposals(self, n_ctx: int) -> tuple[Proposal, ...]:
        """Return the catalog's pairs on this machine with such a context, the most fitting first."""

    async def search(self, query: Query, cursor: str) -> Page:
        """Return results from a cursor on, "" for the first ones."""

    async def repository(self, ref: str) -> Repository:
        """Return a repository by ``owner/name``, ``hf:owner/name[:QUANT]`` or its address on the Hub."""

    async def fits(self, repository: Repository, n_ctx: int) -> dict[str, Fit]:
        """Return by quantization how each one fits; the header is fetched once and kept for other contexts."""

    async def disk(self, on_looking: OnLooking) -> Disk:
        """Look for all models on this disk."""

    async def remove(self, models: Sequence[DiskModel]) -> int:
        """Delete models and return how many bytes that has freed."""

    def added_folders(self) -> tuple[str, ...]:
        """Return the folders that the user has added."""

    def add_folder(self, path: str) -> None:
        """Look into one more folder from now on. Raises PlaygroundError for one that cannot be read."""

    def remove_folder(self, path: str) -> None:
        """Look no longer into an added folder; its files stay."""

    def downloads(self) -> tuple[Download, ...]:
        """Return all downloads that are listed, in the order of their coming."""

    def set_downloads_listener(self, listener: Callable[[], None]) -> None:
        """Have this called, in the window's thread, whenever a download has changed; as often as one likes."""

    async def download(self, ref: str, quant: str, note: str) -> None:
        """Queue a quantization of ``owner/name``, or what is missing of it. ``note``: what it is fetched for.

        One that is listed already goes on instead. Raises DownloadError where the disk is too small, HubError.
        """

    def pause(self, id_: str) -> None:
        """Pause a download; what is here is kept."""

    def resume(self, id_: str) -> None:
        """Go on with a paused one."""

    def cancel(self, id_: str) -> None:
        """End a download, take it off the list and delete what has arrived."""

    def retry(self, id_: str) -> None:
        """Try a failed or waiting one at once."""

    def forget(self, id_: str) -> None:
        """Take one that is done off the list; its files stay."""

    def pause_all(self) -> None:
        """Pause all downloads."""

    def resume_all(self) -> None:
        """Go on with all paused ones."""

    def rules(self) -> DownloadRules:
        """Return how downloads go."""

    def set_parallel(self, count: int) -> None:
        """Set how many go at once."""

    def set_limit(self, bytes_per_s: int | None) -> None:
        """Set how fast all go together; None: as fast as they can."""

    def disk_free_bytes(self) -> int:
        """Return what is free on the disk of the models folder."""

    async def token_state(self) -> str:
        """Return where a Hub token was found ("the Hub's own file", "the environment"), empty without one."""

    async def set_token(self, text: str) -> None:
        """Check a token and keep it where the Hub's tools do; empty: forget it. Raises HubError when it is refused."""
