"""Where the token lies: kept as the Hub's own tools keep it, forgotten without a trace, never taken when it is none."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from playground.errors import HubError, HubErrorKind
from playground.models.hub import hub as door
from playground.models.hub import hub_api
from playground.models.hub.hub import TokenState
from playground.models.hub.repository import Query
from tests.support.fake_hub import FakeHub
from tests.unit.models.hub.conftest import TOKEN


def test_a_token_is_kept_where_the_hubs_tools_look_for_it(hub: FakeHub) -> None:
    from huggingface_hub import get_token

    assert door.token_state() is TokenState.NONE
    door.set_token(f"  {TOKEN}\n")
    assert door.token_state() is TokenState.FILE
    assert get_token() == TOKEN
    assert stat.S_IMODE(door.token_path().stat().st_mode) == 0o600
    assert [path.name for path in door.token_path().parent.iterdir() if "token" in path.name] == ["token"]
    assert asyncio.run(hub_api.account()) == "tester"
    door.forget_token()
    assert door.token_state() is TokenState.NONE
    assert not door.token_path().exists()
    door.forget_token()
    with pytest.raises(HubError, match="No token") as caught:
        asyncio.run(hub_api.account())
    assert caught.value.kind is HubErrorKind.TOKEN
    asyncio.run(hub_api.search(Query()))
    assert "authorization" not in hub.log[-1].headers


def test_the_environment_wins(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    door.set_token("hf_other")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert door.token_state() is TokenState.ENVIRONMENT
    asyncio.run(hub_api.account())
    assert hub.log[-1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    "text", ["", "  ", f"{TOKEN}\nX-Evil: 1", f"{TOKEN} x", f"{TOKEN}ü", TOKEN * 1000, "a\x00b"]
)
def test_what_is_no_token_is_neither_kept_nor_shown(text: str) -> None:
    with pytest.raises(HubError) as caught:
        door.set_token(text)
    assert caught.value.kind is HubErrorKind.TOKEN
    assert TOKEN not in caught.value.sentence()
    assert not door.token_path().exists()


@pytest.mark.parametrize("content", [b"two words", b"\xff\xfe", f"{TOKEN}\x07".encode()])
def test_a_damaged_token_file_is_a_sentence(hub: FakeHub, content: bytes) -> None:
    door.set_token(TOKEN)
    door.token_path().write_bytes(content)
    with pytest.raises(HubError) as caught:
        asyncio.run(hub_api.account())
    assert caught.value.kind is HubErrorKind.TOKEN
    assert TOKEN not in caught.value.sentence()
    assert not hub.log


@pytest.mark.usefixtures("hub")
def test_a_token_file_that_is_a_folder_is_a_sentence() -> None:
    folder = door.token_path()
    (folder / "x").mkdir(parents=True)
    try:
        for act in (lambda: door.set_token(TOKEN), door.forget_token, lambda: asyncio.run(hub_api.account())):
            with pytest.raises(HubError, match="cannot be"):
                act()
    finally:
        (folder / "x").rmdir()
        folder.rmdir()


def test_telemetry_is_off(hub: FakeHub) -> None:
    asyncio.run(hub_api.search(Query()))
    from huggingface_hub import constants

    assert constants.HF_HUB_DISABLE_TELEMETRY
    assert [entry.path for entry in hub.log] == ["/api/models"]


def test_the_cache_folder_is_the_shared_one(home: Path) -> None:
    assert door.cache_folder() == home / "hf" / "hub"
