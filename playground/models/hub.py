"""The one door to the Hugging Face Hub's library: its cache, its token, its settings, and the one client.

The only importer of ``huggingface_hub``. What the Hub is asked is in ``hub_api``; nothing here sends a request itself.
The token is never part of a message, a log line or a ``repr``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playground import __version__
from playground.errors import HubError, HubErrorKind, ModelError, NotFoundError
from playground.models.quants import name_of

if TYPE_CHECKING:
    import ssl

    import httpx2

TOKEN_PAGE = "https://huggingface.co/settings/tokens"  # noqa: S105 -- an address
_TOKEN_NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE")
_TRUE = ("1", "ON", "YES", "TRUE")
_LONGEST_TOKEN = 4096
_is_switched_off = False


class TokenState(StrEnum):
    """Where the token comes from."""

    NONE = "none"
    ENVIRONMENT = "environment"  # it wins over the file
    FILE = "file"  # the one that the Hub's own tools read, too


def set_offline(is_offline: bool) -> None:
    """Switch the Hub off, or on again where ``HF_HUB_OFFLINE`` allows it. Off: no request leaves this process."""
    global _is_switched_off  # noqa: PLW0603 -- the process has one switch
    _is_switched_off = is_offline
    if "huggingface_hub" in sys.modules:
        _constants()


def is_offline() -> bool:
    """Return whether the Hub is switched off, here or by the environment."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return _is_switched_off or any(os.environ.get(name, "").upper() in _TRUE for name in names)


def endpoint() -> str:
    """Return the Hub's address without a slash at its end. Raises HubError when ``HF_ENDPOINT`` is none."""
    address = os.environ.get("HF_ENDPOINT", "").rstrip("/") or str(_constants().ENDPOINT)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = None
    if not usable:
        raise HubError(
            HubErrorKind.OFFLINE, "HF_ENDPOINT holds no web address.", hint="Unset it, or write https://HOST."
        )
    return address


def web_page(repo: str) -> str:
    """Return the address of a model's page, to be opened in a browser."""
    parts = urlsplit(endpoint())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}/{repo}"


def prepare() -> None:
    """Import what a question needs, which takes 0.1 s the first time. Blocking."""
    _constants()
    import huggingface_hub.utils  # noqa: F401


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
        hint="Switch offline mode off, or unset HF_HUB_OFFLINE.",
    )


def cached_ggufs() -> list[tuple[str, Path]]:
    """Return (reference, path) of every GGUF in the cache, first parts only. Blocking; [] without a cache."""
    _constants()
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
            hint=f"Download it first, for example with: playground models pull hf:{repository}",
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


def _is_model(path: Path) -> bool:
    name = path.name.lower()
    later_part = "-of-" in name and "-00001-of-" not in name
    return name.endswith(".gguf") and not later_part and not name.startswith("mmproj")


def _constants() -> ModuleType:
    """Return the library's settings: telemetry off, and offline as it is switched here. Cheap after the first time."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # before the import, and for the library's native part
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.HF_HUB_OFFLINE = is_offline()
    return constants


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
