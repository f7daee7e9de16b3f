"""``models search`` and ``models show`` as a person runs them, against a Hub of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub
from tests.support.remote_models import model_bytes

_ROOT = Path(__file__).parents[2]
_TOKEN = "hf_" + "S3cretWordThatNobodySees"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as started:
        yield started


def _run(hub: FakeHub, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", "models", *arguments],
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, **environment},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _fill(hub: FakeHub) -> None:
    split = {f"Q8_0/coder-Q8_0-0000{n}-of-00002.gguf": model_bytes(vocabulary=500 + n) for n in (1, 2)}
    hub.add(
        "acme/Coder-GGUF",
        {
            "coder-Q4_K_M.gguf": model_bytes(),
            "mmproj-F16.gguf": b"GGUF" * 9,
            "../evil.gguf": b"GGUF",
            **split,
        },
        downloads=1234,
        gated="auto",
        tags=["gguf", "license:apache-2.0"],
        gguf={"total": 27_400_000_000, "architecture": "qwen35", "context_length": 262_144},
        cardData={"license": "apache-2.0", "base_model": "acme/Coder"},
    )
    hub.add("acme/Other-GGUF", {"readme.txt": b"x"}, downloads=1)


def test_a_search_is_a_table_for_people_and_json_for_programs(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "search", "coder")
    assert done.returncode == 0, done.stderr
    head, line = done.stdout.splitlines()
    assert head.split()[:2] == ["MODEL", "WEIGHTS"]
    assert line.split() == [
        "acme/Coder-GGUF", "27.4B", "qwen35", "262,144", "1,234", "0", "2026-10-01", "apache-2.0", "(gated)",
    ]  # fmt: skip
    found = json.loads(_run(hub, "search", "coder", "--params", "1B-30B", "--json").stdout)
    assert found["schema"] == "playground.search/1"
    assert found["query"]["max_params"] == 30_000_000_000
    assert found["models"][0]["ref"] == "hf:acme/Coder-GGUF"
    assert found["more"] is False


def test_more_than_one_page_is_collected(hub: FakeHub) -> None:
    hub.page_size = 3
    for number in range(8):
        hub.add(f"acme/m{number}", {}, downloads=50 - number)
    done = _run(hub, "search", "--limit", "7", "--json")
    found = json.loads(done.stdout)
    assert [model["id"] for model in found["models"]] == [f"acme/m{n}" for n in range(7)]
    assert found["more"] is True


def test_a_search_that_finds_nothing_says_so(hub: FakeHub) -> None:
    done = _run(hub, "search", "nothing")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no GGUF model" in done.stderr


@pytest.mark.parametrize(
    "wrong", [("--params", "8B"), ("--params", "x-y"), ("--params", "9B-1B"), ("--limit", "0")]
)
def test_wrong_wishes_are_wrong_usage(hub: FakeHub, wrong: tuple[str, str]) -> None:
    done = _run(hub, "search", *wrong)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not hub.log


def test_a_page_lists_what_can_be_fetched(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "show", "acme/Coder-GGUF")
    assert done.returncode == 0, done.stderr
    assert "27.4B weights, qwen35, 262,144 tokens of context" in done.stdout
    assert "made from acme/Coder" in done.stdout
    rows = [line.split() for line in done.stdout.partition("QUANT")[2].splitlines()[1:]]
    assert [row[0] for row in rows] == ["Q8_0", "Q4_K_M", "F16"]
    assert rows[0][3] == "2"
    assert rows[1][-1] == "default"
    assert "evil" in done.stderr
    assert f"{hub.url}/acme/Coder-GGUF" in done.stderr


def test_a_page_says_what_fits(hub: FakeHub) -> None:
    hub.add("acme/m", {"m-Q4_K_M.gguf": model_bytes(), "mmproj-F16.gguf": b"GGUF" * 9})
    done = _run(hub, "show", "acme/m")
    assert "FIT" in done.stdout
    assert " fits " in done.stdout.partition("Q4_K_M")[2]
    found = json.loads(_run(hub, "show", "acme/m", "--json").stdout)["model"]["quants"]
    assert [quant["fit"] and quant["fit"]["verdict"] for quant in found] == ["well", None]
    assert found[0]["fit"]["largest_context"] >= 8192


def test_a_gated_page_is_shown_without_what_fits(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "show", "acme/Coder-GGUF")
    assert done.returncode == 0
    assert "FIT" not in done.stdout
    assert "accepted its terms" in done.stderr


def test_a_page_as_json(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "show", f"{hub.url}/acme/Coder-GGUF", "--json")
    page = json.loads(done.stdout)
    assert page["schema"] == "playground.model/1"
    model = page["model"]
    assert model["commit"] == hub.repos["acme/Coder-GGUF"].sha
    assert [quant["is_default"] for quant in model["quants"]] == [False, True, False]
    assert [quant["ref"] for quant in model["quants"]][:2] == [
        "hf:acme/Coder-GGUF:Q8_0",
        "hf:acme/Coder-GGUF:Q4_K_M",
    ]
    assert len(model["quants"][0]["files"][0]["sha256"]) == 64
    assert model["quants"][0]["size_bytes"] == sum(file["size_bytes"] for file in model["quants"][0]["files"])


def test_one_quantization_can_be_shown(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "show", "hf:acme/Coder-GGUF:q8_0", "--json")
    assert [quant["name"] for quant in json.loads(done.stdout)["model"]["quants"]] == ["Q8_0"]
    done = _run(hub, "show", "hf:acme/Coder-GGUF:Q2_K")
    assert done.returncode == 1
    assert "There is: Q8_0, Q4_K_M." in done.stderr


def test_a_repository_without_a_model_says_so(hub: FakeHub) -> None:
    _fill(hub)
    done = _run(hub, "show", "acme/Other-GGUF")
    assert done.returncode == 1
    assert "no GGUF model" in done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_one_line_without_the_token(hub: FakeHub) -> None:
    hub.known_tokens = set()
    done = _run(hub, "search", HF_TOKEN=_TOKEN)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "token" in done.stderr
    assert _TOKEN not in done.stderr + done.stdout
    done = _run(hub, "show", "acme/none", HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    assert "offline" in done.stderr
