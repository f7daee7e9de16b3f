"""The Library in a whole app: the real services, the real fetcher, a Hub on loopback, clicked through."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QAbstractItemModel, QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from playground import app as application
from playground import config
from playground.models.disk.inventory_values import DiskState
from playground.models.downloads.download import DownloadState
from playground.models.hub import hub as hub_room
from playground.ui.library.page import DISK, DOWNLOADS, SEARCH, LibraryPage
from playground.ui.library.pair_card import PairCardView
from tests.support.fake_hub import FakeHub
from tests.support.tiny_gguf import build
from tests.support.waiting import come_true
from tests.ui.conftest import Runner

_CATALOG = """
[[models]]
id = "{id}"
name = "{name}"
repo = "{repo}"
licence = "MIT"
params = 1_000_000
active_params = 1_000_000
released = "2026-01-01"
source = "https://example.org"
read = 2026-11-24
quants = [{{ name = "F32", size_bytes = {size} }}]
[models.numbers]
arch = "llama"
n_ctx_train = 2048
layers = 2
kv_layers = 2
kv_heads = 2
key_length = 16
value_length = 16
embedding = 64
vocabulary = 300
"""
_PAIR = """
[[pairs]]
id = "tiny"
title = "Two very small ones"
compact = { model = "tiny-a", quant = "F32" }
larger = { model = "tiny-b", quant = "F32" }
memory_gb = 4
"""
Scenario = Callable[[application.App, LibraryPage], Coroutine[Any, Any, None]]
_until = partial(come_true, most_s=30)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    folder = tmp_path_factory.mktemp("hub")
    with FakeHub() as running:
        for name in ("a", "b"):
            path = folder / f"tiny-{name}-F32.gguf"
            build("llama", path, script=f"I am {name}.")
            running.add(
                f"acme/tiny-{name}-GGUF", {path.name: path, "README.md": b"# Tiny\n\nA very small model."}
            )
        yield running


@pytest.fixture
def library_home(hub: FakeHub, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = hub_room.cache_folder()  # where it was when its library was imported
    assert cache.is_relative_to(home), "this is somebody's own cache"
    shutil.rmtree(cache, ignore_errors=True)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    data = config.folders().data
    data.mkdir(parents=True)
    sizes = {repo.id: sum(file.size for file in repo.files.values()) for repo in hub.repos.values()}
    text = "".join(
        _CATALOG.format(id=f"tiny-{n}", name=f"Tiny {n.upper()}", repo=repo, size=sizes[repo])
        for n in ("a", "b")
        for repo in [f"acme/tiny-{n}-GGUF"]
    )
    (data / "catalog.toml").write_text(text + _PAIR, encoding="utf-8")
    return tmp_path


@pytest.fixture
def in_library(library_home: Path, run: Runner, qapp: QApplication) -> Callable[[Scenario], None]:
    """Run a coroutine beside a whole app that shows its Library, and end the app in order."""
    assert library_home

    async def drive(scenario: Scenario) -> None:
        window = application.make_window(qapp, "light")
        running = application.App(qapp, window)
        window.show()
        running.begin((), None)
        try:
            running.pages.show_page("library")
            page = running.pages.pages["library"]
            assert isinstance(page, LibraryPage)
            await scenario(running, page)
        finally:
            running.end()
            await running.wait()
            window.deleteLater()

    return lambda scenario: run(drive(scenario), 60)


def _model(running: application.App, slot: str) -> str:
    model = running.vm.state.lane(slot).model
    return Path(model.path).name if model is not None else ""


def _card(page: LibraryPage) -> PairCardView | None:
    cards = page.findChildren(PairCardView)
    return next((card for card in cards if card.card and card.card.title == "Two very small ones"), None)


def _press(page: LibraryPage, text: str) -> None:
    button = next(b for b in page.findChildren(QPushButton) if b.isVisible() and b.text() == text)
    assert button.isEnabled()
    button.click()


def test_one_click_brings_a_pair_into_compare(in_library: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App, page: LibraryPage) -> None:
        await _until(lambda: _card(page) is not None)
        card = _card(page)
        assert card is not None
        assert card.button.text() == "Download both and compare"
        card.button.click()
        await _until(lambda: _model(running, "A").startswith("tiny-a"))
        await _until(lambda: _model(running, "B").startswith("tiny-b"))
        assert running.window.windowTitle() == "Compare — Playground"
        assert not page.isVisible()
        running.vm.run("Hello")
        await _until(lambda: not running.vm.state.is_running and bool(running.vm.state.sentence))
        shown = [running.page.lanes[slot].transcript for slot in ("A", "B")]
        # The last words are painted by a timer, after the run has ended.
        await _until(lambda: "I am a." in shown[0].toPlainText() and "I am b." in shown[1].toPlainText())

    in_library(scenario)


def test_a_model_is_found_fitted_fetched_and_listed(in_library: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App, page: LibraryPage) -> None:
        page.go_to(SEARCH)
        search = page.vm.search
        search.type("tiny-b")
        await _until(lambda: bool(search.opened.state.fits) and search.state.found != ())
        assert [found.id for found in search.state.found] == ["acme/tiny-b-GGUF"]
        assert search.opened.state.fits["F32"].verdict == "well"
        _press(page, "Download")
        page.go_to(DOWNLOADS)
        downloads = page.vm.downloads
        await _until(
            lambda: [d.state for d in downloads.state.downloads] == [DownloadState.DONE],
        )
        page.go_to(DISK)
        await _until(lambda: any(m.repo == "acme/tiny-b-GGUF" for m in page.vm.disk.state.models))
        found = next(m for m in page.vm.disk.state.models if m.repo == "acme/tiny-b-GGUF")
        assert found.state is DiskState.READY
        await _until(lambda: running.vm.models.rowCount() > 0)

    in_library(scenario)


def test_a_model_that_is_deleted_is_nowhere_offered_any_more(in_library: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App, page: LibraryPage) -> None:
        await _until(lambda: _card(page) is not None)
        card = _card(page)
        assert card is not None
        card.button.click()
        page.go_to(DOWNLOADS)
        queue, disk = page.vm.downloads, page.vm.disk
        await _until(lambda: [one.state for one in queue.state.downloads] == [DownloadState.DONE] * 2)
        await _until(lambda: sum(model.repo.startswith("acme/") for model in disk.state.models) == 2)
        await _until(lambda: card.button.text() == "Compare")
        listed = running.vm.models
        await _until(lambda: sum("tiny" in str(row) for row in _rows(listed)) == 2)
        disk.remove(tuple(model for model in disk.state.models if model.repo == "acme/tiny-b-GGUF"))
        await _until(lambda: card.button.text() == "Download B and compare")
        assert [one.repo for one in queue.state.downloads] == ["acme/tiny-a-GGUF"]
        await _until(lambda: sum("tiny" in str(row) for row in _rows(listed)) == 1)

    in_library(scenario)


def test_what_comes_after_a_restart_is_seen_without_the_library(
    library_home: Path, hub: FakeHub, run: Runner, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library_home
    monkeypatch.setattr(hub, "rate", 1_000_000)

    async def first(running: application.App) -> None:
        running.pages.show_page("library")
        page = running.pages.pages["library"]
        assert isinstance(page, LibraryPage)
        await _until(lambda: _card(page) is not None)
        card = _card(page)
        assert card is not None
        card.button.click()
        await _until(lambda: any(one.received_bytes > 500_000 for one in page.vm.downloads.state.downloads))
        running.window.close()
        await running.wait()
        assert not psutil.Process().children(recursive=True)
        parts = list(hub_room.cache_folder().glob("*/blobs/*.incomplete"))
        assert sum(part.stat().st_size for part in parts) >= 400_000

    async def second(running: application.App) -> None:
        bar = running.window.statusBar()
        await _until(lambda: any("Downloading 1" in label.text() for label in bar.findChildren(QLabel)))
        hub.rate = 0
        await _until(
            lambda: [one.state for one in running.pages.library.downloads()] == [DownloadState.DONE] * 2
        )
        await _until(lambda: sum("tiny" in str(row) for row in _rows(running.vm.models)) == 2)
        assert "library" not in running.pages.pages

    async def drive(scenario: Callable[[application.App], Coroutine[Any, Any, None]]) -> None:
        window = application.make_window(qapp, "light")
        running = application.App(qapp, window)
        window.show()
        running.begin((), None)
        try:
            await scenario(running)
        finally:
            running.end()
            await running.wait()
            window.deleteLater()

    for scenario in (first, second):
        run(drive(scenario), 60)


def _is_there(path: str) -> bool:
    return Path(path).exists()


def _rows(models: QAbstractItemModel) -> list[object]:
    return [models.index(row, 0).data() for row in range(models.rowCount())]


def test_a_loaded_model_is_deleted_once_its_lane_has_another(in_library: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App, page: LibraryPage) -> None:
        await _until(lambda: _card(page) is not None)
        card, disk = _card(page), page.vm.disk
        assert card is not None
        card.button.click()
        await _until(lambda: _model(running, "A").startswith("tiny-a"))
        await _until(lambda: _model(running, "B").startswith("tiny-b"))
        running.vm.run("Hello")
        await _until(lambda: not running.vm.state.is_running and bool(running.vm.state.sentence))
        await _until(lambda: sum(model.repo.startswith("acme/") for model in disk.state.models) == 2)
        loaded = tuple(model for model in disk.state.models if model.repo == "acme/tiny-b-GGUF")
        disk.remove(loaded)
        await _until(lambda: bool(disk.state.problem))
        assert "is loaded. Choose another model in its lane, then delete it." in disk.state.problem
        assert _is_there(loaded[0].path)
        running.pages.use("B", running.vm.state.lane("A").model.path)  # type: ignore[union-attr]
        await _until(lambda: _model(running, "B").startswith("tiny-a"))
        disk.remove(loaded)
        await _until(lambda: disk.state.notice.startswith("Deleted"))
        assert not _is_there(loaded[0].path)

    in_library(scenario)


def test_the_library_opens_whatever_the_environment_says(
    library_home: Path, in_library: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache lies where a file is, and the Hub's address is none."""
    (library_home / "file").write_bytes(b"")
    monkeypatch.setenv("HF_HUB_CACHE", str(library_home / "file" / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://[bad")

    async def scenario(running: application.App, page: LibraryPage) -> None:
        for tab in (DOWNLOADS, DISK, SEARCH):
            page.go_to(tab)
        await _until(lambda: page.vm.search.state.trouble is not None)
        assert page.vm.search.state.trouble is not None
        assert "HF_ENDPOINT holds no web address." in page.vm.search.state.trouble.text
        assert page.vm.downloads.state.free_bytes > 0
        assert page.vm.downloads.state.rules.folder == str(library_home / "file" / "hub")
        assert running.window.isVisible()

    in_library(scenario)


def test_keys_go_through_the_pages(in_library: Callable[[Scenario], None]) -> None:
    async def scenario(running: application.App, page: LibraryPage) -> None:
        window = running.window
        window.activateWindow()
        await _until(lambda: page.isVisible() and window.isActiveWindow())
        assert "Library" in window.windowTitle()
        QTest.keySequence(window, "Ctrl+1")
        assert window.page.isVisible()
        QTest.keySequence(window, "Ctrl+2")
        assert page.isVisible()
        assert window.childAt(QPoint(200, 30)) is not None

    in_library(scenario)
