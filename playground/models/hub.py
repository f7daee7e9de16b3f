"""The Hugging Face cache on this disk. The only importer of ``huggingface_hub``; uses no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import ModelError, NotFoundError
from playground.models.quants import name_of

if TYPE_CHECKING:
    from playground.errors import HubError


def cached_ggufs() -> list[tuple[str, Path]]:
    """Return (reference, path) of every GGUF in the cache, first parts only. Blocking; [] without a cache."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir()
    except CacheNotFound:
        return []
    found: dict[Path, str] = {}
    for repo in cache.repos:
        if repo.repo_type != "model":
            continue
        for revision in sorted(repo.revisions, key=lambda item: item.last_modified):
            for file in revision.files:
                path = Path(file.file_path)
                if _is_model(path):
                    found[path] = f"hf:{repo.repo_id}:{name_of(None, path.name)}"
    return sorted((reference, path) for path, reference in found.items())


def cached_gguf(repository: str, quant: str | None) -> Path:
    """Return the cached GGUF of ``owner/name`` in a quantization. Raises ModelError when there is none."""
    prefix = f"hf:{repository}:"
    mine = [(ref.removeprefix(prefix), path) for ref, path in cached_ggufs() if ref.startswith(prefix)]
    if not mine:
        raise NotFoundError(
            f"{repository} is not in the Hugging Face cache.",
            hint=f"Download it first, for example with: hf download {repository}",
        )
    fitting = [path for name, path in mine if quant is None or name.upper() == quant.upper()]
    names = ", ".join(sorted({name for name, _ in mine}))
    if not fitting:
        raise ModelError(f"{repository} is in the cache, but not as {quant}.", hint=f"There is: {names}.")
    if quant is None and len(fitting) > 1:
        raise ModelError(
            f"{repository} is in the cache in several quantizations.",
            hint=f"Name one of: {names} (…:{mine[0][0]}).",
        )
    return fitting[-1]


LARGEST_SMALL_BYTES = 64 << 20


def small_file(repo: str, path: str, revision: str, repo_type: str = "dataset") -> bytes:
    """Return a file of a few megabytes from the Hub, by way of its cache. Blocking, with time-outs. Raises HubError.

    The Hub is asked first, without retries: its library would try a Hub that is away for half a minute. The library
    checks the size; the sha256 is checked here, for a file that the Hub keeps as a large one.
    """
    import hashlib

    import huggingface_hub as library

    from playground.errors import HubError, HubErrorKind

    try:
        url = library.hf_hub_url(repo, path, repo_type=repo_type, revision=revision)
        known = library.get_hf_file_metadata(url, timeout=20)
        _check_size(known.size or 0, f"{path} of {repo}")
        commit = known.commit_hash or revision
        found = Path(
            library.hf_hub_download(repo, path, repo_type=repo_type, revision=commit, etag_timeout=20)
        )
        content = found.read_bytes()
    except HubError:
        raise
    except Exception as error:
        raise _small_file_error(error, repo, path) from error
    digest = known.etag or ""
    if len(digest) == 64 and hashlib.sha256(content).hexdigest() != digest:
        found.resolve().unlink(missing_ok=True)
        raise HubError(HubErrorKind.BAD_ANSWER, f"{path} of {repo} arrived damaged.", hint="Fetch it again.")
    return content


def _check_size(size_bytes: int, what: str) -> None:
    from playground.errors import HubError, HubErrorKind

    if size_bytes > LARGEST_SMALL_BYTES:
        size = f"{size_bytes:,} bytes; {LARGEST_SMALL_BYTES:,} is the most"
        raise HubError(HubErrorKind.BAD_ANSWER, f"{what} has {size}.")


def _small_file_error(error: Exception, repo: str, path: str) -> HubError:
    from huggingface_hub import errors

    from playground.errors import HubError, HubErrorKind

    if isinstance(error, errors.GatedRepoError):
        url = f"https://huggingface.co/datasets/{repo}"
        return HubError(HubErrorKind.GATED, f"{repo} is only for people who accepted its terms.", url=url)
    missing = (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError)
    if isinstance(error, missing) and not isinstance(error, errors.LocalEntryNotFoundError):
        return HubError(HubErrorKind.NOT_FOUND, f"The Hub has no {path} in {repo}.")
    return HubError(
        HubErrorKind.OFFLINE,
        f"{path} of {repo} could not be fetched from the Hub.",
        hint="Check the connection, then try again.",
        detail=str(error),
    )


def _is_model(path: Path) -> bool:
    name = path.name.lower()
    later_part = "-of-" in name and "-00001-of-" not in name
    return name.endswith(".gguf") and not later_part and not name.startswith("mmproj")
