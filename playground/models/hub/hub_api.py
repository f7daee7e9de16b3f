"""What the Hub is asked: a search, a model's page, the header of a file that is not here.

Coroutines; cancelling one ends its request at once. Every failure is a HubError, a header that is none a ModelError.
How a request is sent is in ``hub_http``, what an answer means in ``hub_answers``.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote, urlsplit

import msgspec

from playground.errors import HubError, HubErrorKind, ModelError, UsageError, one_line
from playground.models.gguf import GgufHeader, parse_beginning
from playground.models.hub import hub, hub_card
from playground.models.hub.grouping import is_safe
from playground.models.hub.hub_answers import commit_of, found_models, repository_of, tree_files
from playground.models.hub.hub_http import LIMITS, Limits, Params, Session, connected
from playground.models.hub.hub_reference import is_repo, parse
from playground.models.hub.hub_refusals import bad_answer
from playground.models.hub.repository import FoundModel, HubFile, Page, Query, Repository, Sort

MOST_FOUND = 100  # a page
_SORT_KEYS: dict[Sort, str] = {
    "downloads": "downloads",
    "likes": "likes",
    "trending": "trendingScore",
    "newest": "createdAt",
}
_FOUND_FIELDS = ("downloads", "likes", "lastModified", "gated", "tags", "gguf")
_PAGE_FIELDS = (*_FOUND_FIELDS, "sha", "cardData")
_MOST_PAGES = 50  # of 1,000 files
_CARD_S = 5.0
_REVISION = re.compile(r"(?!.*\.\.)[\w][\w./-]{0,199}", re.ASCII)
_READS_BYTES = (
    64 << 10,
    1 << 20,
    16 << 20,
)  # the architecture; a long template before it; a vocabulary before it


async def search(query: Query, cursor: str = "", *, limits: Limits = LIMITS) -> Page:
    """Return some GGUF models of the Hub, and the cursor for the next ones. Raises HubError, UsageError."""
    async with connected("the search", limits=limits) as session:
        answer, following = await session.json("/api/models", _search_params(query, cursor))
        found = tuple(model for model in found_models(answer) if _is_within(model, query))
        return Page(found, following if following != cursor else "")


async def repository(ref: str, revision: str = "main", *, limits: Limits = LIMITS) -> Repository:
    """Return a model's page: its description, its card's first words, its files in groups.

    ``ref``: ``owner/name``, ``hf:owner/name[:QUANT]`` or an address of the Hub, whose revision counts where ``revision``
    says ``main``. Raises HubError, UsageError.
    """
    await asyncio.to_thread(hub.prepare)
    named = parse(ref, own_host())
    if revision == "main" and named.revision:
        revision = named.revision
    if not _REVISION.fullmatch(revision):
        raise UsageError(f"{revision} is no revision.", hint="Write main, a branch or a commit.")
    page = hub.web_page(named.repo)
    async with connected(named.repo, page, limits) as session:
        about, _ = await session.json(
            f"/api/models/{named.repo}/revision/{quote(revision, safe='')}",
            [("expand", field) for field in _PAGE_FIELDS],
        )
        commit = commit_of(about, named.repo)
        files, card = await _files_and_card(session, named.repo, commit)
    found = repository_of(about, named.repo, revision, files, page)
    return msgspec.structs.replace(found, summary=card)


def own_host() -> str:
    """Return the name of the server that is asked, whose addresses name models, too. Raises HubError."""
    return urlsplit(hub.endpoint()).hostname or ""


async def header(
    repo: str, commit: str, path: str, size_bytes: int = 0, *, limits: Limits = LIMITS
) -> GgufHeader:
    """Return the architecture's metadata of a file at the Hub, without tensors; ``file_bytes`` is the file's size.

    One read of 64 KB, at most two larger ones. ``size_bytes``: what the list of files says, 0 to take what comes.
    Raises HubError for the way there, ModelError for the file.
    """
    if not is_repo(repo) or not _REVISION.fullmatch(commit) or not is_safe(path):
        raise ModelError(
            f"{one_line(repr(path), 120)} of {repo} is no usable name.", hint="Choose another model."
        )
    url, data, name = f"/{repo}/resolve/{quote(commit, safe='')}/{quote(path)}", b"", path.rpartition("/")[2]
    total = size_bytes
    async with connected(repo, hub.web_page(repo), limits) as session:
        for length in _READS_BYTES:
            piece = await session.piece(url, len(data), length)
            if total not in (0, piece.file_bytes):
                raise bad_answer(repo, f"{name} has {piece.file_bytes:,} bytes, not {total:,}")
            data, url, total = data + piece.data, piece.url, piece.file_bytes
            found = await _parsed(name, data, total)
            if found is not None:
                return found
    raise ModelError(f"{name} has a header larger than any model's.", hint="Choose another model.")


async def account(*, limits: Limits = LIMITS) -> str:
    """Return the name of who the token belongs to: whether it is a good one. Raises HubError."""
    await asyncio.to_thread(hub.prepare)
    if await asyncio.to_thread(hub.token_state) is hub.TokenState.NONE:
        raise HubError(
            HubErrorKind.TOKEN,
            "No token of the Hub is set.",
            hint="Most models need none.",
            url=hub.TOKEN_PAGE,
        )
    async with connected("the account", hub.TOKEN_PAGE, limits) as session:
        answer, _ = await session.json("/api/whoami-v2")
    name = answer.get("name") if isinstance(answer, dict) else None
    if not isinstance(name, str):
        raise bad_answer("the account", "it names nobody")
    return one_line(name, 100)


async def _parsed(name: str, data: bytes, total: int) -> GgufHeader | None:
    try:
        if len(data) <= _READS_BYTES[0]:
            found = parse_beginning(name, data, total)
        else:  # a large vocabulary takes a tenth of a second
            found = await asyncio.to_thread(parse_beginning, name, data, total)
    except ModelError as error:
        raise ModelError(error.message, hint="Choose another model.") from error
    if found is not None and not found.arch:
        raise ModelError(f"{name} does not name an architecture.", hint="Choose another model.")
    return found


def _search_params(query: Query, cursor: str) -> Params:
    params: Params = [("filter", "gguf"), ("sort", _SORT_KEYS[query.sort])]
    params.append(("limit", str(min(max(1, query.limit), MOST_FOUND))))
    params += [("expand", field) for field in _FOUND_FIELDS]
    if query.words.strip():
        params.append(("search", " ".join(query.words.split())[:200]))
    if query.author.strip():
        params.append(("author", query.author.strip()))
    if query.licence.strip():
        params.append(("filter", f"license:{query.licence.strip().lower()}"))
    if query.gated is not None:
        params.append(("gated", "true" if query.gated else "false"))
    bounds = [("min", query.min_params), ("max", query.max_params)]
    limits = [f"{name}:{_params_text(number)}" for name, number in bounds if number is not None]
    if limits:
        params.append(("num_parameters", ",".join(limits)))
    if cursor:
        params.append(("cursor", cursor))
    return params


def _params_text(number: int) -> str:
    """Return a count of weights as the Hub writes it, without loss: 8B, 1500M, 135K."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if number and number % size == 0:
            return f"{number // size}{unit}"
    return str(max(0, number))


def _is_within(model: FoundModel, query: Query) -> bool:
    """Return whether a model's size is asked for; the Hub knows less exactly than its own description says."""
    if not model.params:
        return True
    above = query.min_params is None or model.params >= query.min_params
    return above and (query.max_params is None or model.params <= query.max_params)


async def _files_and_card(session: Session, repo: str, commit: str) -> tuple[list[HubFile], str]:
    card = asyncio.ensure_future(_card(session, repo, commit))
    try:
        return await _files(session, repo, commit), await card
    finally:
        card.cancel()
        await asyncio.gather(card, return_exceptions=True)  # before its client is closed


async def _files(session: Session, repo: str, commit: str) -> list[HubFile]:
    files: list[HubFile] = []
    cursors = [""]
    while len(cursors) <= _MOST_PAGES:
        params: Params = [("recursive", "true")]
        params += [("cursor", cursors[-1])] if cursors[-1] else []
        answer, following = await session.json(f"/api/models/{repo}/tree/{commit}", params)
        files += tree_files(answer, repo)
        if not following:
            return files
        if following in cursors:
            break
        cursors.append(following)
    raise bad_answer(repo, "its list of files has no end")


async def _card(session: Session, repo: str, commit: str) -> str:
    """Return the first words of the card; a page is complete without them."""
    import httpx2

    try:
        async with asyncio.timeout(_CARD_S):
            data = await session.beginning(f"/{repo}/resolve/{commit}/README.md", hub_card.READ_BYTES)
    except (HubError, httpx2.HTTPError, OSError):  # TimeoutError and a connection's errors are of these kinds
        return ""
    return hub_card.summary(data.decode("utf-8", "replace"))
