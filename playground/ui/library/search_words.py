"""The words of *Search*: results, and what they probably need before their repository has been read. Pure functions."""

from __future__ import annotations

import re

import msgspec

from playground.models.hub.repository import FoundModel, Query, Sort
from playground.ui.compare_words import size
from playground.ui.library.search_state import Known, SearchState
from playground.ui.library.words import Pill, count, licence, params, short_name

SORTS: tuple[tuple[Sort, str], ...] = (
    ("downloads", "Most downloaded"),
    ("trending", "Trending"),
    ("likes", "Most liked"),
    ("newest", "Newest"),
)
SIZES: tuple[tuple[tuple[int | None, int | None], str], ...] = (
    ((None, None), "Any"),
    ((None, 4_500_000_000), "Up to 4B"),
    ((4_500_000_000, 15_000_000_000), "5B to 15B"),
    ((15_000_000_000, 40_000_000_000), "15B to 40B"),
    ((40_000_000_000, None), "Over 40B"),
)
# Bytes for one weight in Q4_K_M and in the smallest quantizations that are offered; on top, caches and buffers.
_USUAL_BYTES, _SMALLEST_BYTES, _REST = 0.61, 0.33, 1.12
_AUTHOR = re.compile(r"(?:^|\s)(?:author|by):([\w.-]+)")
_ADDRESS = re.compile(
    r"^(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf:)([\w.-]+/[\w.-]+)", re.IGNORECASE
)


def address(text: str) -> str:
    """Return ``owner/name`` when a text is the address of a repository or a reference to it, else nothing."""
    found = _ADDRESS.match(text.strip())
    return found[1].rstrip(".") if found else ""


def with_text(query: Query, text: str) -> Query:
    """Return a query for what was typed; ``author:name`` among the words asks for one author's models."""
    found = _AUTHOR.search(text)
    words = " ".join(_AUTHOR.sub(" ", text).split())
    return msgspec.structs.replace(query, words=words, author=found[1] if found else "")


def most_params(free_bytes: int) -> int:
    """Return how many weights fit the memory in Q4_K_M, about."""
    return int(free_bytes / (_USUAL_BYTES * _REST))


def likely(found: FoundModel, free_bytes: int) -> Known:
    """Return what a model will probably need, from its number of weights alone; nothing where that is not known."""
    if not found.params or not free_bytes:
        return Known(("", "plain"), "")
    usual, smallest = (int(found.params * each * _REST) for each in (_USUAL_BYTES, _SMALLEST_BYTES))
    words = f"Q4 about {size(int(found.params * _USUAL_BYTES))}"
    if usual <= free_bytes * 0.9:
        return Known(("Likely fits", "plain"), words)
    if smallest <= free_bytes:
        return Known(("Likely tight", "plain"), words)
    return Known(("Likely too big", "plain"), words)


def by_line(found: FoundModel) -> str:
    """Return author and size."""
    return "  ·  ".join(filter(None, (found.author, params(found.params))))


def result_line(found: FoundModel, known: Known) -> str:
    """Return a result for those who hear it."""
    gated = "gated" if found.gated else ""
    parts = (f"{short_name(found.id)} by {found.author}", params(found.params), gated, known.pill[0], known.words, f"{count(found.downloads)} downloads")  # fmt: skip
    return ", ".join(filter(None, parts))


def result_tip(found: FoundModel) -> str:
    """Return what there is no room for in a row."""
    dated = f"changed {found.modified[:10]}" if found.modified else ""
    likes = f"{count(found.likes)} likes"
    return "\n".join(
        filter(None, (found.id, ", ".join(filter(None, (licence(found.licence)[0], likes, dated)))))
    )


def caption(state: SearchState) -> str:
    """Return the line above the results."""
    if state.is_searching:
        return "SEARCHING…"
    number = len(state.found)
    if not number:
        return "MODELS WITH GGUF FILES"
    more = "+" if state.cursor else ""
    return f"{number}{more} {'MODEL' if number == 1 and not more else 'MODELS'} WITH GGUF FILES"


def nothing(state: SearchState) -> tuple[str, str]:
    """Return title and sentence for a search without results."""
    words = f" for “{state.query.words}”" if state.query.words else ""
    author = f" by {state.query.author}" if state.query.author else ""
    narrowed = (
        state.fit_wish != "any" or state.query.licence or state.query.min_params or state.query.max_params
    )
    hint = (
        "Widen the filters, or try fewer words."
        if narrowed
        else "Try fewer words, or paste the address of a model."
    )
    return "Nothing found", f"The Hub has no GGUF model{words}{author} like that. {hint}"


def gated_pill(found: FoundModel) -> Pill:
    """Return the mark of a gated model."""
    return ("Gated", "badge") if found.gated else ("", "badge")
