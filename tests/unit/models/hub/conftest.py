"""A fake Hub for whoever asks for one, nobody logged in, and never a token in what was logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from playground.models.hub import hub as door
from tests.support.fake_hub import FakeHub

TOKEN = "hf_" + "S3cretWordThatNobodySees"


async def asked(hub: FakeHub, times: int) -> None:
    """Return when the Hub has got so many requests, or after a while."""
    for _ in range(1000):
        if len(hub.log) >= times:
            return
        await asyncio.sleep(0.01)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[FakeHub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    caplog.set_level(logging.DEBUG)
    with FakeHub() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        yield started
    door.forget_token()
    assert TOKEN not in caplog.text
