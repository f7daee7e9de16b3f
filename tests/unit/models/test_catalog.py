"""The catalog: the file that ships is whole, damage is named, and a user's file adds to it without breaking it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import resources
from playground.errors import ResourceError
from playground.models.catalog.catalog import catalog, parse, shipped, user_file
from playground.models.catalog.numbers import header_of
from playground.models.fit import ContextNeeds, estimate
from playground.models.weights import weighed
from tests.support import big_shapes

_TEXT = resources.text("catalog.toml")
_FIRST_PAIR = _TEXT.index("[[pairs]]")
_MINE = """
[[models]]
id = "mine"
name = "My model"
repo = "me/mine-GGUF"
licence = "MIT"
params = 1_000_000_000
active_params = 1_000_000_000
released = "2026"
source = "https://huggingface.co/me/mine"
read = 2026-11-24
quants = [{ name = "Q4_K_M", size_bytes = 600_000_000 }]
numbers = { arch = "llama", n_ctx_train = 8192, layers = 16, kv_layers = 16, kv_heads = 8, key_length = 64, value_length = 64, embedding = 2048, vocabulary = 128_256 }

[[pairs]]
id = "mine-against-2b"
title = "Mine against a 2B"
compact = { model = "mine", quant = "Q4_K_M" }
larger = { model = "qwen3.5-2b", quant = "Q4_K_M" }
memory_gb = 4
"""


@pytest.fixture
def mine() -> Iterator[Path]:
    path = user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)


def test_what_ships_has_pairs_for_every_machine_and_the_storys_first() -> None:
    found = shipped()
    story = found.pairs[0]
    assert story.is_story
    assert (story.compact.model, story.larger.model) == ("qwen3.6-27b", "qwen3.5-397b-a17b")
    assert {4, 8, 16, 24, 32, 48, 64, 96, 128, 256} == {pair.memory_gb for pair in found.pairs}
    used = {side.model for pair in found.pairs for side in (pair.compact, pair.larger)}
    assert used == {model.id for model in found.models}
    assert all(pair.why.endswith((".", "?")) for pair in found.pairs)


def test_the_storys_models_carry_their_makers_figures() -> None:
    found = shipped()
    scores = {
        model_id: {score.benchmark: score.value for score in found.model(model_id).scores}
        for model_id in ("qwen3.6-27b", "qwen3.5-397b-a17b")
    }
    assert scores["qwen3.6-27b"]["SWE-bench Verified"] == 77.2
    assert scores["qwen3.5-397b-a17b"]["Terminal-Bench 2.0"] == 52.5
    assert set(scores["qwen3.6-27b"]) == set(scores["qwen3.5-397b-a17b"])
    for model in found.models:
        for score in model.scores:
            assert score.source.startswith("https://")
            assert score.read.year == 2026


def test_larger_sides_are_larger_and_gib_were_not_read_as_gb() -> None:
    found = shipped()
    for pair in found.pairs:
        sides = [(found.model(side.model), side.quant) for side in (pair.compact, pair.larger)]
        sizes = [(model.params, model.quant(quant).size_bytes) for model, quant in sides]
        assert sizes[0] < sizes[1], pair.id
    assert round(found.model("qwen3.6-27b").quant("Q4_K_M").size_bytes / 1e8) == 169  # 15.7 GiB
    for model in found.models:
        assert [q.size_bytes for q in model.quants] == sorted(q.size_bytes for q in model.quants), model.id


@pytest.mark.parametrize(
    ("model_id", "big"),
    [
        ("qwen3.6-27b", big_shapes.QWEN36_27B),
        ("qwen3.5-397b-a17b", big_shapes.QWEN35_397B),
        ("gpt-oss-120b", big_shapes.GPT_OSS_120B),
    ],
)
def test_numbers_come_to_what_the_models_own_headers_say(model_id: str, big: big_shapes.Big) -> None:
    model = shipped().model(model_id)
    mine, real = header_of(model.numbers), big_shapes.header(big)
    for n_ctx in (4096, 65_536):
        needs = ContextNeeds(n_ctx)
        ours = estimate(weighed(mine, model.quants[0].size_bytes), needs)
        theirs = estimate(real, needs)
        assert ours.kv_bytes == theirs.kv_bytes
        assert ours.recurrent_bytes == theirs.recurrent_bytes
        assert ours.compute_bytes == pytest.approx(theirs.compute_bytes, rel=0.15)
        assert ours.weights_bytes == model.quants[0].size_bytes


def test_numbers_of_shared_caches_and_of_windows_come_out() -> None:
    found = shipped()
    needs = ContextNeeds(16_384, "q8_0")
    twelve = estimate(header_of(found.model("gemma-4-12b-it").numbers), needs)
    assert twelve.kv_bytes == (136 + 255) << 20  # as llama.cpp logs it
    small = found.model("gemma-4-e4b-it").numbers
    assert small.kv_layers < small.layers
    cells = 4 * 16_384 * 2 * 512 + 20 * 1024 * 2 * 256
    assert estimate(header_of(small), needs).kv_bytes == cells * 2 * 34 // 32


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "qwen3.8-27b"', 'id = "qwen3.6-27b"', "models[2] (qwen3.6-27b): its id is there already"),
        ('licence = "MIT"', 'licence = " "', "licence is empty"),
        ("size_bytes = 4_977_171_584", "size_bytes = 0", "quants.Q4_K_M: size_bytes"),
        ("size_bytes = 4_977_171_584", 'size_bytes = "4 GB"', "size_bytes"),
        ("kv_layers = 24\n", "kv_layers = 43\n", "numbers.kv_layers"),
        (
            'model = "qwen3.5-2b", quant = "Q4_K_M"',
            'model = "qwen3.5-2b", quant = "Q9"',
            "not listed as 'Q9'",
        ),
        ('{ model = "qwen3.5-0.8b"', '{ model = "qwen9"', "there is no model 'qwen9'"),
        ("is_story = true", "is_story = false", "the story's"),
        ("read = 2026-11-24", "", "read"),
        ("memory_gb = 4\n", "memory_gb = 4\nmemory_mb = 1\n", "memory_mb"),
        ("[[pairs]]", "[[pairs]", "line"),
    ],
)
def test_damage_names_the_file_and_the_key(old: str, new: str, words: str) -> None:
    assert old in _TEXT
    with pytest.raises(ResourceError) as caught:
        parse(_TEXT.replace(old, new, 1))
    assert "catalog.toml is damaged" in caught.value.message
    assert words in caught.value.message


def test_a_users_file_adds_and_replaces(mine: Path) -> None:
    again = _MINE.replace('id = "mine-against-2b"', 'id = "tiny"').replace("[[models]]", "[[mine]]", 1)
    mine.write_text(_MINE + again[again.index("[[pairs]]") :], encoding="utf-8")
    found = catalog()
    assert found.problems == ()
    assert found.model("mine").name == "My model"
    assert found.pairs[-1].id == "mine-against-2b"
    replaced = next(pair for pair in found.pairs if pair.id == "tiny")
    assert replaced.compact.model == "mine"
    assert found.pairs[0].is_story
    assert len(found.pairs) == len(shipped().pairs) + 1


@pytest.mark.parametrize(
    ("text", "words", "kept"),
    [
        (_MINE + "\n[[pairs]]\nid = 3\n", "pairs[1]", True),
        (_MINE.replace('licence = "MIT"', 'licence = ""'), "licence is empty", False),
        ("models = 3\n" + _MINE[_MINE.index("[[pairs]]") :], "models is no list", False),
        ("[[models]\n", "line 1", False),
        (_MINE + "\n[settings]\nx = 1\n", "settings is not known", True),
        (_MINE.replace('id = "mine"', 'id = "../x"'), "id must be", False),
        (
            _MINE.replace('id = "mine"', 'id = "qwen3.6-27b"').replace(
                'model = "mine"', 'model = "qwen3.6-27b"'
            ),
            "the pair story-whole is left out",
            True,
        ),
    ],
)
def test_what_is_wrong_in_a_users_file_is_said_and_the_rest_holds(
    mine: Path, text: str, words: str, kept: bool
) -> None:
    mine.write_text(text, encoding="utf-8")
    found = catalog()
    assert any(words in problem for problem in found.problems), found.problems
    for problem in found.problems:
        assert problem.startswith(f"In {mine}: ")
        assert problem.endswith(".")
        assert problem.isprintable()
    assert ("mine-against-2b" in {pair.id for pair in found.pairs}) == kept
    assert found.pairs[0].is_story


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"x" * (5 << 20), b"a = " + b"[" * 50_000])
def test_a_users_file_of_noise_is_one_sentence(mine: Path, raw: bytes) -> None:
    mine.write_bytes(raw)
    found = catalog()
    assert len(found.problems) == 1
    assert found.pairs == shipped().pairs


def test_a_folder_in_place_of_the_users_file_is_one_sentence(mine: Path) -> None:
    mine.mkdir()
    assert "cannot be read" in catalog().problems[0]
