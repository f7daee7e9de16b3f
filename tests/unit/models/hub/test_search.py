"""Searching the Hub, through the real HTTP client and a server of our own."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from playground.errors import HubError, HubErrorKind
from playground.models.hub import hub_api
from playground.models.hub.hub_http import Limits
from playground.models.hub.repository import Page, Query
from tests.support.fake_hub import FakeHub, Fault
from tests.unit.models.hub.conftest import asked


def _search(query: Query, cursor: str = "", limits: Limits | None = None) -> Page:
    return asyncio.run(hub_api.search(query, cursor, limits=limits or Limits()))


def _add(hub: FakeHub, name: str, **meta: Any) -> None:  # noqa: ANN401 -- JSON of the API
    hub.add(name, {}, **meta)


def test_a_line_says_what_the_hub_says(hub: FakeHub) -> None:
    _add(
        hub,
        "acme/Coder-8B-GGUF",
        downloads=12,
        likes=3,
        gated="manual",
        tags=["gguf", "license:apache-2.0"],
        gguf={"total": 8_000_000_000, "architecture": "qwen3", "context_length": 40_960},
    )
    (found,) = _search(Query("coder")).found
    assert (found.author, found.name) == ("acme", "Coder-8B-GGUF")
    assert (found.downloads, found.likes, found.gated) == (12, 3, "manual")
    assert (found.licence, found.params, found.arch, found.n_ctx_train) == (
        "apache-2.0",
        8_000_000_000,
        "qwen3",
        40_960,
    )
    assert found.modified.startswith("2026-10-01")


def test_every_wish_reaches_the_hub(hub: FakeHub) -> None:
    query = Query(
        " small   coder ",
        sort="trending",
        author="acme",
        licence="MIT",
        gated=False,
        min_params=1_500_000_000,
        max_params=8_000_000_000,
        limit=7,
    )
    _search(query)
    (request,) = hub.requests("GET", "/api/models")
    sent = parse_qs(request.query)
    assert sent.pop("expand") == ["downloads", "likes", "lastModified", "gated", "tags", "gguf"]
    assert sent == {
        "filter": ["gguf", "license:mit"],
        "sort": ["trendingScore"],
        "limit": ["7"],
        "search": ["small coder"],
        "author": ["acme"],
        "gated": ["false"],
        "num_parameters": ["min:1500M,max:8B"],
    }


def test_pages_follow_each_other_to_the_last(hub: FakeHub) -> None:
    for number in range(5):
        _add(hub, f"acme/m{number}", downloads=100 - number)
    names, cursor = [], ""
    while True:
        page = _search(Query(limit=2), cursor)
        names.append([model.name for model in page.found])
        cursor = page.cursor
        if not cursor:
            break
    assert names == [["m0", "m1"], ["m2", "m3"], ["m4"]]


def test_the_next_page_comes_from_the_hub_whatever_address_it_names(hub: FakeHub) -> None:
    with FakeHub() as other:
        link = {"Link": f'<{other.url}/api/models?cursor=2>; rel="next"'}
        hub.faults.append(Fault("status", status=200, headers=link))
        with pytest.raises(HubError):  # that body is no list
            _search(Query())
        assert not other.log


def test_names_that_no_address_may_hold_are_left_out(hub: FakeHub) -> None:
    for name in ("../../etc", "acme/..", "acme/a--b", "no-owner", "acme/\x1b[2J", "-x/y", "acme/ok"):
        _add(hub, name)
    assert [model.id for model in _search(Query()).found] == ["acme/ok"]


def test_a_size_that_was_not_asked_for_is_left_out(hub: FakeHub) -> None:
    for name, params in (("tiny", 10), ("small", 1_000), ("large", 3_000), ("unknown", 0)):
        _add(hub, f"acme/{name}", gguf={"total": params})
    found = {model.name for model in _search(Query(min_params=1_000, max_params=2_000)).found}
    assert "small" in found
    assert not found & {"tiny", "large"}


def test_a_search_that_is_cancelled_ends_at_once(hub: FakeHub) -> None:
    hub.faults.append(Fault("hang"))

    async def scenario() -> None:
        task = asyncio.create_task(hub_api.search(Query()))
        await asked(hub, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)

    asyncio.run(scenario())


def test_a_silent_server_is_not_waited_for(hub: FakeHub) -> None:
    hub.faults.append(Fault("hang"))
    with pytest.raises(HubError) as caught:
        _search(Query(), limits=Limits(silence_s=0.2))
    assert caught.value.kind is HubErrorKind.TIMEOUT


def test_a_server_that_only_drips_is_not_waited_for(hub: FakeHub) -> None:
    hub.add("acme/m", {"m.gguf": b"GGUF" + bytes(100_000)})
    hub.faults.append(Fault("slow", path="/cdn/", rate=1000))
    commit = hub.repos["acme/m"].sha
    with pytest.raises(HubError) as caught:
        asyncio.run(hub_api.header("acme/m", commit, "m.gguf", limits=Limits(total_s=0.5)))
    assert caught.value.kind is HubErrorKind.TIMEOUT


def test_an_answer_without_an_end_is_cut_off(hub: FakeHub) -> None:
    for number in range(40):
        _add(hub, f"acme/m{number}", gguf={"chat_template": "x" * 1000})
    with pytest.raises(HubError, match="larger") as caught:
        _search(Query(limit=100), limits=Limits(body_bytes=10_000))
    assert caught.value.kind is HubErrorKind.BAD_ANSWER


def test_what_is_not_json_is_a_sentence(hub: FakeHub) -> None:
    hub.faults.append(Fault("html"))
    hub.faults.append(Fault("status", status=200))  # an object, no list
    for _ in range(2):
        with pytest.raises(HubError) as caught:
            _search(Query())
        assert caught.value.kind is HubErrorKind.BAD_ANSWER


def test_deep_nesting_is_a_sentence(hub: FakeHub) -> None:
    deep: object = []
    for _ in range(900):
        deep = [deep]
    body = json.dumps(deep).replace("[]", "[" * 200_000)
    hub.add("acme/deep", {"README.md": body.encode()})

    async def scenario() -> None:
        from playground.models.hub.hub_http import connected

        async with connected("it") as session:
            await session.json(f"/acme/deep/resolve/{hub.repos['acme/deep'].sha}/README.md")

    with pytest.raises(HubError) as caught:
        asyncio.run(scenario())
    assert caught.value.kind is HubErrorKind.BAD_ANSWER
