"""Measured memory is kept between runs, bounded, and survives damage, moved files and a folder that cannot be written."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from playground.models import measured
from playground.models.files import ModelFile
from playground.models.measured import Measured, Setup, identity, record, recorded

_MODEL = ModelFile("hf:a/b:Q4_K_M", "/models/b.gguf", "B", 1000, "llama", "Q4_K_M", 1, 8192, False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    return tmp_path


def _load(weights: int = 900, setup: Setup | None = None, model: ModelFile = _MODEL) -> Measured:
    return Measured(identity(model), model.name, setup or Setup(8192), 1100, weights, 60, 40, 950)


def test_the_last_load_of_a_kind_is_remembered() -> None:
    record(_load(900))
    record(_load(901))
    record(_load(700, Setup(4096)))
    record(_load(800, Setup(8192, "q8_0")))
    found = recorded(_MODEL, 8192)
    assert found is not None
    assert (found.total_bytes, found.estimated_bytes) == (1001, 1100)
    assert found.measured_at > 0
    smaller, padded = recorded(_MODEL, 8192, "q8_0"), recorded(_MODEL, 4000, "auto")
    assert smaller is not None
    assert padded is not None
    assert (smaller.weights_bytes, padded.weights_bytes) == (800, 700)
    assert recorded(_MODEL, 2048) is None


def test_a_moved_file_is_known_and_another_content_is_not() -> None:
    record(_load())
    moved = msgspec.structs.replace(_MODEL, path="/elsewhere/b.gguf", ref="x")
    assert recorded(moved, 8192) is not None
    assert recorded(msgspec.structs.replace(_MODEL, size_bytes=1001), 8192) is None


def test_a_file_of_the_hub_cache_is_known_by_its_content(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    blob.touch()
    link = tmp_path / "name.gguf"
    link.symlink_to(blob)
    model = msgspec.structs.replace(_MODEL, path=str(link))
    assert identity(model) == f"sha256:{blob.name}"


def test_where_layers_lie_is_part_of_the_kind() -> None:
    record(_load(900))
    record(_load(910, Setup(8192, gpu_layers=20, devices=("CUDA0",))))
    loads = msgspec.json.decode(measured.path().read_bytes())["loads"]
    assert len(loads) == 2
    found = recorded(_MODEL, 8192)
    assert found is not None
    assert found.setup.devices == ("CUDA0",)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1]", b'{"schema":"x","loads":3}', b"\xff" * 100, b"[" * 100_000]
)
def test_a_damaged_file_is_set_aside(raw: bytes) -> None:
    measured.path().parent.mkdir(parents=True)
    measured.path().write_bytes(raw)
    assert recorded(_MODEL, 8192) is None
    aside = measured.path().with_name("measured.damaged.json")
    assert aside.read_bytes() == raw
    record(_load())
    assert recorded(_MODEL, 8192) is not None


def test_the_file_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_MOST", 5)
    for number in range(9):
        record(_load(setup=Setup(256 * (number + 1))))
    assert len(msgspec.json.decode(measured.path().read_bytes())["loads"]) == 5
    assert recorded(_MODEL, 256) is None
    assert recorded(_MODEL, 256 * 9) is not None
    assert [item.name for item in measured.path().parent.iterdir()] == ["measured.json"]


def test_loads_at_the_same_time_are_all_kept() -> None:
    threads = [threading.Thread(target=record, args=(_load(setup=Setup(256 * n)),)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(recorded(_MODEL, 256 * n) is not None for n in range(1, 9))


def test_a_place_that_cannot_be_written_costs_nothing(home: Path) -> None:
    (home / "data").write_text("a file in the folder's place", encoding="utf-8")
    record(_load())
    assert recorded(_MODEL, 8192) is None
