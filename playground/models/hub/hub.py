"""The one door to the Hugging Face Hub's library: its cache, its token, its settings, and the one client.

The only importer of ``huggingface_hub``. What the Hub is asked is in ``hub_api``; nothing here sends a request itself.
The token is never part of a message, a log line or a ``repr``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playground import __version__
from playground.errors import HubError, HubErrorKind, ModelError, one_line

if TYPE_CHECKING:
    import ssl

    import httpx2
    from huggingface_hub import CachedRepoInfo, HFCacheInfo

LARGEST_SMALL_BYTES = 64 << 20
TOKEN_PAGE = "https://huggingface.co/settings/tokens"  # noqa: S105 -- an address
_TOKEN_NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE")
_TRUE = ("1", "ON", "YES", "TRUE")
_LONGEST_TOKEN = 4096
_OFFLINE_NAMES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
# The client imports these while it is at work, and it works in the window's thread.
_IMPORTED_LATE = ("huggingface_hub.utils", "httpx2", "httpcore2", "h11", "anyio", "anyio._backends._asyncio")
_is_switched_off = False
_offline_listeners: list[Callable[[], None]] = []


class TokenState(StrEnum):
    """Where the token comes from."""

    NONE = "none"
    ENVIRONMENT = "environment"  # it wins over the file
    FILE = "file"  # the one that the Hub's own tools read, too


def set_offline(is_offline: bool) -> None:
    """Switch the Hub off, or on again where ``HF_HUB_OFFLINE`` allows it. Off: no request leaves this process.

    Those who do their requests elsewhere, and listen by ``when_switched_off``, end them at once.
    """
    global _is_switched_off  # noqa: PLW0603 -- the process has one switch
    _is_switched_off = is_offline
    if "huggingface_hub" in sys.modules:
        _constants()
    if is_offline:
        for listener in tuple(_offline_listeners):
            listener()


@contextmanager
def when_switched_off(listener: Callable[[], None]) -> Iterator[None]:
    """Have a listener called, on the thread that throws the switch, when the Hub is switched off meanwhile."""
    _offline_listeners.append(listener)
    try:
        yield
    finally:
        _offline_listeners.remove(listener)


def is_offline() -> bool:
    """Return whether the Hub is switched off, here or by the environment."""
    return _is_switched_off or bool(_offline_name())


def _offline_name() -> str:
    """Return the name of the variable that switches the Hub off, empty without one."""
    return next((name for name in _OFFLINE_NAMES if os.environ.get(name, "").upper() in _TRUE), "")


def endpoint() -> str:
    """Return the Hub's address without a slash at its end. Raises HubError when ``HF_ENDPOINT`` is none."""
    address = os.environ.get("HF_ENDPOINT", "").rstrip("/") or str(_constants().ENDPOINT)
    _check_address(address)
    return address


def web_page(repo: str) -> str:
    """Return the address of a model's page, to be opened in a browser."""
    parts = urlsplit(endpoint())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}/{repo}"


def prepare() -> None:
    """Import what a question needs, which takes 0.1 s the first time. Blocking."""
    import contextlib
    from importlib import import_module

    _constants()
    for name in _IMPORTED_LATE:
        with contextlib.suppress(ModuleNotFoundError):  # in another version it may have another name
            import_module(name)


def cache_folder() -> Path:
    """Return the folder of the Hub's cache, which other tools share. It needs not exist."""
    return Path(_constants().HF_HUB_CACHE)


def token_path() -> Path:
    """Return the file in which the Hub's tools keep the token."""
    return Path(_constants().HF_TOKEN_PATH)


def token_state() -> TokenState:
    """Return where the token comes from, without a look at what it is. Blocking, but short."""
    if _constants().HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return TokenState.NONE
    if any(os.environ.get(name, "").strip() for name in _TOKEN_NAMES):
        return TokenState.ENVIRONMENT
    try:
        return TokenState.FILE if token_path().stat().st_size else TokenState.NONE
    except OSError:
        return TokenState.NONE


def set_token(text: str) -> None:
    """Keep a token where the Hub's tools keep it, readable by its owner only. Blocking. Raises HubError."""
    import tempfile

    token = text.strip()
    _check_token(token)
    path = token_path().resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".token", dir=path.parent)  # made with 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(token)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _token_file_error("written", error) from error


def forget_token() -> None:
    """Delete the token's file; one in the environment stays. Blocking. Raises HubError."""
    try:
        token_path().unlink(missing_ok=True)
    except OSError as error:
        raise _token_file_error("deleted", error) from error


@asynccontextmanager
async def client(
    waits: httpx2.Timeout | float = 10.0,
) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.Headers]]:
    """Lend an HTTP client, with time-outs in seconds, and the library's headers for the Hub's own address.

    The headers hold the token and must go nowhere else: the client follows no redirects by itself. Raises HubError.
    """
    if is_offline():
        raise offline_error()
    made, headers = await asyncio.to_thread(_connect)  # reads files
    made.timeout = waits
    async with made:
        yield made, headers


def offline_error() -> HubError:
    """Return the error for a question that was not asked because the Hub is switched off."""
    return HubError(
        HubErrorKind.OFFLINE,
        "The app is offline, so the Hub was not asked.",
        hint=f"Unset {name}." if (name := _offline_name()) else "Switch offline mode off.",
    )


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


def small_file(repo: str, path: str, revision: str, repo_type: str = "dataset") -> bytes:
    """Return a file of a few megabytes from the Hub, by way of its cache. Blocking, with time-outs. Raises HubError.

    The Hub is asked first, without retries: its library would try a Hub that is away for half a minute. The library
    checks the size; the sha256 is checked here, for a file that the Hub keeps as a large one.
    """
    import hashlib

    _constants()
    if is_offline():
        raise offline_error()
    import huggingface_hub as library

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


def _constants() -> ModuleType:
    """Return the library's settings: telemetry off, and offline as it is switched here. Cheap after the first time."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # before the import, and for the library's native part
    try:
        from huggingface_hub import constants
    except ValueError as error:  # of the address, or of another setting: they are read at the import
        _check_address(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
        raise HubError(
            HubErrorKind.OFFLINE,
            f"A setting of the Hub in the environment is wrong: {one_line(str(error))}.",
            hint="Check the variables whose names begin with HF_.",
        ) from error

    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.HF_HUB_OFFLINE = is_offline()
    return constants


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = None
    if not usable:
        raise HubError(
            HubErrorKind.OFFLINE, "HF_ENDPOINT holds no web address.", hint="Unset it, or write https://HOST."
        )


def _connect() -> tuple[httpx2.AsyncClient, httpx2.Headers]:
    _constants()
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OIDCError
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, yet not in __all__

    try:
        fields = build_hf_headers(library_name="playground", library_version=__version__)
    except (
        OIDCError,
        HfHubHTTPError,
        httpx2.HTTPError,
    ) as error:  # a token that is made or renewed through the network
        raise HubError(
            HubErrorKind.TOKEN, "The Hub gave no new token.", hint="Log in again.", url=TOKEN_PAGE
        ) from error
    except OSError as error:
        raise _token_file_error("read", error) from error
    except ValueError as error:  # no UTF-8
        raise _bad_token() from error
    _check_token(fields.get("authorization", "").removeprefix("Bearer ") or "none")
    hooks = {"request": [_stop_when_offline]}
    made = httpx2.AsyncClient(verify=_certificates(), event_hooks=hooks, follow_redirects=False)
    return made, httpx2.Headers(fields)  # whose repr hides the token


async def _stop_when_offline(_request: httpx2.Request) -> None:
    if is_offline():
        raise offline_error()


@cache
def _certificates() -> ssl.SSLContext:
    """Return what is trusted, read once: it takes 20 ms, twenty times as long as all else of a client."""
    import httpx2

    return httpx2.create_ssl_context()


def _check_token(token: str) -> None:
    if not (
        0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token
    ):
        raise _bad_token()


def _bad_token() -> HubError:
    return HubError(
        HubErrorKind.TOKEN,
        "The Hub's token is none: it is empty, too long, or holds characters that no token has.",
        hint="Copy it again from the Hub's settings.",
        url=TOKEN_PAGE,
    )


def _token_file_error(what: str, error: OSError) -> HubError:
    return HubError(
        HubErrorKind.TOKEN,
        f"The token's file {token_path()} cannot be {what}: {error.strerror}.",
        hint="Check its permissions.",
    )


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


def _check_size(size_bytes: int, what: str) -> None:
    if size_bytes > LARGEST_SMALL_BYTES:
        size = f"{size_bytes:,} bytes; {LARGEST_SMALL_BYTES:,} is the most"
        raise HubError(HubErrorKind.BAD_ANSWER, f"{what} has {size}.")


def _small_file_error(error: Exception, repo: str, path: str) -> HubError:
    from huggingface_hub import errors

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
