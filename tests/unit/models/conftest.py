"""A home of one's own for tests of what lies on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.homes import Home


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return an empty home that is this process's."""
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.enter(monkeypatch)
    return home
