"""The app's own reader of model files against whatever a file may hold: a value or a ModelError, in bounded memory."""

from __future__ import annotations

import random
import struct
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from playground.chat.messages import Conversation
from playground.compare.events import Lane
from playground.compare.needs import lane_needs
from playground.errors import ModelError
from playground.models.fitness import Machine
from playground.models.gguf import read_header
from playground.models.library import describe
from playground.models.pair_fit import fit
from playground.models.placement import DeviceMemory
from tests.support import mutants
from tests.support.broken_gguf import ARRAY, STRING, Parts, Value, take_apart, text
from tests.support.tiny_gguf import build

_FAST = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
_MACHINE = Machine(1 << 32, 1 << 32, (DeviceMemory("GPU", 2 << 20),))
_MEMORY_LIMIT_BYTES = 400 << 20  # the reader's own limit is 128 MiB of file, and what it makes of it
_KINDS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return take_apart(build("qwen35moe", tmp_path_factory.mktemp("good") / "good.gguf"))


def _read(path: Path) -> bool:
    """Read a file as the app does and return whether it was taken."""
    try:
        model = describe(path)
        assert model.n_ctx_train >= 0 <= model.params
        assert model.name.isprintable()
        assert model.arch.isprintable()
        assert len(model.licence) <= 200
        lane = Lane("A", model, Conversation().with_user("Hello"))
        assert isinstance(lane_needs([lane], ()).host_bytes["A"], int)
        found = fit(read_header(path), model.size_bytes, 8192, _MACHINE)
        assert 0 <= found.gpu_layers <= found.layers
        assert found.memory.private_bytes >= 0
    except ModelError as error:
        assert error.message.endswith("."), error.message
        assert error.message.isprintable(), error.message
        return False
    return True


def _read_bytes(raw: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hostile.gguf"
        path.write_bytes(raw)
        return _read(path)


def test_damage_of_every_kind_is_a_value_or_a_model_error(parts: Parts) -> None:
    chance = random.Random(5)
    small = Parts(parts.keys, parts.tensors, parts.data[:4096])
    broken = [
        *mutants.containers(small, chance),
        *mutants.metadata(small),
        *mutants.tensor_tables(small, chance),
        *mutants.tokenizers(small),
        *mutants.hyperparameters(small),
        *mutants.bit_flips(small, chance, 300),
    ]
    for _, raw in broken:
        _read_bytes(raw)
    assert _read_bytes(parts.to_bytes())


@given(raw=st.binary(max_size=400))
@example(raw=b"")
@example(raw=struct.pack("<IQQ", 3, 0, 0))
@_FAST
def test_any_bytes_behind_the_magic(raw: bytes) -> None:
    _read_bytes(b"GGUF" + raw)
    _read_bytes(b"GGUF" + struct.pack("<I", 3) + raw)


def _number(kind: int) -> st.SearchStrategy[Value]:
    size = struct.calcsize(_KINDS[kind])
    return st.binary(min_size=size, max_size=size).map(lambda raw: Value(kind, raw))


def _list(kind: int) -> st.SearchStrategy[Value]:
    size = struct.calcsize(_KINDS[kind])
    items = st.lists(st.binary(min_size=size, max_size=size), max_size=9)
    return items.map(lambda raw: Value(ARRAY, struct.pack("<IQ", kind, len(raw)) + b"".join(raw)))


_TEXTS = st.binary(max_size=60).map(text)
_VALUES = st.one_of(
    st.sampled_from(sorted(_KINDS)).flatmap(_number),
    st.sampled_from(sorted(_KINDS)).flatmap(_list),
    _TEXTS.map(lambda raw: Value(STRING, raw)),
    st.lists(_TEXTS, max_size=5).map(
        lambda raw: Value(ARRAY, struct.pack("<IQ", STRING, len(raw)) + b"".join(raw))
    ),
)


@given(data=st.data())
@_FAST
def test_any_value_of_any_type_under_any_key(parts: Parts, data: st.DataObject) -> None:
    changed = Parts(parts.keys, parts.tensors, parts.data)
    for name in data.draw(st.lists(st.sampled_from(sorted(parts.keys)), min_size=1, max_size=4)):
        changed = changed.with_key(name, data.draw(_VALUES))
    _read_bytes(changed.to_bytes())


def _claims(what: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"key") + what


_GREEDY = {
    "a text of gigabytes": _claims(struct.pack("<IQ", STRING, 60 << 30)),
    "a list of gigabytes": _claims(struct.pack("<IIQ", ARRAY, 0, 60 << 30)),
    "a list of empty texts": _claims(struct.pack("<IIQ", ARRAY, STRING, 1 << 31)),
    "many lists of empty texts": _claims(struct.pack("<IIQ", ARRAY, STRING, 1 << 18)),
    "a million keys": b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 20),
    "all keys that may be": b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 16),
    "a million tensors": b"GGUF" + struct.pack("<IQQ", 3, 1 << 20, 0),
}


@pytest.mark.parametrize("start", _GREEDY.values(), ids=_GREEDY.keys())
def test_a_file_of_gigabytes_is_read_in_bounded_memory(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "huge.gguf"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(64 << 30)  # zeros that take no space on the disk
    tracemalloc.start()
    try:
        assert not _read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _MEMORY_LIMIT_BYTES


def test_a_file_cut_while_it_is_read_is_a_model_error(parts: Parts, tmp_path: Path) -> None:
    """A mapped file would end the whole process with SIGBUS here."""
    path = tmp_path / "cut.gguf"
    padded = parts.with_key("tokenizer.ggml.padding", Value(STRING, text(b"x" * (3 << 20))))
    path.write_bytes(padded.to_bytes())
    whole = path.stat().st_size
    for size in range(0, whole, whole // 40):
        path.write_bytes(padded.to_bytes()[:size])
        with pytest.raises(ModelError):
            read_header(path) if size < 3 << 20 else describe(path)
