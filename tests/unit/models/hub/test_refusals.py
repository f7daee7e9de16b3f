"""Whatever the Hub or the network refuses ends in one sentence of the right kind, and never shows the token."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys

import pytest

from playground.errors import HubError, HubErrorKind
from playground.models.hub import hub as door
from playground.models.hub import hub_api
from playground.models.hub.hub_http import Limits, connected
from playground.models.hub.repository import Query
from tests.support.fake_hub import FakeHub, Fault
from tests.support.remote_models import model_bytes
from tests.unit.models.hub.conftest import TOKEN


def _error(ref: str = "acme/m") -> HubError:
    with pytest.raises(HubError) as caught:
        asyncio.run(hub_api.repository(ref))
    assert caught.value.message.endswith(".")
    assert TOKEN not in repr(caught.value) + caught.value.sentence() + caught.value.detail
    return caught.value


def _header_error(hub: FakeHub, repo: str = "acme/m") -> HubError:
    with pytest.raises(HubError) as caught:
        asyncio.run(hub_api.header(repo, hub.repos[repo].sha, "m.gguf"))
    return caught.value


def test_a_name_that_does_not_exist(hub: FakeHub) -> None:
    assert _error("acme/none").kind is HubErrorKind.NOT_FOUND
    door.set_token(TOKEN)
    assert _error("acme/none").kind is HubErrorKind.NOT_FOUND
    assert [entry.status for entry in hub.log] == [401, 404]


def test_a_revision_that_does_not_exist(hub: FakeHub) -> None:
    hub.add("acme/m", {})
    error = _error("https://huggingface.co/acme/m/tree/other")
    assert error.kind is HubErrorKind.NOT_FOUND
    assert "revision" in error.message


def test_a_gated_model_says_what_to_accept_and_where(hub: FakeHub) -> None:
    hub.add("acme/m", {"m.gguf": model_bytes()}, gated="auto", tokens=[TOKEN])
    error = _header_error(hub)
    assert (error.kind, error.url) == (HubErrorKind.GATED, f"{hub.url}/acme/m")
    assert "hf auth login" in error.hint
    door.set_token("hf_of_somebody_else")
    error = _header_error(hub)
    assert error.kind is HubErrorKind.GATED
    assert "hf auth login" not in error.hint
    door.set_token(TOKEN)
    assert asyncio.run(hub_api.header("acme/m", hub.repos["acme/m"].sha, "m.gguf")).arch == "gemma3"


def test_a_wrong_token(hub: FakeHub) -> None:
    hub.add("acme/m", {})
    hub.known_tokens = set()
    door.set_token(TOKEN)
    error = _error()
    assert error.kind is HubErrorKind.TOKEN
    assert error.url.endswith("/settings/tokens")
    with pytest.raises(HubError, match="does not accept the token"):
        asyncio.run(hub_api.account())


def test_a_token_that_may_not(hub: FakeHub) -> None:
    hub.faults.append(Fault("status", status=403))
    door.set_token(TOKEN)
    assert _error().kind is HubErrorKind.TOKEN


def test_a_refusal_without_a_token(hub: FakeHub) -> None:
    hub.faults.append(Fault("status", status=403, headers={"X-Error-Message": "not\x07 from here"}))
    error = _error()
    assert error.kind is HubErrorKind.SERVER
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "9" * 400}, None),
    ],
)
def test_too_many_questions_say_how_long_to_wait(
    hub: FakeHub, headers: dict[str, str], seconds: int | None
) -> None:
    hub.faults.append(Fault("status", status=429, headers=headers))
    error = _error()
    assert (error.kind, error.retry_after_s) == (HubErrorKind.RATE_LIMITED, seconds)
    assert seconds is None or f"{seconds} seconds" in error.hint


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_of_the_hub(hub: FakeHub, status: int) -> None:
    hub.faults.append(Fault("status", status=status))
    assert _error().kind is HubErrorKind.SERVER


@pytest.mark.parametrize("kind", ["reset", "truncate", "long_length"])
def test_a_connection_that_breaks(hub: FakeHub, kind: str) -> None:
    hub.add("acme/m", {"m.gguf": model_bytes()})
    hub.faults.append(Fault(kind, path="/cdn/", after=100))  # type: ignore[arg-type]
    assert _header_error(hub).kind is HubErrorKind.SERVER


def test_redirects_without_an_end(hub: FakeHub) -> None:
    hub.faults.append(Fault("loop", times=-1))
    assert _error().kind is HubErrorKind.BAD_ANSWER
    assert len(hub.log) <= 10


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "http://[", "https://a b/"])
def test_redirects_to_no_web_address(hub: FakeHub, target: str) -> None:
    hub.faults.append(Fault("status", status=302, headers={"Location": target}))
    assert _error().kind in (HubErrorKind.BAD_ANSWER, HubErrorKind.OFFLINE)


def test_a_model_that_was_renamed_is_found(hub: FakeHub) -> None:
    hub.add("acme/new", {})
    hub.moved["acme/old"] = "acme/new"
    assert asyncio.run(hub_api.repository("acme/old")).id == "acme/new"


def test_nobody_there(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        error = _error()
    assert error.kind is HubErrorKind.OFFLINE
    assert "127.0.0.1" in error.message
    assert not hub.log


@pytest.mark.parametrize("address", ["localhost", "ftp://x", "http://", "http://a:b:c/", "http://x:99999999"])
def test_an_address_that_is_none(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert _error().kind is HubErrorKind.OFFLINE
    assert not hub.log


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HF_ENDPOINT", "http://[bad", "HF_ENDPOINT holds no web address. Unset it, or write https://HOST."),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon", "Check the variables whose names begin with HF_."),
    ],
)
def test_settings_that_the_hubs_library_does_not_understand(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """In processes of their own: the library reads them when it is imported."""
    monkeypatch.setenv(name, value)
    for command in (["models", "show", "acme/m"], ["models", "search"], ["models", "pull", "acme/m"]):
        ended = subprocess.run(
            [sys.executable, "-m", "playground", *command], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 1
        assert ended.stderr.endswith(f"{words}\n")
        assert len(ended.stderr.splitlines()) == 1


def test_nothing_leaves_while_the_app_is_offline(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    door.set_offline(True)
    try:
        assert _error().kind is HubErrorKind.OFFLINE
    finally:
        door.set_offline(False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "offline" in _error().message
    assert _error().hint == "Unset HF_HUB_OFFLINE."
    assert not hub.log
    monkeypatch.delenv("HF_HUB_OFFLINE")
    asyncio.run(hub_api.search(Query()))
    assert hub.log


def test_a_switch_that_is_turned_meanwhile_stops_the_next_request(hub: FakeHub) -> None:
    async def scenario() -> None:
        async with connected("it") as session:
            await session.json("/api/models")
            door.set_offline(True)
            await session.json("/api/models")

    try:
        with pytest.raises(HubError) as caught:
            asyncio.run(scenario())
    finally:
        door.set_offline(False)
    assert caught.value.kind is HubErrorKind.OFFLINE
    assert len(hub.log) == 1


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: FakeHub, caplog: pytest.LogCaptureFixture) -> None:
    hub.add("acme/m", {"m.gguf": model_bytes(vocabulary=20_000)}, gated="auto", tokens=[TOKEN])
    door.set_token(TOKEN)
    asyncio.run(hub_api.header("acme/m", hub.repos["acme/m"].sha, "m.gguf"))
    assert {entry.headers.get("authorization") for entry in hub.log if entry.origin == "api"} == {
        f"Bearer {TOKEN}"
    }
    there = [entry for entry in hub.log if entry.origin == "cdn"]
    assert there
    assert not any("authorization" in entry.headers for entry in there)
    assert TOKEN not in caplog.text
    assert any(record.levelno == logging.DEBUG for record in caplog.records)  # it was listened to


def test_the_token_does_not_follow_to_another_host(hub: FakeHub) -> None:
    door.set_token(TOKEN)
    with FakeHub() as other:
        hub.faults.append(Fault("status", status=307, headers={"Location": f"{other.url}/api/models"}))
        asyncio.run(hub_api.search(Query()))
        assert other.log
        assert not any("authorization" in entry.headers for entry in other.log)


def test_the_client_shows_no_token(hub: FakeHub) -> None:
    door.set_token(TOKEN)

    async def scenario() -> str:
        async with door.client() as (client, headers), connected("it", limits=Limits()) as session:
            await session.json("/api/models")
            return repr((client, headers, session, vars(session)))

    assert TOKEN not in asyncio.run(scenario())
    assert TOKEN in hub.log[-1].headers["authorization"]
