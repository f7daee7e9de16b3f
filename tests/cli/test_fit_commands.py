"""``fit`` and ``models pairs`` as a person runs them: files here, models at a Hub of our own, machines by numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.models.catalog.catalog import user_file
from playground.models.fit import ContextNeeds, estimate
from playground.models.gguf import read_header
from tests.support.fake_hub import FakeHub
from tests.support.remote_models import model_bytes
from tests.support.tiny_gguf import build

_ROOT = Path(__file__).parents[2]
_NOWHERE = "http://127.0.0.1:9"


def _run(*arguments: str, hub: str = _NOWHERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "HF_ENDPOINT": hub},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _json(done: subprocess.CompletedProcess[str], schema: str) -> dict[str, Any]:
    assert not done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == schema
    return found


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as started:
        yield started


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen35moe", tmp_path_factory.mktemp("tiny") / "tiny.gguf")


def test_a_file_here_is_reckoned_from_its_whole_header(tiny: Path) -> None:
    done = _run("fit", str(tiny), "--ctx", "4096", "--kv-type", "q8_0", "--memory", "1GB", "--json")
    found = _json(done, "playground.fit/1")
    assert done.returncode == 0
    expected = estimate(read_header(tiny), ContextNeeds(4096, "q8_0"))
    (model,) = found["models"]
    assert model["fit"]["weights_bytes"] == expected.weights_bytes
    assert model["fit"]["total_bytes"] == expected.total_bytes
    assert model["fit"]["verdict"] == "well"
    assert (model["is_here"], model["arch"], model["measured_bytes"]) == (True, "qwen35moe", None)
    assert (found["n_ctx"], found["kv_type"], found["pair"]) == (4096, "q8_0", None)
    assert found["machine"]["free_bytes"] == 10**9
    assert found["machine"]["devices"] == []


def test_what_was_measured_stands_beside_the_estimate(tiny: Path) -> None:
    ran = _run(
        "compare", "--model", str(tiny), "--prompt", "Hi", "--max-tokens", "2", "--ctx", "768", "--json"
    )
    assert ran.returncode == 0, ran.stderr
    (lane,) = json.loads(ran.stdout)["lanes"]
    found = _json(_run("fit", str(tiny), "--ctx", "768", "--json"), "playground.fit/1")
    memory = lane["memory"]
    total = memory["weights_bytes"] + memory["kv_bytes"] + memory["compute_bytes"]
    assert found["models"][0]["measured_bytes"] == total
    assert found["models"][0]["fit"]["total_bytes"] == pytest.approx(total, rel=0.05)
    assert found["machine"]["free_bytes"] > 10**8
    assert "measured " in _run("fit", str(tiny), "--ctx", "768").stdout


def test_a_pair_is_told_in_words(tiny: Path) -> None:
    done = _run("fit", str(tiny), str(tiny), "--memory", "1GB", "--gpu-memory", "1GB")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Free: memory 1.0 GB, GPU 1.0 GB\n")
    assert done.stdout.count("fits well") == 2
    assert done.stdout.count("5 of 5 layers") == 2
    assert "\nTogether: both need " in done.stdout


def test_what_is_too_big_is_a_status_and_a_sentence(tiny: Path) -> None:
    done = _run("fit", str(tiny), str(tiny), "--memory", "100MB", "--json")
    found = _json(done, "playground.fit/1")
    assert done.returncode == 1
    assert found["pair"]["how"] == "neither"
    assert found["pair"]["reason"].startswith("Neither: ")
    assert [model["fit"]["verdict"] for model in found["models"]] == ["too_big", "too_big"]
    assert found["models"][0]["fit"]["largest_context"] == 0


def test_a_model_at_the_hub_is_reckoned_from_its_first_bytes(hub: FakeHub) -> None:
    split = {f"Q8_0/coder-Q8_0-0000{n}-of-00002.gguf": model_bytes(vocabulary=900_00 + n) for n in (1, 2)}
    hub.add("acme/Coder-GGUF", {"coder-Q4_K_M.gguf": model_bytes(), **split})
    done = _run("fit", "hf:acme/Coder-GGUF:Q8_0", "--memory", "2GB", "--json", hub=hub.url)
    (model,) = _json(done, "playground.fit/1")["models"]
    size = sum(map(len, split.values()))
    assert (model["is_here"], model["quant"], model["arch"]) == (False, "Q8_0", "gemma3")
    assert model["size_bytes"] == model["fit"]["weights_bytes"] == size
    assert model["fit"]["cache_bytes"] == (3 * 8192 + 15 * 1024) * 512 * 2
    pair = _run("fit", "hf:acme/Coder-GGUF", "hf:acme/Coder-GGUF:Q8_0", "--memory", "2GB", hub=hub.url)
    assert "Coder Q4_K_M, at the Hub, 8,192 tokens" in pair.stdout
    assert "\nTogether: both need " in pair.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("hf:acme/none:Q4_K_M",), 1, "acme/none"),
        (("hf:acme/Coder-GGUF:Q9_K",), 1, "There is: Q4_K_M"),
        (("missing.gguf",), 1, "There is no file"),
        (("hf:../x",), 2, "is not a Hub reference"),
        (("a", "b", "c"), 2, "Name one model, or two."),
        (("starter", "--ctx", "0"), 2, "cannot be"),
        (("starter", "--memory", "lots"), 2, "not a size"),
    ],
)
def test_what_cannot_be_reckoned_is_one_sentence(
    hub: FakeHub, arguments: tuple[str, ...], status: int, words: str
) -> None:
    hub.add("acme/Coder-GGUF", {"coder-Q4_K_M.gguf": model_bytes()})
    done = _run("fit", *arguments, hub=hub.url)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_a_network_it_says_so() -> None:
    done = _run("fit", "hf:acme/Coder-GGUF:Q4_K_M", "--memory", "1GB")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr


def test_pairs_are_proposed_for_a_machine_by_numbers() -> None:
    found = _json(
        _run("models", "pairs", "--memory", "51GB", "--gpu-memory", "22.4GB", "--json"), "playground.pairs/1"
    )
    story, first = found["pairs"][:2]
    assert story["is_story"]
    assert story["how"] == "only_compact"
    assert story["compact"]["ref"] == "hf:unsloth/Qwen3.6-27B-GGUF:Q4_K_M"
    assert {score["benchmark"]: score["value"] for score in story["compact"]["scores"]}["NL2Repo"] == 36.2
    assert first["how"] == "together"
    assert first["fetch_bytes"] == first["compact"]["size_bytes"] + first["larger"]["size_bytes"]
    assert found["problems"] == []


def test_pairs_are_readable_and_a_damaged_file_of_ones_own_is_told() -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text("[[pairs]]\nid = 3\n", encoding="utf-8")
    try:
        done = _run("models", "pairs", "--memory", "16GB")
    finally:
        user_file().unlink()
    assert done.returncode == 0
    assert "The small one that claims to win: neither" in done.stdout
    assert "hf:unsloth/Qwen3.5-9B-GGUF:Q6_K" in done.stdout
    assert done.stderr.startswith(f"In {user_file()}: pairs[0]")
    assert done.stderr.count("\n") == 1
