"""What lies on this disk and who put it there: the values. Finding it is in ``inventory``, deleting in ``removal``."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Place(StrEnum):
    """Whose folder a model lies in. Files of other programs are used in place and never deleted."""

    APP = "app"
    HUB = "hub"
    LM_STUDIO = "lm_studio"
    OLLAMA = "ollama"
    JAN = "jan"
    GPT4ALL = "gpt4all"
    LLAMA_CPP = "llama_cpp"
    FOLDER = "folder"  # one that the user added


class DiskState(StrEnum):
    """Whether a model can be used."""

    READY = "ready"
    PARTIAL = "partial"  # a download that did not end
    BROKEN = "broken"  # cut off, or no GGUF
    PART_MISSING = "part_missing"  # of a split model
    DUPLICATE = "duplicate"  # the same content as another one that is listed
    UNREADABLE = "unreadable"


class DiskModel(msgspec.Struct, frozen=True):
    """One model on disk. ``files``: all its parts; ``path`` the first, which is what is loaded.

    ``ref`` is what a person types, empty for one that cannot be used. ``problem``: a sentence when it is not ready.
    ``same_as``: the path of the one it duplicates. ``fraction``: of a partial one.
    ``measured_bytes``: what it took when it was last loaded, with a context of ``measured_n_ctx`` tokens, beside the
    estimate of then; 0 where that is not known.
    """

    ref: str
    path: str
    name: str
    place: Place
    state: DiskState
    size_bytes: int
    files: tuple[str, ...]
    arch: str = ""
    quant: str = ""
    params: int = 0
    n_ctx_train: int = 0
    licence: str = ""
    repo: str = ""
    is_base: bool = False
    problem: str = ""
    same_as: str = ""
    fraction: float | None = None
    measured_bytes: int = 0
    estimated_bytes: int = 0
    measured_n_ctx: int = 0

    @property
    def can_delete(self) -> bool:
        """Return whether the app may delete it."""
        return self.place in (Place.APP, Place.HUB, Place.FOLDER)


class Disk(msgspec.Struct, frozen=True):
    """All that was found, and the disk of the Hub cache, bytes. ``folders``: those that were looked into."""

    models: tuple[DiskModel, ...]
    total_bytes: int
    free_bytes: int
    folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # folders that could not be read, in words
