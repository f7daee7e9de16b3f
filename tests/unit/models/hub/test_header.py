"""Headers of files that are not here: few requests, few bytes, and a sentence for every lie."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from playground.errors import HubError, HubErrorKind, ModelError
from playground.models.gguf import ArrayInfo, GgufHeader, parse_beginning, read_header
from playground.models.hub import hub_api
from playground.models.shape import shape_of
from tests.support.broken_gguf import ARRAY, STRING, Value, string, u32
from tests.support.fake_hub import FakeHub, Fault
from tests.support.mutants import texts
from tests.support.remote_models import VOCABULARY, model_bytes, parts


def _header(hub: FakeHub, raw: bytes, *faults: Fault) -> GgufHeader:
    repo = hub.add("acme/m", {"folder/a model #1.gguf": raw})
    hub.faults += faults
    return asyncio.run(hub_api.header("acme/m", repo.sha, "folder/a model #1.gguf"))


def test_a_large_vocabulary_takes_two_requests(hub: FakeHub) -> None:
    raw = model_bytes(vocabulary=VOCABULARY)
    found = _header(hub, raw)
    assert len(hub.log) == 2
    assert sum(entry.sent for entry in hub.log) == 64 << 10
    assert found.file_bytes == len(raw)
    assert found.tensors == ()
    assert found.metadata["tokenizer.ggml.tokens"] == ArrayInfo(VOCABULARY, STRING)


def test_the_numbers_are_those_of_the_whole_header(hub: FakeHub, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(model_bytes(vocabulary=5000))
    near, far = read_header(path), _header(hub, path.read_bytes())
    assert shape_of(far) == shape_of(near)
    assert {**near.metadata, **far.metadata} == near.metadata


def test_what_lies_behind_the_first_read_is_read_without_asking_the_hub_again(hub: FakeHub) -> None:
    whole = parts(vocabulary=10)
    keys = {
        "tokenizer.ggml.tokens": texts([b"word"] * 20_000),
        "tokenizer.chat_template": string("x" * 1_500_000),
        **{key: value for key, value in whole.keys.items() if not key.startswith("tokenizer.")},
    }
    found = _header(hub, type(whole)(keys, (), b"").to_bytes())
    assert found.number("block_count") == 18
    assert [entry.origin for entry in hub.log] == ["api", "cdn", "cdn", "cdn"]
    ranges = [entry.range for entry in hub.log[1:]]
    assert ranges[0] == "bytes=0-65535"
    assert ranges[1].startswith("bytes=65536-")


def test_a_header_without_an_end_is_given_up(hub: FakeHub) -> None:
    whole = parts()
    keys = {"general.description": Value(STRING, struct.pack("<Q", 30 << 20) + bytes(30 << 20)), **whole.keys}
    with pytest.raises(ModelError, match="larger"):
        _header(hub, type(whole)(keys, (), b"").to_bytes())
    assert len(hub.log) == 4


@pytest.mark.parametrize("kind", ["ignore_range", "wrong_range", "no_range", "more", "gzip", "short_length"])
def test_a_server_that_lies_about_the_range(hub: FakeHub, kind: Any) -> None:  # noqa: ANN401 -- a literal
    with pytest.raises(HubError) as caught:
        _header(hub, model_bytes(vocabulary=40_000), Fault(kind, path="/cdn/"))
    assert caught.value.kind is HubErrorKind.BAD_ANSWER


def test_the_end_of_a_small_file_is_not_taken_for_its_beginning(hub: FakeHub) -> None:
    with pytest.raises(HubError, match="another part"):
        _header(hub, model_bytes(), Fault("wrong_range", path="/cdn/"))


def test_a_server_that_does_not_say_how_much_it_sends_is_understood(hub: FakeHub) -> None:
    assert _header(hub, model_bytes(vocabulary=40_000), Fault("no_length", path="/cdn/")).arch == "gemma3"


def test_another_size_than_the_list_of_files_says_is_a_sentence(hub: FakeHub) -> None:
    raw = model_bytes()
    repo = hub.add("acme/m", {"m.gguf": raw})
    asyncio.run(hub_api.header("acme/m", repo.sha, "m.gguf", len(raw)))
    hub.faults.append(Fault("wrong_total", path="/cdn/"))
    with pytest.raises(HubError, match="bytes, not") as caught:
        asyncio.run(hub_api.header("acme/m", repo.sha, "m.gguf", len(raw)))
    assert caught.value.kind is HubErrorKind.BAD_ANSWER


def test_a_server_that_sends_everything_is_not_listened_to(hub: FakeHub) -> None:
    with pytest.raises(HubError, match="whole file"):
        _header(hub, model_bytes() + bytes(30_000_000), Fault("ignore_range", path="/cdn/"))


def test_a_size_that_changes_is_a_sentence(hub: FakeHub) -> None:
    whole = parts()
    keys = {"general.description": string("x" * 100_000), **whole.keys}
    raw = type(whole)(keys, (), b"").to_bytes()
    with pytest.raises(HubError, match="bytes, not"):
        _header(hub, raw, Fault("wrong_total", path="/cdn/"))


def test_a_file_that_is_gone_or_empty(hub: FakeHub) -> None:
    with pytest.raises(HubError) as caught:
        _header(hub, b"")
    assert caught.value.kind is HubErrorKind.BAD_ANSWER
    with pytest.raises(HubError) as caught:
        asyncio.run(hub_api.header("acme/m", hub.repos["acme/m"].sha, "none.gguf"))
    assert caught.value.kind is HubErrorKind.NOT_FOUND


@pytest.mark.parametrize("path", ["../x.gguf", "/x.gguf", "a\\b.gguf", "a//b.gguf", "x\x00.gguf", ""])
def test_a_name_that_is_not_safe_is_not_asked_for(hub: FakeHub, path: str) -> None:
    for repo, commit, name in (("acme/m", "main", path), ("acme", "main", "x"), ("acme/m", "../..", "x")):
        with pytest.raises(ModelError):
            asyncio.run(hub_api.header(repo, commit, name))
    assert not hub.log


@pytest.mark.parametrize(
    "raw",
    [
        b"G",
        b"<!DOCTYPE html>" * 20,
        model_bytes()[:200],
        model_bytes(arch="../../x"),
        parts().with_key("general.architecture", u32(7)).to_bytes(),
        parts().with_key("tokenizer.ggml.tokens", Value(ARRAY, struct.pack("<IQ", STRING, 2**63))).to_bytes(),
        parts().with_key("general.name", Value(99, b"")).to_bytes(),
    ],
)
def test_what_is_no_model_is_a_sentence(hub: FakeHub, raw: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        _header(hub, raw)
    assert caught.value.message.endswith(".")


def test_damaged_beginnings_are_values_or_model_errors() -> None:
    chance = random.Random(11)
    good = model_bytes(vocabulary=300)
    for _ in range(3000):
        raw = bytearray(good[: chance.randrange(len(good))])
        for _ in range(chance.randrange(4)):
            if raw:
                raw[chance.randrange(len(raw))] = chance.randrange(256)
        try:
            parse_beginning("m.gguf", bytes(raw), chance.choice([len(raw), len(good), 1 << 40]))
        except ModelError as error:
            assert error.message.isprintable()


def test_every_shorter_beginning_asks_for_more() -> None:
    good = model_bytes(vocabulary=300)
    answers = [parse_beginning("m.gguf", good[:length], len(good)) for length in range(0, 1500, 7)]
    first = next(index for index, found in enumerate(answers) if found is not None)
    assert first > 10
    assert all(found is not None for found in answers[first:])
