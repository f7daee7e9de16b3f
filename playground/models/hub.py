"""The Hub's own library, for this disk. The only importer of ``huggingface_hub``; uses no network."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import ModelError

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo, HFCacheInfo


def delete_cached(repository: Path, blobs: Collection[Path]) -> bool:
    """Delete blobs of a repository, and its snapshots' files that they are the content of; with all of them, it too.

    ``blobs``: as a snapshot's link names them; a file that is no link is its own blob. Links to content that is not
    needed otherwise are freed in the cache's shared store, too. Returns False, having done nothing, when the library
    finds the repository damaged or cannot read the cache. Raises ModelError when the system refuses. Blocking.
    """
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(repository.parent)
    except (CacheNotFound, ValueError, OSError):  # some other repository may not be read, for one
        return False
    found = _repository(cache, repository)
    if found is None:
        return False
    try:
        _delete(cache, found, {_real(blob) for blob in blobs})
    except OSError as error:
        raise ModelError(
            f"The Hub cache refuses to delete {error.filename or repository}: {error.strerror}.",
            hint="Check the permissions of its folders.",
        ) from error
    return True


def _repository(cache: HFCacheInfo, repository: Path) -> CachedRepoInfo | None:
    real = Path(os.path.realpath(repository))
    return next((repo for repo in cache.repos if repo.repo_path == real), None)


def _delete(cache: HFCacheInfo, repository: CachedRepoInfo, blobs: set[Path]) -> None:
    # The library finds revisions by their commit alone, and a copied or renamed repository has the same commits.
    cache = replace(cache, repos=frozenset({repository}))
    files = {file for revision in repository.revisions for file in revision.files}
    chosen = {file for file in files if file.blob_path in blobs}
    known = {file.blob_path for file in files}
    unfinished = any(path not in known for path in (repository.repo_path / "blobs").glob("*"))
    if chosen == files and not unfinished:
        commits = [revision.commit_hash for revision in repository.revisions]
        cache.delete_revisions(*commits).execute()
    else:
        cache.delete_files(*chosen).execute()


def _real(path: Path) -> Path:
    """Return a path as the library has it: folders resolved, the last name as it is."""
    return Path(os.path.realpath(path.parent)) / path.name
